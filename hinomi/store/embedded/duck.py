"""DuckDB, which reads the Parquet files: opened when it is first asked."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from hinomi.batch import untaken
from hinomi.errors import StoreError
from hinomi.text import inert

_OUR_OWN = (duckdb.OutOfMemoryException, duckdb.ParserException, duckdb.InterruptException)
"""Errors that no file is to blame for."""
_NO_COLUMN = re.compile(r'Referenced column "(.*)" not found in FROM')
_EVERY_FILE = ("@timestamp", "event.id")
Culprit = Callable[[str, Sequence[str]], StoreError | None]
"""From what DuckDB said and the paths of the files that it read: which of them is damaged or gone, where one is."""


class NoColumn(StoreError):
    """None of the files that were read has a column that is asked about. name: which."""

    name: str = ""


class Duck:
    """One connection, of which each question takes a cursor. memory: what it may use, as DuckDB writes it. The first list
    among a question's values are the paths that it reads."""

    def __init__(self, memory: str, culprit: Culprit) -> None:
        self._memory = memory
        self._culprit = culprit
        self._lock = threading.Lock()
        self._duck: duckdb.DuckDBPyConnection | None = None

    def rows(self, sql: str, values: Sequence[Any], *, some: bool = False) -> list[tuple[Any, ...]]:
        """What it answers, as tuples. some: of the files that hold what is asked only some are read. Raises StoreError,
        NoColumn where none of the files has a column that is asked about (of some: also none as what is asked)."""
        with self._asked(values, some=some) as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def timed(self, sql: str, values: Sequence[Any], *, some: bool = False) -> list[tuple[Any, ...]]:
        """`rows` whose first value follows from each event's time. Raises StoreError, also where one has none: then the
        names of a file's columns are damaged."""
        rows = self.rows(sql, values, some=some)
        if any(row[0] is None for row in rows):
            raise self.blamed("an event without a time", values)
        return rows

    def frame(self, sql: str, values: Sequence[Any]) -> pl.DataFrame:
        """What it answers, as a frame. Raises StoreError."""
        with self._asked(values) as cursor:
            table = cursor.sql(sql, params=list(values)).to_arrow_table()
            frame = pl.from_arrow(table.rename_columns(_told_apart(table.column_names)))
        assert isinstance(frame, pl.DataFrame)
        return frame

    @contextmanager
    def _asked(self, values: Sequence[Any], *, some: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._cursor() as cursor:
                yield cursor
        except _OUR_OWN as error:
            raise _answer(str(error)) from error
        except (duckdb.Error, pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
            if isinstance(error, duckdb.BinderException) and (lacking := _lacking(str(error), some=some)):
                raise lacking from error
            if isinstance(error, duckdb.FatalException | duckdb.InternalException):
                self._anew()
            raise self.blamed(str(error), values) from error

    def blamed(self, said: str, values: Sequence[Any]) -> StoreError:
        """The error of a question that failed: of the file that is why, where there is one among those that it read."""
        paths = next((value for value in values if isinstance(value, list)), [])
        return self._culprit(said, paths) or _answer(said)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._duck is None:
                self._duck = duckdb.connect(":memory:", config={"memory_limit": self._memory, "threads": 2})
                self._duck.execute("set timezone='UTC'")
                self._duck.execute("set autoinstall_known_extensions=false")
            return self._duck.cursor()

    def _anew(self) -> None:
        """After an error of DuckDB's own it answers nothing any more: the next question opens another."""
        with self._lock:
            self._duck = None

    def close(self) -> None:
        """Close it."""
        if self._duck is not None:
            self._duck.close()


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, each once: an earlier release kept names with a NUL, of which DuckDB tells what stands before it."""
    taken = set[str]()
    return [untaken(name, taken) for name in names]


def _lacking(said: str, *, some: bool) -> NoColumn | None:
    """None: something else is wrong, or it is a column that every file has."""
    found = _NO_COLUMN.search(said)
    name = found[1] if found else ""
    if not some and (not name or name in _EVERY_FILE):
        return None
    error = NoColumn("検索できませんでした。", f"the search failed: {inert(said, 300)}")
    error.name = name
    return error


def _answer(said: str) -> StoreError:
    """DuckDB's own text is many lines with the question in them: the first says what it is."""
    first = inert(said.partition("\n")[0], 300)
    return StoreError("検索できませんでした。", f"the search failed: {first}")
