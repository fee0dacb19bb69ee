"""Signals and cost by rule and hour; rules that flood or slow the engine are set aside, and stay so until released."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from hinomi.store.embedded import SqliteRecords
from rules import costing, quarantine, stats
from rules.decided import Kept, keep_choice
from rules.engine import RuleSet
from rules.in_force import CHOICE, KEPT, QUARANTINE, InForce
from rules.quarantine import Held
from rules.selector import Selector
from rules.settings import RulesSettings
from rules.stats import Tally
from tests.rules.engine import rulebook

NOW = datetime(2026, 11, 20, 3, 10, tzinfo=UTC)
LOUD, QUIET = "11111111-2222-4333-8444-555555555555", "21111111-2222-4333-8444-555555555555"


@pytest.fixture
def records(tmp_path: Path) -> SqliteRecords:
    """An empty store of records."""
    return SqliteRecords(tmp_path / "records.sqlite", clock=FixedClock(NOW))


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    """One rule that fits everything, one that fits nothing."""
    loud = rulebook.rule({"sel": {"f|contains": "x"}, "condition": "sel"}, title="Loud")
    quiet = rulebook.rule({"sel": {"f": "y"}, "condition": "sel"}, title="Quiet", id=QUIET)
    return rulebook.rules(tmp_path / "rules", loud, quiet)


def fed(tally: Tally, rules: RuleSet, n: int) -> None:
    """So many events seen by a worker."""
    batch = rulebook.batch([{"f": f"x{i}"} for i in range(n)])
    tally.saw(rules, batch, rules.match(batch))


def test_two_workers_over_two_hours(records: SqliteRecords, rules: RuleSet) -> None:
    """Counts of all processes and hours are summed, by day of Japan, and a restart within the hour loses none of them."""
    clock = FixedClock(NOW)
    for process in ("worker-0", "worker-1", "worker-1"):
        tally = Tally(records, process, clock)
        fed(tally, rules, 30)
        tally.save(at_once=True)
    clock.advance(timedelta(hours=13))
    fed(tally, rules, 5)
    tally.save(at_once=True)
    found = stats.figures(records, NOW - timedelta(days=1))
    assert found[LOUD].signals == 95 and QUIET not in found
    assert found[LOUD].days == {"2026-11-20": 90, "2026-11-21": 5}
    assert found[LOUD].last == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert 0 < found[LOUD].share < 1
    assert stats.hourly(records, NOW)[LOUD].signals == 90
    assert stats.figures(records, NOW + timedelta(hours=1), NOW + timedelta(hours=2)) == {}


def test_old_hours_go(records: SqliteRecords, rules: RuleSet) -> None:
    """What is older than it is kept for is deleted by its own writer."""
    clock = FixedClock(NOW)
    tally = Tally(records, "worker-0", clock)
    fed(tally, rules, 1)
    tally.save(at_once=True)
    clock.advance(timedelta(days=stats.KEPT_DAYS + 1))
    fed(tally, rules, 1)
    tally.save(at_once=True)
    assert len(records.find(stats.KIND)) == 1


def test_the_sample_times_each_rule_and_is_rare(
    records: SqliteRecords, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that is looked at has a time of its own; the second batch of a busy moment is not sampled."""
    monkeypatch.setattr(stats, "_SHARE", 1e-9)  # so that a slow machine's five batches are one moment
    batch = rulebook.batch([{"f": "x"}] * 100)
    seen = costing.cost(rules, batch)
    assert seen.rules[LOUD] > 0 and seen.shared > 0 and seen.events == 100
    tally = Tally(records, "worker-0", FixedClock(NOW))
    for _ in range(5):
        fed(tally, rules, 100)
    assert (tally.events, tally.sampled) == (500, 100)


def test_a_flood_is_set_aside_whatever_enable_says(
    records: SqliteRecords, rules: RuleSet, tmp_path: Path
) -> None:
    """Over the limit: held, mirrored into the data folder, off when loaded, though switched on by hand; released, it runs,
    and the same hour is not held against it again."""
    tally = Tally(records, "worker-0", FixedClock(NOW))
    fed(tally, rules, 60)
    tally.save(at_once=True)
    limits = RulesSettings(packs=False, flood_per_hour=50)
    assert list(quarantine.judge(records, rules, RulesSettings(flood_per_hour=0), NOW)) == []
    [one] = quarantine.judge(records, rules, limits, NOW)
    assert (one.rule, one.why, one.figure) == (LOUD, "flood", 60)
    quarantine.hold(records, one)
    source = InForce([tmp_path / "rules"], choice_file=tmp_path / KEPT / CHOICE)
    keep_choice(tmp_path / KEPT / CHOICE, Kept(enable=[Selector(id=[LOUD])]))
    before = source.changed()
    assert quarantine.mirror(records, tmp_path) and not quarantine.mirror(records, tmp_path)
    assert source.changed() != before
    loaded = source.load()
    assert [rule.id for rule in loaded.rules] == [QUIET]
    assert "quarantine" in loaded.off[0].by and "60" in loaded.off[0].by
    said = quarantine.alert(one, NOW)
    assert "60" in said.reason_ja and said.fields["rule.id"] == LOUD
    assert quarantine.release(records, LOUD, NOW) and not quarantine.release(records, LOUD, NOW)
    quarantine.mirror(records, tmp_path)
    assert len(source.load().rules) == 2
    assert list(quarantine.judge(records, rules, limits, NOW)) == []
    assert (tmp_path / KEPT / QUARANTINE).exists()


def test_a_slow_rule(records: SqliteRecords, rules: RuleSet) -> None:
    """The time reckoned from samples, as a share of one processor over the hour."""
    body = {"process": "w", "hour": "2026-11-20T03:00:00+00:00", "signals": {}, "shared": 1.0}
    records.put(stats.KIND, "w|1", {**body, "seconds": {LOUD: 2.0}, "sampled": 1_000, "events": 1_000_000})
    [one] = quarantine.judge(records, rules, RulesSettings(), NOW)
    assert one.why == "slow" and one.figure == pytest.approx(2_000 / 3_600)
    assert Held("x", "X", "slow", 0.5, 0.25, "").said.en == "took 50% of a processor (limit 25%)"


@pytest.mark.parametrize("kind", ["correlation", "baseline"])
def test_a_slow_correlation(records: SqliteRecords, tmp_path: Path, kind: str) -> None:
    """What counts others is never set aside, as a backlog or a flood makes it slow: people are told, once a day."""
    loud = rulebook.rule({"sel": {"f|contains": "x"}, "condition": "sel"}, title="Loud")
    takes = {
        "correlation": {"type": "event_count", "timespan": "1h", "group-by": ["f"], "condition": {"gte": 2}},
        "baseline": {"type": "rate_spike", "entity": "user.name"},
    }[kind]
    watcher = {"title": "Watcher", "title_ja": "見張り", "id": QUIET, "level": "high"}
    watcher[kind] = {**takes, "rules": [LOUD]}
    both = rulebook.rules(tmp_path / "rules", loud, watcher)
    tally = Tally(records, "respond", FixedClock(NOW))
    tally.fed(costing.Fed(Counter({QUIET: 1_000.0}), events=10))
    tally.save(at_once=True)
    assert list(quarantine.judge(records, both, RulesSettings(), NOW)) == []
    [one] = quarantine.loud(records, both, RulesSettings(), NOW)
    assert (one.rule, one.title, one.why) == (QUIET, "見張り", "slow")
    assert one.figure == pytest.approx(1_000 / 3_600)
    said = quarantine.loud_alert(one, NOW)
    assert said.rule_name == "correlation_slow" and "28%" in said.reason_ja
    assert list(quarantine.loud(records, both, RulesSettings(), NOW + timedelta(minutes=1))) == []


@pytest.mark.parametrize(("counts", "why"), [(True, "slow"), (False, "flood")], ids=["counted", "alone"])
def test_a_rule_that_floods_and_is_slow(
    records: SqliteRecords, tmp_path: Path, counts: bool, why: str
) -> None:
    """What others count is not set aside for its number, but it is for its cost, however many signals it gives."""
    loud = rulebook.rule({"sel": {"f|contains": "x"}, "condition": "sel"}, title="Loud")
    takes = {"type": "rate_spike", "rules": [LOUD], "entity": "user.name"}
    watcher = {"title": "Watcher", "id": QUIET, "level": "high", "baseline": takes}
    both = rulebook.rules(tmp_path / "rules", loud, *([watcher] if counts else []))
    body = {"process": "w", "hour": "2026-11-20T03:00:00+00:00", "signals": {LOUD: 60}, "shared": 1.0}
    records.put(stats.KIND, "w|1", {**body, "seconds": {LOUD: 2.0}, "sampled": 1_000, "events": 1_000_000})
    limits = RulesSettings(flood_per_hour=50)
    assert [one.why for one in quarantine.judge(records, both, limits, NOW)] == [why]
    assert list(quarantine.loud(records, both, limits, NOW)) == []


def test_a_flood_of_this_hour_hides_no_slowness_of_the_last(records: SqliteRecords, tmp_path: Path) -> None:
    """Slow in the hour before, only many in this one: set aside for its cost. The number of the newer hour had been all that
    was looked at, and it exempts what others count."""
    loud = rulebook.rule({"sel": {"f|contains": "x"}, "condition": "sel"}, title="Loud")
    takes = {"type": "rate_spike", "rules": [LOUD], "entity": "user.name"}
    watcher = {"title": "Watcher", "id": QUIET, "level": "high", "baseline": takes}
    both = rulebook.rules(tmp_path / "rules", loud, watcher)
    for hour, signals, seconds in (("2026-11-20T02", 1, 2.0), ("2026-11-20T03", 60, 0.0)):
        body = {"process": "w", "hour": f"{hour}:00:00+00:00", "signals": {LOUD: signals}, "shared": 1.0}
        figures = {"seconds": {LOUD: seconds}, "sampled": 1_000, "events": 1_000_000}
        records.put(stats.KIND, f"w|{hour}", {**body, **figures})
    limits = RulesSettings(flood_per_hour=50)
    assert [one.why for one in quarantine.judge(records, both, limits, NOW)] == ["slow"]
    assert list(quarantine.loud(records, both, limits, NOW)) == []
