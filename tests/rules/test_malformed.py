"""A rule file of a shape that nobody foresaw is said with its place, and every other rule goes on calling people."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
import yaml

from hinomi.clock import FixedClock
from rules.correlation import Correlator
from rules.engine import RuleSet, load
from tests.rules.engine import rulebook

NAMED = {"title": "Failed", "name": "failed", "id": "11111111-2222-4333-8444-555555555551"}
BASE = rulebook.rule({"s": {"user.name": "*"}, "condition": "s"}, **NAMED)
PLAIN = rulebook.rule(
    {"s": {"user.name": "*"}, "condition": "s"}, title="Own", hinomi={"entity": ["user.name"]}
)
CORRELATION: dict[str, Any] = {
    "title": "Several",
    "id": "11111111-2222-4333-8444-555555555552",
    "level": "high",
    "tags": ["attack.t1110"],
    "correlation": {
        "type": "event_count",
        "rules": ["failed"],
        "group-by": ["user.name"],
        "timespan": "10m",
        "condition": {"gte": 2},
    },
    "hinomi": {"guideline": ["MIC-7.1"], "playbook": "vpn_compromise"},
}
BASELINE: dict[str, Any] = {
    "title": "First",
    "id": "11111111-2222-4333-8444-555555555553",
    "level": "high",
    "tags": ["attack.t1110"],
    "baseline": {
        "type": "rate_spike",
        "rules": ["failed"],
        "entity": "user.name",
        "warm_up_days": 5,
        "at_least": 1,
    },
    "hinomi": {"guideline": ["MIC-7.1"]},
}
GOOD = {**deepcopy(CORRELATION), "id": "11111111-2222-4333-8444-555555555554", "title": "Good"}
ODD: list[Any] = [None, 5, -1, float("nan"), True, "x", "", [], [5], [[5]], {}, {"x": 5}]


def given(folder: Path, *documents: dict[str, Any]) -> RuleSet:
    """The documents behind a base rule and a good correlation."""
    return rulebook.rules(folder, BASE, GOOD, *documents)


def alerts(rules: RuleSet) -> set[str]:
    """What two events of one user raise."""
    events = [{"user.name": "t.yamada", "@timestamp": rulebook.NOW} for _ in range(2)]
    batch = rulebook.batch(events)
    correlator = Correlator.of(rules, FixedClock(rulebook.NOW))
    found = correlator.feed(rules.signals(batch, rules.match(batch)))
    return {alert.title_en for alert in found}


def said(rules: RuleSet) -> list[str]:
    """All problems, of loading and of making ready."""
    return [*map(str, rules.problems), *map(str, Correlator.of(rules, FixedClock(rulebook.NOW)).problems)]


@pytest.mark.parametrize(
    ("document", "change", "key"),
    [
        (CORRELATION, {"hinomi": "vpn"}, "hinomi"),
        (CORRELATION, {"hinomi": ["vpn"]}, "hinomi"),
        (CORRELATION, {"hinomi": {"entity": 5}}, "hinomi.entity"),
        (CORRELATION, {"hinomi": {"guideline": {"MIC": 1}}}, "hinomi.guideline"),
        (BASELINE, {"level": "hihg"}, "level"),
        (BASELINE, {"tags": 5}, "tags"),
        (BASELINE, {"hinomi": "vpn"}, "hinomi"),
        (BASELINE, {"baseline": {**BASELINE["baseline"], "type": ["x"]}}, "baseline.type"),
        (BASELINE, {"baseline": {**BASELINE["baseline"], "rules": 5}}, "baseline.rules"),
        (BASELINE, {"baseline": {**BASELINE["baseline"], "rules": [["x"]]}}, "baseline.rules"),
        (BASELINE, {"baseline": {**BASELINE["baseline"], "entity": 5}}, "baseline.entity"),
        (
            BASELINE,
            {"baseline": {**BASELINE["baseline"], "warm_up_days": float("nan")}},
            "baseline.warm_up_days",
        ),
        (BASELINE, {"baseline": {**BASELINE["baseline"], "warm_up_days": 0}}, "baseline.warm_up_days"),
        (BASELINE, {"baseline": ["x"]}, "baseline"),
        (PLAIN, {"hinomi": "vpn"}, "hinomi"),
        (PLAIN, {"hinomi": ["vpn"]}, "hinomi"),
        (PLAIN, {"hinomi": {"entity": 5}}, "hinomi.entity"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, document: dict[str, Any], change: dict[str, Any], key: str
) -> None:
    """File and key stand in the problem, and the good correlation raises its alert as if the file were not there."""
    rules = given(tmp_path, document | change)
    [one] = said(rules)
    assert "rule_002.yml" in one and key in one
    assert alerts(rules) == {"Good"}


@pytest.mark.parametrize("kind", [CORRELATION, BASELINE], ids=["correlation", "baseline"])
@pytest.mark.parametrize("key", ["id", "level", "tags", "hinomi"])
@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
def test_what_sigma_leaves_open_may_be_missing(
    tmp_path: Path, kind: dict[str, Any], key: str, empty: bool
) -> None:
    """An id, a level, tags and what is ours are optional, and so may stand empty: the rule runs."""
    document = {name: value for name, value in kind.items() if name != key} | ({key: None} if empty else {})
    rules = given(tmp_path, document)
    assert said(rules) == []
    made = Correlator.of(rules, FixedClock(rulebook.NOW))
    assert len(made.rules) + len(made.baselines) == 2
    assert "Good" in alerts(rules)


def test_one_name_may_stand_without_a_list(tmp_path: Path) -> None:
    """`entity: host.name` means that field, not its letters."""
    rules = given(tmp_path, {**CORRELATION, "hinomi": {"entity": "host.name", "guideline": "MIC-7.1"}})
    [one] = [
        rule
        for rule in Correlator.of(rules, FixedClock(rulebook.NOW)).rules
        if rule.meta.title_en == "Several"
    ]
    assert (one.meta.main, one.meta.guideline) == (("host.name",), ("MIC-7.1",))


@pytest.mark.parametrize("kind", [CORRELATION, BASELINE, PLAIN], ids=["correlation", "baseline", "plain"])
def test_a_number_without_quotes_is_the_text_that_it_is_written_as(
    tmp_path: Path, kind: dict[str, Any]
) -> None:
    """YAML reads a clause, a tag or a name of digits as a number: such a rule ran before shapes were checked, and runs."""
    numbers = {"hinomi": {"entity": ["user.name"], "guideline": [6.2, 7]}}
    numbers |= {"id": 7, "title": 2026, "tags": [7]} if kind is BASELINE else {}
    rules = given(tmp_path, kind | numbers)
    assert said(rules) == []
    made = Correlator.of(rules, FixedClock(rulebook.NOW))
    metas = [one.meta for one in [*made.rules, *made.detections.values(), *made.baselines]]
    [meta] = [one for one in metas if "6.2" in one.guideline]
    assert meta.guideline == ("6.2", "7")
    if kind is BASELINE:
        assert (meta.id, meta.title_en, meta.tags) == ("7", "2026", ("7",))


def _paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items():
        yield (*above, key)
        if isinstance(inner, dict):
            yield from _paths(inner, (*above, key))


def _with(document: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("kind", [CORRELATION, BASELINE, PLAIN], ids=["correlation", "baseline", "plain"])
def test_no_value_anywhere_stops_the_others(tmp_path: Path, kind: dict[str, Any]) -> None:
    """Each key of a kind of rule replaced by each of twelve odd values, a rule each: the good correlation goes on."""
    changes = [(path, value) for path in _paths(kind) for value in ODD]
    odd = [{**kind, "id": str(uuid5(NAMESPACE_OID, str(n)))} for n in range(len(changes))]
    written = [_with(one, *change) for one, change in zip(odd, changes, strict=True)]
    (tmp_path / "base.yml").write_text(yaml.safe_dump_all([BASE, GOOD]), encoding="utf-8")
    (tmp_path / "odd.yml").write_text("\n---\n".join(map(yaml.safe_dump, written)), encoding="utf-8")
    assert "Good" in alerts(load([tmp_path]))
