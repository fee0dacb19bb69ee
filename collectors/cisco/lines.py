"""ASA and FTD lines split into raw fields: each message id by its own text, all lines of an id at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from collectors import syslog
from collectors.cisco.messages import COMMON, MESSAGES
from collectors.shapes import pairs

_TAG = (
    r"%(?P<product>ASA|FTD|PIX|FWSM|NGIPS)(?:<\w+>)?-(?:[a-z]\w*-|-)?(?P<severity>\d)-(?P<id>\d{6})(?:: ?| )"
)
_UNTAGGED = r"^\s*(?:Group <[^>]*> User <|Group = |TunnelGroup <|Tunnel group search )"
_FTD_KEY = r"(?:^|, ?)([A-Z][A-Za-z0-9_]*(?: [A-Z][A-Za-z]*)?): "
_NEXT, _IS = "\x1e", "\x1f"


@dataclass(frozen=True, slots=True)
class CiscoLines:
    """Lines with `%ASA-…` or `%FTD-…`, and VPN session texts whose tag a relay took off."""

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame: `severity`, `id`, `product`, `text` and the named groups of the messages."""
        split = syslog.split(intake)
        tag = pl.col("message").str.extract_groups(_TAG)
        text = pl.col("message").str.replace(rf"^.*?{_TAG}", "").str.strip_chars()
        frame = split.with_columns(tag.alias("_tag"), text.alias("text")).unnest("_tag")
        ours = pl.col("id").is_not_null() | pl.col("message").str.contains(_UNTAGGED)
        parts = list(_by_text(frame.filter(ours)))
        return [pl.concat(parts, how="diagonal")] if parts else []


def _by_text(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The lines in groups that one text reads; the last group is what nothing read."""
    rest = frame
    for message_id in frame["id"].drop_nulls().unique():
        if message_id in ("430001", "430002", "430003", "430004", "430005"):
            yield _ftd(rest.filter(pl.col("id") == message_id))
            rest = rest.filter(pl.col("id").ne_missing(message_id))
            continue
        pattern = _texts().get(message_id)
        if pattern is not None:
            mine = (pl.col("id") == message_id) & pl.col("text").str.contains(pattern)
            yield _groups(rest.filter(mine), pattern)
            rest = rest.filter(~mine.fill_null(False))
    for pattern in COMMON:
        if rest.height:
            mine = pl.col("text").str.contains(pattern)
            yield _groups(rest.filter(mine), pattern)
            rest = rest.filter(~mine)
    if rest.height:
        yield rest


def _groups(frame: pl.DataFrame, pattern: str) -> pl.DataFrame:
    return frame.with_columns(pl.col("text").str.extract_groups(pattern).alias("_found")).unnest("_found")


def _ftd(frame: pl.DataFrame) -> pl.DataFrame:
    """Connection and intrusion events of FTD: `Key: value, Key: value`."""
    at = frame.with_row_index("at")
    text = pl.col("text").str.replace_all(f"[{_NEXT}{_IS}]", " ").str.replace_all(_FTD_KEY, f"{_NEXT}$1{_IS}")
    found = at.select("at", text.str.split(_NEXT).alias("pair")).explode(
        "pair", empty_as_null=False, keep_nulls=False
    )
    both = pl.col("pair").str.splitn(_IS, 2).struct.rename_fields(["key", "value"])
    named = found.select("at", both.alias("both")).unnest("both").filter(pl.col("value").is_not_null())
    key = pl.format("ftd.{}", pl.col("key").str.replace_all(" ", "", literal=True))
    return pairs.columns(frame, named.with_columns(key.alias("key")))


@cache
def _texts() -> dict[str, str]:
    """Message id → text, the ranges of the table written out."""
    found: dict[str, str] = {}
    for ids, pattern in MESSAGES.items():
        for part in ids.split():
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[str(number)] = pattern
    return found
