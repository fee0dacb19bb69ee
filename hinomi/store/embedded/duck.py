"""DuckDB, which reads the Parquet files: opened when it is first asked."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from hinomi.errors import StoreError
from hinomi.text import inert


class Duck:
    """One connection, of which each question takes a cursor. memory: what it may use, as DuckDB writes it."""

    def __init__(self, memory: str) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._duck: duckdb.DuckDBPyConnection | None = None

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What it answers, as tuples. Raises StoreError."""
        with self._asked() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def frame(self, sql: str, values: Sequence[Any]) -> pl.DataFrame:
        """What it answers, as a frame. Raises StoreError."""
        with self._asked() as cursor:
            table = cursor.sql(sql, params=list(values)).to_arrow_table()
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame

    @contextmanager
    def _asked(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise _answer(str(error)) from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._duck is None:
                self._duck = duckdb.connect(":memory:", config={"memory_limit": self._memory, "threads": 2})
                self._duck.execute("set timezone='UTC'")
                self._duck.execute("set autoinstall_known_extensions=false")
            return self._duck.cursor()

    def close(self) -> None:
        """Close it."""
        if self._duck is not None:
            self._duck.close()


def _answer(said: str) -> StoreError:
    """DuckDB's own text is many lines with the question in them: the first says what it is, and a file is named apart."""
    first = inert(said.partition("\n")[0], 300)
    if found := re.search(r"([^\s'\"]+\.parquet)", said):
        file = inert(found[1], 300)
        return StoreError(
            f"保管庫のファイル {file} を読めません(壊れているか、消えています)。写し(hinomi store snapshot)から戻してください。",
            f"the store's file {file} cannot be read: it is damaged or gone; restore it from a snapshot ({first})",
        )
    return StoreError("検索できませんでした。", f"the search failed: {first}")
