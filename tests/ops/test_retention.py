"""Retention drops what is older than its period, by the longest prefix, and counts it with the reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.ledger import Ledger, Line
from hinomi.retention import DEFAULTS, Period, period_of
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.counts import Counts, totals
from ops.retention import RetentionSettings, apply

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_longest_prefix_decides() -> None:
    """A dataset of its own period is not kept by the general one."""
    assert period_of("hinomi.dead_letter", DEFAULTS) is DEFAULTS[1]
    assert period_of("squid.access", DEFAULTS) is DEFAULTS[0]
    assert period_of("squid.access", []) is None


def test_old_events_go_and_are_counted(tmp_path: Path) -> None:
    """400 days old: dropped with the reason; 100 days old: a dead letter goes, a log line stays."""
    clock, ledger = FixedClock(NOW), Ledger()
    events = ParquetEvents(tmp_path, clock=clock)
    for dataset in ("squid.access", "hinomi.dead_letter"):
        for days in (1, 100, 400):
            frame = pl.DataFrame(
                {
                    "event.id": [f"{dataset}{days}"],
                    "@timestamp": pl.Series([NOW - timedelta(days=days)]).cast(ecs.TIME),
                }
            )
            events.append([Batch.of(dataset, frame, ingested=NOW)])
    assert apply(events, RetentionSettings(), clock, ledger, {}) == 3
    assert ledger.take() == {
        Line("dropped", "squid.access", "retention_365d"): 1,
        Line("dropped", "hinomi.dead_letter", "retention_90d"): 2,
    }
    assert {held.name: held.events for held in events.datasets()} == {
        "squid.access": 2,
        "hinomi.dead_letter": 1,
    }


def test_a_period_needs_its_reason() -> None:
    """No number without the why."""
    with pytest.raises(ValidationError):
        Period.model_validate({"datasets": ["x"], "days": 30})


def test_counts_of_two_processes_add_up(tmp_path: Path) -> None:
    """Each process writes its own records; readers see the sum."""
    records = SqliteRecords(tmp_path / "r.sqlite")
    for name in ("worker-0", "worker-1", "worker-0"):
        ledger = Ledger()
        ledger.count("masked", 2, dataset="x", reason="my_number")
        Counts(records, name).save(ledger)
    assert totals(records) == {Line("masked", "x", "my_number"): 6}
