"""Delimited text whose number of columns grows with the product's version: columns by their place.

Columns are named `c0`, `c1` …; a source gives them meaning. Quoted values may hold the delimiter.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog

_MOST = 250


@dataclass(frozen=True, slots=True)
class Rows:
    """A line is ours when it has at least `least` values; header: whether a syslog header stands before it (else
    one is taken off only where it is one for sure)."""

    least: int
    delimiter: str = ","
    header: bool = False

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each place that any line has."""
        frame = syslog.split(intake) if self.header else syslog.behind(intake)
        rows = [self._values(line) for line in frame["message"].to_list()]
        kept = [place for place, row in enumerate(rows) if len(row) >= self.least]
        if not kept:
            return []
        width = min(max(len(rows[place]) for place in kept), _MOST)
        columns = [
            pl.Series(
                f"c{n}", [rows[place][n] if n < len(rows[place]) else None for place in kept], dtype=pl.String
            )
            for n in range(width)
        ]
        return [frame[kept].with_columns(columns)]

    def _values(self, line: str | None) -> list[str]:
        text = (line or "").strip("\ufeff \t\r\n").replace("\n", " ")
        if '"' not in text:
            return text.split(self.delimiter)
        try:
            return next(csv.reader([text], delimiter=self.delimiter, skipinitialspace=True), [])
        except csv.Error:
            return []


def rows(least: int, delimiter: str = ",", *, header: bool = False) -> Rows:
    """The shape of delimited text read by place; see `Rows`."""
    return Rows(least, delimiter, header)
