"""A data folder opened for one command."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hinomi.clock import SystemClock
from hinomi.errors import InputError, Where
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.service import open_desk
from responders.desk import Desk


@dataclass(frozen=True, slots=True)
class Opened:
    """The stores of a data folder, and the desk that people decide with."""

    data: Path
    events: ParquetEvents
    records: SqliteRecords
    clock: SystemClock
    desk: Desk


@contextmanager
def opened(data: Path, *, make: bool = False) -> Iterator[Opened]:
    """Open a data folder. Raises InputError where there is none and none is to be made."""
    if not make and not (data / "records.sqlite").exists():
        raise InputError(
            "データフォルダがありません。--data を確かめてください。",
            "there is no data folder here",
            where=Where(data),
        )
    clock = SystemClock()
    events = ParquetEvents(data / "events", clock=clock)
    records = SqliteRecords(data / "records.sqlite", clock=clock)
    try:
        yield Opened(data, events, records, clock, open_desk(records, data, clock))
    finally:
        events.close()
        records.close()


def operator() -> str:
    """Who runs the command, for the audit log: the account behind sudo, else the one that runs it."""
    return f"cli:{os.environ.get('SUDO_USER') or getpass.getuser()}"
