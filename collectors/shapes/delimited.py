"""Delimited text with fixed columns (CSV, TSV), also behind a relay's header; quoted values may hold the delimiter, not a
line break.

A line arrives alone, so its columns are declared by the source; a file's header line, which arrives like
any other line, is recognised by its text.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog

_BLANK = "﻿ \t\r\n"


@dataclass(frozen=True, slots=True)
class Delimited:
    """columns: names in order; header: the header line's first column, whose line is left out.

    least: how many values a line must have when it may end early; what it does not have is null, what it has
    beyond the names is left out. 0: as many as there are names.
    """

    columns: Sequence[str]
    delimiter: str = ","
    quote: str = '"'
    header: str = ""
    least: int = 0

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with the declared columns; lines with another number of values are left out."""
        headless = syslog.behind(intake)
        parts = self._split(headless)
        if "row" in intake.columns and intake.height > sum(part.height for part in parts):
            parts += self._split(self._taken_too_much(intake, headless, parts))
        return [self._without_header(part) for part in parts if part.height]

    def _taken_too_much(
        self, intake: pl.DataFrame, headless: pl.DataFrame, parts: Sequence[pl.DataFrame]
    ) -> pl.DataFrame:
        """Lines whose first values (a time, a name) were taken for a header, and which then had too few, as they came."""
        read = pl.concat([part["row"] for part in parts])
        left = intake.filter(~pl.col("row").is_in(read.implode()))
        cut = headless.select("row", rest="message").filter(pl.col("row").is_in(left["row"].implode()))
        both = left.join(cut, on="row", maintain_order="left")
        return syslog.bare(both.filter(pl.col("rest") != pl.col("message")).drop("rest"))

    def _split(self, lines: pl.DataFrame) -> list[pl.DataFrame]:
        frame = lines.with_columns(pl.col("message").str.strip_chars(_BLANK))
        simple = ~pl.col("message").str.contains(self.quote, literal=True).fill_null(False)
        return [self._plain(frame.filter(simple)), self._quoted(frame.filter(~simple))]

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        values = pl.col("message").str.split(self.delimiter)
        count = pl.col("_values").list.len()
        fits = count >= self.least if self.least else count == len(self.columns)
        split = frame.with_columns(values.alias("_values")).filter(fits)
        found = [
            pl.col("_values").list.get(index, null_on_oob=True).alias(name)
            for index, name in enumerate(self.columns)
        ]
        return split.with_columns(found).drop("_values")

    def _quoted(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows = [self._values(line) for line in frame["message"].to_list()]
        kept = [index for index, row in enumerate(rows) if self._fits(len(row))]
        found = [
            pl.Series(name, [rows[at][n] if n < len(rows[at]) else None for at in kept], dtype=pl.String)
            for n, name in enumerate(self.columns)
        ]
        return frame[kept].with_columns(found) if kept else frame.clear()

    def _fits(self, count: int) -> bool:
        return count >= self.least if self.least else count == len(self.columns)

    def _values(self, line: str | None) -> list[str]:
        try:
            return next(csv.reader([line or ""], delimiter=self.delimiter, quotechar=self.quote), [])
        except csv.Error:
            return []

    def _without_header(self, frame: pl.DataFrame) -> pl.DataFrame:
        if not self.header:
            return frame
        return frame.filter(pl.col(self.columns[0]).str.strip_chars() != self.header)


def delimited(
    columns: Sequence[str], *, delimiter: str = ",", quote: str = '"', header: str = "", least: int = 0
) -> Delimited:
    """The shape of CSV and TSV lines; see `Delimited`."""
    return Delimited(tuple(columns), delimiter, quote, header, least)
