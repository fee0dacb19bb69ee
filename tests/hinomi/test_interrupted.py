"""An interruption (Ctrl+C) right behind the commit that named a file: the file is an event's only place, and stays."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hinomi.store.embedded import ParquetEvents, SqliteRecords
from tests.contract.stores import clock
from tests.contract.test_events import batch

_STEPS: dict[str, Callable[[ParquetEvents], object]] = {
    "append": lambda events: events.append([batch(n=5, first=100)]),
    "merge": lambda events: events.compact(),
}


class _Interrupted:
    """A connection whose commits, once done, are interrupted."""

    def __init__(self, db: sqlite3.Connection, when: Callable[[str], bool]) -> None:
        self._db, self._when = db, when

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cursor = self._db.execute(sql, *values)
        if self._when(sql):
            raise KeyboardInterrupt
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


def _interrupt(events: ParquetEvents, monkeypatch: pytest.MonkeyPatch, when: Callable[[str], bool]) -> None:
    monkeypatch.setattr(events._manifest, "_db", _Interrupted(events._manifest._db, when))


def _held(events: ParquetEvents) -> list[str]:
    return sorted(row["event.id"] for page in events.pages() for row in page)


@pytest.mark.parametrize("step", _STEPS)
@pytest.mark.parametrize("at", ["commit", "insert into file"])
def test_what_is_named_stays_and_what_is_not_goes(
    step: str, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the commit every event is found, in a new process too; before it nothing is left of the file."""
    events = ParquetEvents(tmp_path, clock=clock())
    for n in range(10):
        events.append([batch(n=5, first=5 * n)])
    wanted = _held(events)
    if (step, at) == ("append", "commit"):
        wanted = sorted([*wanted, *batch(n=5, first=100).frame["event.id"]])
    with monkeypatch.context() as patched:
        _interrupt(events, patched, lambda sql: sql.startswith(at))
        with pytest.raises(KeyboardInterrupt):
            _STEPS[step](events)
    assert _held(events) == wanted
    events.close()
    anew = ParquetEvents(tmp_path, clock=clock())
    assert _held(anew) == wanted and not anew.flaws()
    assert anew.sweep(orphans=True) == 0
    anew.close()


@pytest.mark.parametrize("at", ["begin", "insert", "commit"])
def test_an_interrupted_record_keeps_nobody_from_writing(at: str, tmp_path: Path) -> None:
    """Behind any step, the very first among them, the transaction is over: another process writes at once, this one too."""
    path = tmp_path / "records.sqlite"
    records, other = SqliteRecords(path, clock=clock()), SqliteRecords(path, clock=clock())
    other._db.execute("pragma busy_timeout=0")
    whole, records._db = records._db, _Interrupted(records._db, lambda sql: sql.startswith(at))  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        records.put("note", "a", {"n": 1})
    records._db = whole
    assert not whole.in_transaction
    assert other.put("note", "b", {"n": 2}).version == 1
    assert records.put("note", "b", {"n": 3}).version == 2
    assert (records.get("note", "a") is not None) == (at == "commit")
    records.close()
    other.close()


def test_where_the_manifest_does_not_answer_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not known to be nobody's is not deleted, and the first error is the one that is told."""
    events = ParquetEvents(tmp_path, clock=clock())
    committed = False

    def refused(sql: str) -> bool:
        nonlocal committed
        if committed:
            raise sqlite3.OperationalError("disk I/O error")
        committed = sql == "commit"
        return committed

    with monkeypatch.context() as patched:
        _interrupt(events, patched, refused)
        with pytest.raises(KeyboardInterrupt):
            events.append([batch(n=5)])
    assert _held(events) == sorted(batch(n=5).frame["event.id"])
    events.close()
