"""Delimited text whose columns come in any order (CSV, TSV): read by the names in the header line that they stand below.

A line arrives alone: which header it stands below is told by the intake's column `UNDER` (`collectors.named_headers` keeps it from
batch to batch); where that is null, nobody asked, and the columns stand as they are declared.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes.delimited import delimited
from collectors.shapes.pairs import column_name
from collectors.source import ROW, UNDER

_MOST = 250
"""Columns of a header; more are no table that a product writes."""
_BLANK = "\ufeff \t\r\n"


@dataclass(frozen=True, slots=True)
class Named:
    """columns: names that a header must have, in any order and among others, which are kept under their own names."""

    columns: Sequence[str]
    delimiter: str = ","
    quote: str = '"'

    def under(self, intake: pl.DataFrame, before: Mapping[str, str]) -> pl.DataFrame:
        """The intake (`row`, `message`, `peer`) with `UNDER`: the header of each line, its own where it is one.

        before: peer → the header that its first lines stand below ("": none came); of peers that it does not have: null."""
        headers = self._headers(intake)
        known = pl.DataFrame(
            {"peer": list(before), "_before": list(before.values())},
            schema={"peer": pl.String, "_before": pl.String},
        )
        above = intake.join(headers, on=ROW, how="left", maintain_order="left").join(
            known, on="peer", how="left", maintain_order="left"
        )
        own = pl.col(UNDER).forward_fill().over("peer")
        return above.with_columns(pl.coalesce(own, "_before").alias(UNDER)).drop("_before")

    def is_header(self, line: str) -> bool:
        """Whether at least half of the names are values of the line: a remark that names two of them is none."""
        values = self._names(line)
        return sum(name in values for name in self.columns) * 2 >= len(self.columns)

    def flaw(self, header: str) -> str:
        """Why no line below this header can be read by its names; "" where they can."""
        values = self._names(header)
        if len(values) > _MOST:
            return f"more than {_MOST} columns"
        missing = [name for name in self.columns if name not in values]
        twice = [name for name in self.columns if values.count(name) > 1]
        return f"missing {','.join(missing)}" if missing else f"twice {','.join(twice)}" if twice else ""

    def width(self, header: str | None) -> int:
        """How many values a line below this header has."""
        return len(self._names(header) if header else self.columns)

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """See `Shape.read`: frames with a column for each name of the header."""
        if UNDER not in intake.columns:
            return self._placed(intake, self.columns)
        return [
            frame
            for (header,), part in intake.group_by([UNDER], maintain_order=True)
            if header is None or (header and not self.flaw(str(header)))
            for frame in self._placed(part, self.columns if header is None else self._names(str(header)))
        ]

    def _placed(self, part: pl.DataFrame, names: Sequence[str]) -> Sequence[pl.DataFrame]:
        unique: dict[str, None] = {}
        for place, name in enumerate(names):
            column = column_name(name) or f"column_{place + 1}"
            unique[column if column not in unique else f"{column}_{place + 1}"] = None
        return delimited(tuple(unique), delimiter=self.delimiter, quote=self.quote).read(part)

    def _headers(self, intake: pl.DataFrame) -> pl.DataFrame:
        """`row` and header of the lines that are one, without what a relay wrote before it."""
        perhaps = intake.filter(
            pl.col("message").str.contains_any([*self.columns], ascii_case_insensitive=False)
        ).select(ROW, "message", "received", "peer")
        bare = syslog.behind(perhaps).select(ROW, bare="message")
        both = perhaps.join(bare, on=ROW, how="left").select(ROW, "message", "bare").iter_rows()
        found = {}
        for row, *lines in both:
            of_names = {
                line: sum(name in self._names(line) for name in self.columns) for line in lines if line
            }
            best = max(of_names, key=lambda line: of_names[line], default="")
            if best and self.is_header(best):
                found[row] = best
        return pl.DataFrame(
            {ROW: list(found), UNDER: list(found.values())},
            schema={ROW: intake.schema[ROW], UNDER: pl.String},
        )

    def _names(self, line: str) -> list[str]:
        try:
            read = next(csv.reader([line.strip(_BLANK)], delimiter=self.delimiter, quotechar=self.quote), [])
        except csv.Error:
            return []
        return [name.strip(_BLANK) for name in read]
