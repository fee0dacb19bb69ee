"""`key=value` pairs between which one sign stands (a tab mostly): values are bare and may hold blanks, or stand in quotes."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

_PAIR = r"^([A-Za-z_][A-Za-z0-9_.\-]*)=(.*)$"
_QUOTED = r'^"+(.*?)"+$'


@dataclass(frozen=True, slots=True)
class Tagged:
    """separator: what stands between pairs; needs: what a line must match to be ours."""

    needs: str
    separator: str = "\t"

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each key that any line has."""
        split = syslog.split(intake)
        frame = split.filter(pl.col("message").str.contains(self.needs).fill_null(False)).with_row_index("at")
        if not frame.height:
            return []
        return [pairs.columns(frame.drop("at"), self._pairs(frame))]

    def _pairs(self, frame: pl.DataFrame) -> pl.DataFrame:
        parts = frame.select("at", pl.col("message").str.split(self.separator).alias("pair"))
        single = parts.explode("pair", empty_as_null=False, keep_nulls=False)
        both = pl.col("pair").str.strip_chars().str.extract_groups(_PAIR)
        both = both.struct.rename_fields(["key", "value"])
        both = both.struct.with_fields(pl.field("value").str.replace(_QUOTED, "${1}"))
        return single.select("at", both.alias("both")).unnest("both").filter(pl.col("key").is_not_null())


def tagged(needs: str, separator: str = "\t") -> Tagged:
    """The shape of tab-separated key=value lines; see `Tagged`."""
    return Tagged(needs, separator)
