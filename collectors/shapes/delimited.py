"""Delimited text with fixed columns (CSV, TSV); quoted values may hold the delimiter, not a line break.

A line arrives alone, so its columns are declared by the source; a file's header line, which arrives like
any other line, is recognised by its text.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_BLANK = "﻿ \t\r\n"


@dataclass(frozen=True, slots=True)
class Delimited:
    """columns: names in order; header: the header line's first column, whose line is left out."""

    columns: Sequence[str]
    delimiter: str = ","
    quote: str = '"'
    header: str = ""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with the declared columns; lines with another number of values are left out."""
        text = pl.col("message").str.strip_chars(_BLANK)
        frame = intake.with_columns(text.alias("message"))
        simple = ~pl.col("message").str.contains(self.quote, literal=True).fill_null(False)
        parts = (self._plain(frame.filter(simple)), self._quoted(frame.filter(~simple)))
        return [self._without_header(part) for part in parts if part.height]

    def _plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        values = pl.col("message").str.split(self.delimiter)
        split = frame.with_columns(values.alias("_values")).filter(
            pl.col("_values").list.len() == len(self.columns)
        )
        found = [pl.col("_values").list.get(index).alias(name) for index, name in enumerate(self.columns)]
        return split.with_columns(found).drop("_values")

    def _quoted(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows = [self._values(line) for line in frame["message"].to_list()]
        kept = [index for index, row in enumerate(rows) if len(row) == len(self.columns)]
        found = [
            pl.Series(name, [rows[index][n] for index in kept], dtype=pl.String)
            for n, name in enumerate(self.columns)
        ]
        return frame[kept].with_columns(found) if kept else frame.clear()

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
    columns: Sequence[str], *, delimiter: str = ",", quote: str = '"', header: str = ""
) -> Delimited:
    """The shape of CSV and TSV lines; see `Delimited`."""
    return Delimited(tuple(columns), delimiter, quote, header)
