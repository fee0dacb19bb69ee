"""Sources against the intake corpus of ../shared/data: fields that another team expects of the same lines."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from collectors import catalogue, times
from collectors.parse import documents
from tests import shared

MAPPING: dict[str, str] = yaml.safe_load(Path(__file__).with_name("intake.yaml").read_text(encoding="utf-8"))
DISAGREEMENTS: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("disagreements.yaml").read_text(encoding="utf-8")
)
PARTLY: dict[str, float] = yaml.safe_load(Path(__file__).with_name("partly.yaml").read_text(encoding="utf-8"))
REQUIRED = 0.85
pytestmark = pytest.mark.corpus


FIRST = {
    "fortinet/fortigate",
    "cisco/cisco-secure-firewall",
    "windows/windows",
    "beats/winlogbeat",
    "openssh/openssh",
    "squid/squid",
    "bind/bind",
    "office-365/o365",
    "azure/azure-ad",
    "microsoft/microsoft-entraid-graphapi",
}


def test_the_first_products_are_mapped_to_sources_that_exist() -> None:
    """No product drops out of the mapping unseen."""
    assert set(MAPPING) >= FIRST
    assert set(MAPPING.values()) <= set(catalogue.sources())


def _scorer() -> ModuleType:
    """The corpus's own scoring tool, as a module."""
    path = shared.SHARED / "tools" / "ecs_score.py"
    if not path.exists():
        shared.missing(f"{path} is not there")
    spec = importlib.util.spec_from_file_location("ecs_score", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _expected(scorer: ModuleType, case: dict[str, Any]) -> dict[str, Any]:
    core = set(scorer.CORE)
    return {k: v for k, v in scorer.flat(case["expected"]) if k in core and v not in (None, "", [])}


@pytest.fixture
def utc() -> Iterator[None]:
    """As `hinomi parse` reads: times that name no zone are UTC, which the corpus takes them for."""
    before = times.zone()
    times.use("UTC")
    yield
    times.use(before)


NOT_HERE = {"sonicwall/sonicwall-sma", "office-365/message-trace"}
"""Products that are mapped although the corpus as we have it holds no cases of them."""


@pytest.mark.parametrize("product", sorted(set(MAPPING) - NOT_HERE))
@pytest.mark.usefixtures("utc")
def test_product_scores(product: str) -> None:
    """At least 85 % of the fields that the corpus expects of a product's lines are there with the same value.

    Fields in which the corpus is known to be wrong are left out, and each of them must still be one."""
    scorer = _scorer()
    lines = shared.corpus("intake", f"{product}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    found = documents(catalogue.find(MAPPING[product]), [case["message"] for case in cases])
    hits, misses, wrong = 0, [], DISAGREEMENTS.get(product, {})
    disputed = set()
    for case, document in zip(cases, found, strict=True):
        got = dict(scorer.flat(document))
        for name, want in _expected(scorer, case).items():
            if name in got and scorer.same(name, want, got[name]):
                hits += 1
            elif name in wrong:
                disputed.add(name)
            else:
                misses.append(f"{case['name']} {name}")
    assert disputed == set(wrong), f"{product}: the corpus agrees by now"
    if not hits + len(misses):
        assert all(found), (
            f"{product}: the corpus expects no field of ours, but each line is to be understood"
        )
        return
    share = hits / (hits + len(misses))
    assert share >= PARTLY.get(product, REQUIRED), f"{product}: {share:.3f}; missing {misses[:10]}"
    assert product not in PARTLY or share < REQUIRED, f"{product}: {share:.3f} now; take it off partly.yaml"


def test_no_product_that_must_be_read_is_read_in_part() -> None:
    """The products of must.txt all stand under the full requirement."""
    must = shared.corpus("must.txt").read_text(encoding="utf-8").splitlines()
    assert not set(PARTLY) & set(must)
    assert set(PARTLY) <= set(MAPPING)
