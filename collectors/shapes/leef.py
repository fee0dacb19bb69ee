"""LEEF 1.0 and 2.0: a header with bars, then key=value behind tabs (or the delimiter that a 2.0 header names).

Source: IBM QRadar, "Log Event Extended Format (LEEF)". Some relays write a tab as `#011`; some cut the word LEEF off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

_HEAD = r"(?:^|\s)(?:LEEF: ?)?([12]\.0)\|([^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|(?s:(.*))$"
_NAMES = ("leef.version", "leef.vendor", "leef.product", "leef.product_version", "leef.code")


@dataclass(frozen=True, slots=True)
class Leef:
    """A line is ours when it has a LEEF header; vendor: only of this one ("" = any)."""

    vendor: str = ""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with the header's columns and a text column for each key."""
        split = syslog.split(intake).with_columns(pl.col("message").str.extract_groups(_HEAD).alias("_leef"))
        part = pl.col("_leef").struct
        ours = (
            part.field("2").str.contains(self.vendor, literal=True)
            if self.vendor
            else part.field("2").is_not_null()
        )
        frame = split.filter(ours.fill_null(False)).with_row_index("at")
        if not frame.height:
            return []
        header = [part.field(str(n)).alias(name) for n, name in enumerate(_NAMES, start=1)]
        body = (
            part.field("6")
            .str.replace(r"^(?:x?[0-9A-Fa-f]{2}|[^|=\s])\|", "")
            .str.replace_all(r"#011|\^", "\t")
        )
        both = pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"])
        found = (
            frame.select("at", body.str.split("\t").alias("pair"))
            .explode("pair", empty_as_null=False, keep_nulls=False)
            .filter(pl.col("pair").str.contains("=", literal=True))
            .select("at", both.alias("both"))
            .unnest("both")
            .with_columns(pl.col("key").str.strip_chars(), pl.col("value").str.strip_chars())
        )
        return [pairs.columns(frame.with_columns(header).drop("at", "_leef"), found)]


def leef(vendor: str = "") -> Leef:
    """The shape of LEEF lines; see `Leef`."""
    return Leef(vendor)
