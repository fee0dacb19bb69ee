"""Rules of one id, and exceptions that do nothing: neither is silent, and a shipped rule can be tuned by a copy of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hinomi.clock import FixedClock
from rules.correlation import Correlator
from rules.engine import RuleSet
from rules.in_force import InForce
from rules.selector import Selector
from tests.rules.engine import rulebook

FAILED = rulebook.rule(
    {"s": {"user.name": "*"}, "condition": "s"}, title="Failed", name="failed", level="low"
)
SEVERAL: dict[str, Any] = {
    "title": "Several",
    "name": "several",
    "id": "11111111-2222-4333-8444-555555555552",
    "level": "high",
    "correlation": {
        "type": "event_count",
        "rules": ["failed"],
        "group-by": ["user.name"],
        "timespan": "10m",
        "condition": {"gte": 5},
    },
}
SPIKE = {
    "title": "Spike",
    "name": "spike",
    "id": "11111111-2222-4333-8444-555555555553",
    "level": "high",
    "baseline": {"type": "rate_spike", "rules": ["failed"]},
}


def written(folder: Path, **documents: dict[str, Any]) -> Path:
    """One rule a file, by the file's name."""
    folder.mkdir(exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def correlated(rules: RuleSet, events: int) -> list[str]:
    """Correlations that so many failures raise."""
    batch = rulebook.batch([{"user.name": "t.yamada"} for _ in range(events)])
    found = Correlator.of(rules, FixedClock(rulebook.NOW)).feed(rules.signals(batch, rules.match(batch)))
    return sorted(alert.title_en for alert in found if alert.kind == "correlation")


def tuned(document: dict[str, Any]) -> dict[str, Any]:
    """The city's own copy: two are enough."""
    return {**document, "title": "Tuned", "correlation": {**document["correlation"], "condition": {"gte": 2}}}


def test_the_second_correlation_of_an_id_is_refused(tmp_path: Path) -> None:
    """It shared the groups of the first, saw nothing new in them and was silent; now it is said, and which counts."""
    folder = written(tmp_path, a_failed=FAILED, b_pack=SEVERAL, c_city=tuned(SEVERAL))
    loaded = InForce([folder]).load()
    [problem] = map(str, loaded.problems)
    assert "c_city.yml" in problem and "b_pack.yml" in problem
    assert (correlated(loaded, 3), correlated(loaded, 5)) == ([], ["Several"])


@pytest.mark.parametrize("kind", [FAILED, SEVERAL, SPIKE], ids=["detection", "correlation", "baseline"])
def test_a_copy_may_take_the_place_of_what_is_switched_off(tmp_path: Path, kind: dict[str, Any]) -> None:
    """A pack's rule switched off by its file, the city's copy of the same id beside it: the copy runs, nothing is wrong."""
    others = {"failed": FAILED} if kind is not FAILED else {}
    folder = written(tmp_path, a_pack=kind, b_city={**kind, "title": "Tuned"}, **others)
    off = [Selector(path=["*a_pack.yml"], owner="h.sato", reason="市の写しを使う")]
    loaded = InForce([folder], disable=off).load()
    assert loaded.problems == [] and [one.title for one in loaded.off] == [kind["title"]]
    every = [*(rule.title for rule in loaded.rules)]
    every += [str(one.document["title"]) for one in [*loaded.correlations, *loaded.others]]
    assert "Tuned" in every and kind["title"] not in every


def test_a_copy_of_its_own_id_runs_beside_the_original(tmp_path: Path) -> None:
    """Another id and name: both count, each for itself."""
    own = {**tuned(SEVERAL), "id": "11111111-2222-4333-8444-555555555559", "name": "several_city"}
    loaded = InForce([written(tmp_path, a_failed=FAILED, b_pack=SEVERAL, c_city=own)]).load()
    assert loaded.problems == [] and correlated(loaded, 5) == ["Several", "Tuned"]


@pytest.mark.parametrize("other", [SEVERAL, SPIKE], ids=["correlation", "baseline"])
def test_kinds_share_no_id(tmp_path: Path, other: dict[str, Any]) -> None:
    """A detection's id on a correlation or baseline would mix their alerts, groups and approvals."""
    folder = written(tmp_path, a_failed=FAILED, b_other={**other, "id": FAILED["id"]})
    [problem] = map(str, InForce([folder]).load().problems)
    assert "b_other.yml" in problem


def exception(*names: str, **more: Any) -> dict[str, Any]:
    """An exception for these rules."""
    return {
        "title": "Not him",
        "id": "11111111-2222-4333-8444-555555555557",
        "logsource": {"product": "any"},
        "filter": {"rules": list(names), "s": {"user.name": "w.kato"}, "condition": "not s"},
        "hinomi": {"owner": "h.sato", "reason": "点検", "expires": "2099-12-31"},
        **more,
    }


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (exception("several"), "failed"),
        (exception(SEVERAL["id"]), "failed"),
        (exception("spike"), "failed"),
        (exception("gone"), "「gone」"),
        (exception("failed", "gone"), "「gone」"),
        (exception("failed", logsource={"product": "windows"}), "logsource"),
    ],
    ids=["correlation", "by id", "baseline", "no rule", "one of two", "other log"],
)
def test_an_exception_that_does_nothing_is_said(tmp_path: Path, document: dict[str, Any], words: str) -> None:
    """Of a correlation or baseline it says which rules to name instead; of what is not there, and of another log, that."""
    folder = written(tmp_path, a_failed=FAILED, b_several=SEVERAL, c_spike=SPIKE, d_exception=document)
    [problem] = map(str, InForce([folder]).load().problems)
    assert "d_exception.yml" in problem and words in problem


@pytest.mark.parametrize("off", [True, False], ids=["switched off", "runs"])
def test_an_exception_that_works_is_no_problem(tmp_path: Path, off: bool) -> None:
    """Nor is one for a rule that is switched off for now, nor one that is over."""
    over = exception("gone", id="11111111-2222-4333-8444-555555555558", hinomi={"expires": "2020-01-01"})
    folder = written(tmp_path, a_failed=FAILED, d_exception=exception("failed"), e_over=over)
    disable = [Selector(id=["failed"], owner="h.sato", reason="試行")] if off else []
    loaded = InForce([folder], disable=disable).load()
    assert loaded.problems == [] and bool(loaded.filters[0].applied) is not off
