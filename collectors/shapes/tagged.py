"""`key=value` pairs between which one sign stands (a tab mostly): values are bare and may hold blanks.

IBM's Log Event Extended Format (LEEF) is one: its head `LEEF:1.0|vendor|product|version|event id|` (2.0 may
name another sign behind, as itself or as `x09`) comes before the pairs. Source: IBM, "LEEF event components".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

_HEAD = r"^LEEF:\d(?:\.\d)?\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|(?:(?:x|0x)?[^|=\t]{0,4}\|)?"
_HEAD_NAMES = ("vendor", "product", "version", "event_id")
_PAIR = r"^([A-Za-z_][A-Za-z0-9_.\-]*)=(.*)$"


@dataclass(frozen=True, slots=True)
class Tagged:
    """separator: what stands between pairs; needs: what a line must match to be ours.

    Of a LEEF line the head becomes `leef.vendor`, `leef.product`, `leef.version`, `leef.event_id`.
    """

    needs: str
    separator: str = "\t"

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each key that any line has."""
        split = syslog.split(intake)
        frame = split.filter(pl.col("message").str.contains(self.needs).fill_null(False)).with_row_index("at")
        if not frame.height:
            return []
        head = pl.col("message").str.extract_groups(_HEAD).struct.rename_fields(_HEAD_NAMES).alias("_head")
        named = frame.with_columns(head).unnest("_head", separator=".")
        named = named.rename({f"_head.{name}": f"leef.{name}" for name in _HEAD_NAMES})
        return [pairs.columns(named.drop("at"), self._pairs(frame))]

    def _pairs(self, frame: pl.DataFrame) -> pl.DataFrame:
        body = pl.col("message").str.replace(_HEAD, "")
        parts = frame.select("at", body.str.split(self.separator).alias("pair"))
        single = parts.explode("pair", empty_as_null=False, keep_nulls=False)
        both = pl.col("pair").str.strip_chars().str.extract_groups(_PAIR)
        both = both.struct.rename_fields(["key", "value"])
        return single.select("at", both.alias("both")).unnest("both").filter(pl.col("key").is_not_null())


def tagged(needs: str, separator: str = "\t") -> Tagged:
    """The shape of tab-separated key=value lines and of LEEF; see `Tagged`."""
    return Tagged(needs, separator)
