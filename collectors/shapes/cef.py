r"""ArcSight Common Event Format: `CEF:0|vendor|product|version|id|name|severity|key=value key=value`.

Source: ArcSight, "Implementing ArcSight Common Event Format", version 26. Values hold blanks and end where
the next ` key=` begins; `\=`, `\\`, `\n` and `\r` stand for the character, `\|` in the header likewise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes import pairs

HEADER = ("vendor", "product", "version", "class", "name", "severity")
_PART = r"((?:[^\\|]|\\.)*)\|"
# Relays that take "CEF" for a syslog tag leave the number alone in front.
_START = rf"(?s)((?:^|CEF:)\s?\d+(?:\.\d+)?\|{_PART * 6})"
_KEY = r"(?:^|\s)\s*([A-Za-z_][A-Za-z0-9_.\-\[\]]*)="
# Two control characters that no line has after this shape took them out.
_NEXT, _IS = "\x1e", "\x1f"


@dataclass(frozen=True, slots=True)
class Cef:
    """CEF behind any syslog header; the seven header fields become `cef.vendor` … `cef.severity`."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with the header's columns and a text column for each extension key."""
        split = syslog.split(intake)
        found = split.with_columns(pl.col("message").str.extract_groups(_START).alias("_cef"))
        frame = found.filter(pl.col("_cef").struct.field("1").is_not_null()).with_row_index("at")
        if not frame.height:
            return []
        part = pl.col("_cef").struct
        header = [_plain(part.field(str(n))).alias(f"cef.{name}") for n, name in enumerate(HEADER, start=2)]
        named = _extension(frame)
        return [pairs.columns(frame.with_columns(header).drop("at", "_cef"), named)]


def cef() -> Cef:
    """The shape of CEF lines."""
    return Cef()


def _extension(frame: pl.DataFrame) -> pl.DataFrame:
    """The pairs of the extension: at, key, value."""
    head = pl.col("_cef").struct.field("1")
    body = (
        pl.col("message")
        .str.replace(r"(?s)^.*?CEF:", "CEF:")  # what a relay wrote before
        .str.strip_prefix(head)
        .str.replace_all(f"[{_NEXT}{_IS}]", " ")
        .str.replace_all(_KEY, f"{_NEXT}$1{_IS}")
    )
    parts = frame.select("at", body.str.split(_NEXT).alias("pair")).explode(
        "pair", empty_as_null=False, keep_nulls=False
    )
    both = pl.col("pair").str.splitn(_IS, 2).struct.rename_fields(["key", "value"])
    named = parts.select("at", both.alias("both")).unnest("both").filter(pl.col("value").is_not_null())
    return named.with_columns(_plain(pl.col("value").str.strip_chars()))


def _plain(value: pl.Expr) -> pl.Expr:
    """A value with its escapes resolved."""
    return (
        value.str.replace_all(r"\\\\", _NEXT)
        .str.replace_all(r"\\([=|])", "$1")
        .str.replace_all(r"\\[nr]", "\n")
        .str.replace_all(_NEXT, "\\", literal=True)
    )
