"""Events that the store refuses while it takes records: whoever leads is told by the worker that waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hinomi.alert import Alert, Level
from hinomi.clock import FixedClock
from hinomi.errors import StoreError
from hinomi.store.embedded import SqliteRecords
from ops import refusals
from ops.refusals import Refusals


def test_a_store_that_takes_records_and_no_events_is_told_of(tmp_path: Path) -> None:
    """The worker that waits notes it, from the second minute on; after five, who leads tells once, and no more when the events go."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    records, clock = SqliteRecords(tmp_path / "records.sqlite"), FixedClock(start)
    told: list[Alert] = []
    noted = Refusals(records, "a-1/lane-0", clock)
    for minute in range(12):
        clock.time = start + timedelta(minutes=minute)
        if minute < 8:
            noted.refused(StoreError("シャードの上限です", "too many shards"))
        else:
            noted.taken()
        refusals.look(records, clock.now(), timedelta(minutes=5), told.append)
        assert bool(told) == (minute >= 5), minute
    assert len({one.id for one in told}) == 1
    assert "シャードの上限" in told[0].reason_ja and told[0].level is Level.CRITICAL
    before = len(told)
    clock.time = start + timedelta(minutes=30)
    assert refusals.look(records, clock.now(), timedelta(minutes=5), told.append) == 0 and len(told) == before
    records.close()


def test_one_outage_is_one_alert(tmp_path: Path) -> None:
    """However many lanes wait; no news while it goes on, and the same one after a worker's restart, and when those recover that were
    refused first."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    records, clock = SqliteRecords(tmp_path / "records.sqlite"), FixedClock(start)
    refused, told = StoreError("シャードの上限です", "too many shards"), list[Alert]()
    lanes = [Refusals(records, f"a-1/lane-{n}", clock) for n in range(8)]
    for minute in range(58):
        clock.time = start + timedelta(minutes=minute)
        if minute == 20:  # all workers begin anew
            lanes = [Refusals(records, lane.process, clock) for lane in lanes]
        for number, lane in enumerate(lanes):
            if minute < 50 or number >= 5:
                clock.time = start + timedelta(minutes=minute, seconds=number)
                lane.refused(refused)
        n = refusals.look(records, clock.now(), timedelta(minutes=5), told.append)
        assert n == (0 if minute < 5 else 8 if minute < 54 else 3), minute
    assert len(told) == 53 and len({(one.id, one.first, one.last, one.event_count) for one in told}) == 1
    assert told[0].reason_en.count("too many shards") == 5 and "3 more" in told[0].reason_en
    assert "ほか 3" in told[0].reason_ja and told[0].first == start
    clock.time = start + timedelta(hours=3)  # it was over in the meantime: another outage
    for _ in range(7):
        Refusals(records, "a-1/lane-0", clock).refused(refused)
        lanes[1].taken()
        lanes[1].refused(refused)
        clock.advance(timedelta(minutes=1))
    assert refusals.look(records, clock.now(), timedelta(minutes=5), told.append) == 0
    records.close()


@pytest.mark.parametrize("after", [1, 5])
def test_what_is_refused_after_all_was_taken_is_another_outage(tmp_path: Path, after: int) -> None:
    """One lane stores again, another is refused two minutes later, while the first one's note is still fresh: people may have closed the
    first incident by then, so the alert is a new one, and it is one."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    records, clock = SqliteRecords(tmp_path / "records.sqlite"), FixedClock(start)
    told = list[Alert]()
    first, second = (Refusals(records, f"a-1/lane-{n}", clock) for n in (1, 2))
    for minute in range(90):
        clock.time = start + timedelta(minutes=minute)
        if minute <= 20:
            first.refused(StoreError("シャードの上限です", "too many shards"))
        if minute >= 22:
            second.refused(StoreError("ディスクが一杯です", "the disk is full"))
        refusals.look(records, clock.now(), timedelta(minutes=after), told.append)
    begun = [(one.id, one.first) for one in told]
    assert [at for _, at in dict.fromkeys(begun)] == [start, start + timedelta(minutes=22)]
    assert begun == sorted(begun, key=lambda one: one[1]) and begun[-1][1] != start
    records.close()
