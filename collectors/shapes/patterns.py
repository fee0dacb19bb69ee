"""Lines told apart by regular expressions: the first that fits names the line and gives its raw fields.

Each expression is applied to all lines that are left at once; named groups become columns.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from hinomi.errors import ContentError

_TAKEN = re.compile(r"\(\?P<(row|message|peer|received|text|pattern)>")
"""Groups named like a column that every line has already."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """table: name → expression with named groups, in order; apps: programs whose other lines are ours, too.

    The name stands in the column `pattern` (`other` for the rest), the text behind the header in `text`.
    """

    table: Mapping[str, str]
    apps: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Raises ContentError for a group that would be a second column of its name, before the first line comes."""
        for name, expression in self.table.items():
            if taken := _TAKEN.search(expression):
                raise ContentError(
                    f"式「{name}」のグループ名「{taken[1]}」は使えません(どの行にもある列の名前です)。別の名前にしてください。",
                    f'expression "{name}": no group can be named "{taken[1]}", a column that every line has; '
                    "take another name",
                )

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame of the lines that are ours."""
        rest = syslog.split(intake).with_columns(pl.col("message").str.strip_chars().alias("text"))
        found: list[pl.DataFrame] = []
        for name, expression in self.table.items():
            if not rest.height:
                break
            fits = rest["text"].str.contains(expression).fill_null(False)
            if fits.any():
                found.append(_named(rest.filter(fits), name, expression))
                rest = rest.filter(~fits)
        other = rest.filter(pl.col("header.app").is_in(self.apps)).with_columns(
            pl.lit("other").alias("pattern")
        )
        found.extend([other] if other.height else [])
        return [pl.concat(found, how="diagonal")] if found else []


def _named(frame: pl.DataFrame, name: str, expression: str) -> pl.DataFrame:
    labelled = frame.with_columns(pl.lit(name).alias("pattern"))
    if "(?P<" not in expression:
        return labelled
    return labelled.with_columns(pl.col("text").str.extract_groups(expression).alias("_found")).unnest(
        "_found"
    )


def patterns(table: Mapping[str, str], apps: Sequence[str] = ()) -> Patterns:
    """The shape of free text; see `Patterns`."""
    return Patterns(table, tuple(apps))
