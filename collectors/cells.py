"""A few values of a JSON record read alone, to see whether a rule can hold before the record is read whole.

Only of records that are what they seem: plain names, plain texts, no wrapper. Of anything else nothing is said, so that the
whole reading decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from hinomi import ecs

_LONGEST = 12_000
"""Bytes of a line in which there may be more names than the whole reading takes."""
_NOTHING = {"", "-", "<null>", "null", "not available", "n/a"}


class _OddError(Exception):
    """Only the whole reading can tell."""


@dataclass(frozen=True, slots=True)
class Cells:
    """columns: where a column's text is; needed: names without which a line is no record; wrapped: names of wrappers."""

    columns: Mapping[str, tuple[str, ...]]
    needed: tuple[str, ...] = ()
    wrapped: frozenset[str] = field(default_factory=frozenset)

    def read(self, lines: Sequence[bytes]) -> tuple[pl.DataFrame, list[int]]:
        """A row a line, and the places of lines of which nothing is said (their row is empty)."""
        odd: list[int] = []
        cells: list[list[str | None]] = []
        for place, line in enumerate(lines):
            try:
                cells.append(self._row(line))
            except _OddError:
                odd.append(place)
                cells.append([None] * len(self.columns))
        columns = zip(*cells, strict=True) if cells else [()] * len(self.columns)
        made = [
            pl.Series(name, list(texts), dtype=pl.String)
            for name, texts in zip(self.columns, columns, strict=True)
        ]
        return pl.DataFrame(made), odd

    def _row(self, line: bytes) -> list[str | None]:
        if len(line) > _LONGEST or line[:1] != b"{":
            raise _OddError
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise _OddError from None
        if not self.wrapped.isdisjoint(record) or not all(
            type(record.get(name)) is str for name in self.needed
        ):
            raise _OddError
        _plain_names(record)
        return [_text(record, path) for path in self.columns.values()]


def _text(value: Any, path: tuple[str, ...]) -> str | None:
    for name in path:
        if type(value) is not dict:
            raise _OddError
        value = value.get(name)
        if value is None:
            return None
        if type(value) is dict:
            _plain_names(value)
    if type(value) is not str or ecs.BETWEEN in value or value.strip().lower() in _NOTHING:
        raise _OddError
    return value


def _plain_names(record: dict[str, Any]) -> None:
    """A name with a dot may mean what lies deeper; other signs are taken out of names."""
    if any("." in name or "*" in name or "^" in name for name in record):
        raise _OddError
