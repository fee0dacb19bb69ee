"""Check Point's CEF, whole or with its first word cut off, and the quoted export, in one set of names."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import cef

_CEF = r"(?s)^.*?(?:CEF: ?)?0\|{1,2}Check Point\|"
_QUOTED = r'^"\d+" "\d{1,2}[A-Z][a-z]{2}\d{4}" "[\d:]+" '
_COLUMNS = ("number", "day", "hour", "ifname", "hostname", "kind", "act", "dpt", "spt", "src", "dst", "proto")


@dataclass(frozen=True, slots=True)
class CheckPoint:
    """A line is ours when it names Check Point as CEF's vendor or is a row of the quoted export."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """Frames with CEF's keys as columns."""
        split = syslog.split(intake)
        message = pl.col("message")
        whole = split.filter(message.str.contains(_CEF)).with_columns(
            message.str.replace(_CEF, "CEF:0|Check Point|").str.replace_all(r"\s*\n\s*", " ")
        )
        quoted = split.filter(message.str.contains(_QUOTED))
        return [*(cef().read(whole) if whole.height else []), *([_row(quoted)] if quoted.height else [])]


def _row(lines: pl.DataFrame) -> pl.DataFrame:
    values = pl.col("message").str.extract_all(r'"[^"]*"').list
    columns = [
        values.get(n, null_on_oob=True).str.strip_chars('"').alias(name) for n, name in enumerate(_COLUMNS)
    ]
    clock = pl.concat_str("day", "hour", separator=" ").alias("clock")
    return lines.with_columns(columns).with_columns(clock).drop("number", "day", "hour")
