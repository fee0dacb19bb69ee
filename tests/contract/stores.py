"""Every implementation of the store protocols; the contract suites run once for each.

A second implementation plugs in by adding its factory here.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hinomi.clock import FixedClock
from hinomi.store import Events, Records
from hinomi.store.embedded import ParquetEvents, SqliteRecords

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def clock() -> FixedClock:
    """Noon UTC of the day that the suites work on."""
    return FixedClock(NOW)


EVENTS: dict[str, Callable[[Path], Events]] = {
    "embedded": lambda folder: ParquetEvents(folder / "events", clock=clock()),
}
RECORDS: dict[str, Callable[[Path], Records]] = {
    "embedded": lambda folder: SqliteRecords(folder / "records.sqlite", clock=clock()),
}
