"""Events that the store refuses while it takes records: whoever leads is told by the worker that waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

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
