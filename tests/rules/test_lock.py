"""The lock: nothing that decides what is detected changes unseen, and nothing that stayed is told."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import lock
from rules.in_force import InForce
from tests.rules.engine import rulebook

RULE = rulebook.rule({"sel": {"f": "x"}, "condition": "sel"}, name="base")
COUNT = {
    "title": "Count",
    "id": "21111111-2222-4333-8444-555555555555",
    "correlation": {
        "type": "event_count",
        "rules": ["base"],
        "group-by": ["g"],
        "timespan": "1h",
        "condition": {"gte": 9},
    },
}
EXCEPTION = {
    "title": "Exception",
    "id": RULE["id"],
    "logsource": {"product": "any"},
    "filter": {"rules": ["base"], "sel": {"g": "x"}, "condition": "not sel"},
    "hinomi": {"owner": "h.sato", "reason": "r", "expires": "2026-12-31"},
}
COMMON = {"action": "global", "logsource": RULE["logsource"], "detection": {"common": {"g": "y"}}}
OWN = {"title": "Own", "id": RULE["id"], "detection": {"sel": {"f": "x"}, "condition": "sel and common"}}
PIPELINE = {"name": "own", "transformations": [{"type": "field_name_mapping", "mapping": {"f": "h"}}]}


def told(before: Iterable[lock.Locked], now: list[lock.Locked]) -> list[tuple[str, str]]:
    """Kind and what is said of each difference."""
    return [(one.rule.kind, one.said.en.split()[0]) for one in lock.differences(list(before), now)]


class City:
    """A folder of rules, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.day = date(2026, 11, 30)
        self.settings: dict[str, Any] = {"rules.lateness_minutes": 120}
        self.pipelines: list[str] = []
        self.placeholders = {"admins": ["a"]}

    def write(self, name: str, *documents: Any) -> None:
        """A file of documents."""
        path = self.folder / "rules" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")

    def running(self) -> list[lock.Locked]:
        """All that decides."""
        source = InForce([self.folder / "rules"], self.pipelines, self.placeholders)
        return lock.running(source, source.load(self.folder / "cache", self.day), self.settings)


@pytest.fixture
def city(tmp_path: Path) -> City:
    """One with a rule, a correlation, and an exception of the rule's own id."""
    made = City(tmp_path)
    made.write("a.yml", RULE, COUNT)
    made.write("exceptions.yml", EXCEPTION)
    return made


def test_nothing_changed(city: City) -> None:
    """The same again, from the cache or moved to another file, is as approved."""
    before = city.running()
    assert told(before, city.running()) == []
    (city.folder / "rules/a.yml").rename(city.folder / "rules/b.yml")
    assert told(before, city.running()) == []


def test_what_is_common_to_a_file_counts(city: City) -> None:
    """With `action: global` a rule is what both documents say: the common part changed, the rule is another."""
    city.write("a.yml", COMMON, OWN)
    before = city.running()
    city.write("a.yml", {**COMMON, "detection": {"common": {"g": "never"}}}, OWN)
    assert told(before, city.running()) == [("rule", "changed")]


def test_an_id_hides_nothing(city: City) -> None:
    """A rule and an exception of one id are told apart; so are detections of one file that share theirs."""
    before = city.running()
    city.write("a.yml", {**RULE, "detection": {"sel": {"f": "y"}, "condition": "sel"}}, COUNT)
    assert told(before, city.running()) == [("rule", "changed")]
    city.write("a.yml", RULE, COUNT)
    city.write("exceptions.yml", {**EXCEPTION, "filter": {**EXCEPTION["filter"], "sel": {"g": "*"}}})
    assert told(before, city.running()) == [("exception", "changed")]
    twin = {**RULE, "title": "Twin", "name": "twin"}
    city.write("exceptions.yml", EXCEPTION)
    city.write("a.yml", RULE, twin, COUNT)
    both = city.running()
    assert told(before, both) == [("rule", "runs")]
    city.write("a.yml", RULE, {**twin, "level": "low"}, COUNT)
    assert told(both, city.running()) == [("rule", "changed")]


def test_how_rules_are_read_counts(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipelines, values of placeholders, log-source tables, settings, correlations and the engine itself."""
    pipeline = city.folder / "own.yml"
    pipeline.write_text(yaml.safe_dump(PIPELINE), encoding="utf-8")
    city.pipelines = [str(pipeline)]
    before = city.running()
    pipeline.write_text(yaml.safe_dump({**PIPELINE, "transformations": []}), encoding="utf-8")
    city.placeholders = {"admins": ["b"]}
    city.settings = {"rules.lateness_minutes": 1}
    city.write("a.yml", RULE, {**COUNT, "correlation": {**COUNT["correlation"], "group-by": ["h"]}})
    monkeypatch.setattr(lock, "__version__", "0.0.9")
    assert sorted(told(before, city.running())) == [
        (kind, "changed") for kind in ("correlation", "engine", "pipeline", "placeholder", "setting")
    ]
    source = InForce([city.folder / "rules"])
    loaded = source.load(city.folder / "cache", city.day)
    one, *rest = loaded.tables.tables
    whole = lock.running(source, loaded, {})
    loaded.tables = type(loaded.tables)((type(one)(one.product, {}, {}, ()), *rest))
    assert told(whole, lock.running(source, loaded, {})) == [("log_source", "changed")]


def test_an_exception_ends_as_approved(city: City) -> None:
    """After its last day it is not missed; one that nobody approved is told while it holds."""
    before = city.running()
    without = [one for one in before if one.kind != "exception"]
    assert told(without, city.running()) == [("exception", "runs")]
    city.day = date(2027, 1, 1)
    assert told(before, city.running()) == told(without, city.running()) == []


def test_what_cannot_run_does_not(city: City) -> None:
    """A rule whose placeholder lost its values is missed."""
    expanded = {"sel": {"f|expand": "%admins%"}, "condition": "sel"}
    city.write("a.yml", rulebook.rule(expanded))
    city.write("exceptions.yml")
    before = city.running()
    city.placeholders = {}
    assert sorted(told(before, city.running())) == [("placeholder", "approved,"), ("rule", "approved,")]
