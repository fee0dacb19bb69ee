"""Rules inside a real Elasticsearch: a hunt over the past, and scheduled ones, found once however often they run."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import ContentError, InputError, StoreError
from hinomi.store import Span
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import SqliteRecords
from ops import inside_hunt
from ops.inside import Inside, rule_in
from rules import engine
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULE = """
title: {title}
id: {id}
logsource: {{product: hinomi, service: linux.auth}}
detection:
  selection: {{{selection}}}
  condition: selection
level: high
hinomi: {{schedule: {schedule}}}
"""
GOOD, SLOW = "0a4924e4-f52e-4273-a7bd-2fef9c263691", "0a4924e4-f52e-4273-a7bd-2fef9c263692"


def _batch(first: int, n: int, at: datetime) -> Batch:
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([at + timedelta(seconds=i) for i in range(n)]).cast(ecs.TIME),
            "event.id": [f"e{first + i}" for i in range(n)],
            "event.outcome": ["failure" if i % 2 else "success" for i in range(n)],
            "user.name": [f"U{i}" for i in range(n)],
        }
    )
    return Batch.of("linux.auth", frame, ingested=at)


def _rules(folder: Path, **rules: str) -> engine.RuleSet:
    folder.mkdir(exist_ok=True)
    for name, text in rules.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return engine.load([folder], cache=folder.parent / "cache")


def test_a_scheduled_rule_runs_when_due_and_finds_each_once(tmp_path: Path) -> None:
    """It runs at once, not again within its minutes, then finds only what is new; what live detection found before is
    the same signal; a rule with a wrong schedule, one that Lucene cannot say, or one that the cluster finds too intricate
    is named and stops no other."""
    clock, namespace = FixedClock(NOW), elastic.namespace(tmp_path)
    events = ElasticEvents(elastic.client(), namespace, clock=clock, refresh=True)
    records = ElasticRecords(elastic.client(), namespace, clock=clock)
    events.prepare(replicas=0)
    rules = _rules(
        tmp_path / "rules",
        a_wrong=RULE.format(
            title="Wrong", id=SLOW, selection="event.outcome: failure", schedule="{hours: often}"
        ),
        b_unsaid=RULE.format(
            title="Unsaid",
            id="0a4924e4-f52e-4273-a7bd-2fef9c263693",
            selection="'user.name|re': '(?=a)b'",
            schedule="{hours: 24}",
        ),
        b_intricate=RULE.format(
            title="Intricate",
            id="0a4924e4-f52e-4273-a7bd-2fef9c263694",
            selection="'user.name|re': '(a|b)*a(a|b){40}'",
            schedule="{hours: 24}",
        ),
        c_good=RULE.format(
            title="Good",
            id=GOOD,
            selection="event.outcome: failure",
            schedule="{every_minutes: 15, hours: 24}",
        ),
    )
    before = _batch(0, 20, NOW - timedelta(hours=2))
    events.append([before])
    live = rules.signals(before, rules.match(before))
    good = live.filter(pl.col("rule.id") == GOOD).head(3)
    events.append([Batch.of(SIGNALS, good, ingested=NOW)])
    inside = Inside(events, rules, clock)
    with capture_logs() as told:
        assert inside.run_due(records) == 10 - 3
    failed = [one["rule"] for one in told if one["event"] == "scheduled_rule_failed"]
    assert sorted(failed) == ["Intricate", "Unsaid", "Wrong"]
    assert inside.run_due(records) == 0
    events.append([_batch(20, 20, NOW - timedelta(hours=1)), _batch(40, 20, NOW - timedelta(hours=30))])
    later = Inside(events, rules, FixedClock(NOW + timedelta(minutes=14)))
    assert later.run_due(records) == 0
    later = Inside(events, rules, FixedClock(NOW + timedelta(minutes=15)))
    assert later.run_due(records) == 10
    found = pl.concat([frame for _, frame in events.since(SIGNALS, None)]).unique("event.id")
    assert found["rule.id"].unique().to_list() == [GOOD] and found.height == 20
    events.close()
    records.close()


def test_what_could_not_be_looked_at_is_looked_at_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster does not answer a run, then nobody runs rules for two days: the next run reaches back to the last that came
    to its end, although the rule looks back one hour only."""
    namespace = elastic.namespace(tmp_path)
    events = ElasticEvents(elastic.client(), namespace, clock=FixedClock(NOW), refresh=True)
    records = ElasticRecords(elastic.client(), namespace, clock=FixedClock(NOW))
    events.prepare(replicas=0)
    text = RULE.format(
        title="Good", id=GOOD, selection="user.name: u7", schedule="{every_minutes: 15, hours: 1}"
    )
    rules = _rules(tmp_path / "rules", one=text)

    def run(after: timedelta) -> int:
        return Inside(events, rules, FixedClock(NOW + after)).run_due(records)

    def away(*_: object, **__: object) -> None:
        raise StoreError("届きません。", "does not answer")

    assert run(timedelta()) == 0
    events.append([_batch(0, 10, NOW + timedelta(hours=2))])
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ElasticEvents, "matching", away)
        with pytest.raises(StoreError):
            run(timedelta(hours=2))
    assert run(timedelta(hours=50)) == 1
    assert run(timedelta(hours=51)) == 0
    events.close()
    records.close()


def test_signals_of_old_events_are_told_once(tmp_path: Path) -> None:
    """Events of two months ago, and one whose clock was wrong: their signals are the same whichever day the hunt runs."""
    namespace = elastic.namespace(tmp_path)
    events = ElasticEvents(elastic.client(), namespace, clock=FixedClock(NOW), refresh=True)
    events.prepare(replicas=0)
    old = NOW - timedelta(days=60)
    wrong = _batch(20, 10, datetime(2020, 1, 1, tzinfo=UTC)).frame.drop("event.ingested", strict=False)
    events.append([_batch(0, 10, old), Batch.of("linux.auth", wrong, ingested=NOW - timedelta(days=9))])
    text = RULE.format(title="Good", id=GOOD, selection="event.outcome: failure", schedule="{hours: 24}")
    rules = _rules(tmp_path / "rules", one=text)
    rule = rule_in(rules, tmp_path / "rules" / "one.yml")
    told = []
    for day in range(3):
        inside = Inside(events, rules, FixedClock(NOW + timedelta(days=day)))
        span = Span(datetime(2019, 1, 1, tzinfo=UTC), NOW + timedelta(days=9))
        told.append(sum(inside.tell(rule, batch) for batch in inside.hunt(rule, span)))
    assert told == [10, 0, 0]
    assert events.count(datasets=[SIGNALS]) == 10
    events.close()


def test_a_hunt_reaches_as_far_back_as_asked(tmp_path: Path) -> None:
    """Of a month of events just those of the span are found; nothing is told unless asked for."""
    namespace = elastic.namespace(tmp_path)
    events = ElasticEvents(elastic.client(), namespace, clock=FixedClock(NOW), refresh=True)
    events.prepare(replicas=0)
    for day in range(0, 30, 3):
        events.append([_batch(100 * day, 10, NOW - timedelta(days=day))])
    text = RULE.format(title="Good", id=GOOD, selection="user.name: u7", schedule="{hours: 24}")
    rules = _rules(tmp_path / "rules", one=text)
    inside = Inside(events, rules, FixedClock(NOW))
    rule = rule_in(rules, tmp_path / "rules" / "one.yml")
    for days, expected in ((1, 1), (10, 4), (60, 10)):
        batches = inside.hunt(rule, Span(NOW - timedelta(days=days), NOW + timedelta(days=1)))
        assert sum(len(batch) for batch in batches) == expected
    assert events.count(datasets=[SIGNALS]) == 0
    with pytest.raises(ContentError):
        rule_in(rules, tmp_path / "rules" / "other.yml")
    events.close()


def test_the_command_needs_a_cluster(tmp_path: Path) -> None:
    """On an embedded store it says which command to use."""
    (tmp_path / "one.yml").write_text(
        RULE.format(title="Good", id=GOOD, selection="user.name: u7", schedule="{hours: 24}")
    )
    (tmp_path / "data").mkdir()
    SqliteRecords(tmp_path / "data" / "records.sqlite").close()
    with pytest.raises(InputError, match="hinomi hunt"):
        inside_hunt.hunt(tmp_path / "one.yml", tmp_path / "data", 90, tell=False)
