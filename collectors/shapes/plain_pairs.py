"""The pairs of lines that are nothing but `key=value key="value"`, found byte by byte for all lines at once.

Nearly every line of a firewall is so plain: one blank between pairs, no backslash inside quotes, no quote inside
a bare value. Of those the pairs are known from where blanks, quotes and equals signs stand, at less than half of
what a regular expression costs that finds each pair. All others are left to the expression.
"""

import re

import numpy as np
import polars as pl

KEY = r"[A-Za-z0-9_.\-]+"
_BLANK, _EQUALS = ord(" "), ord("=")


def is_plain(quote: str, *, comma: bool) -> pl.Expr:
    """Whether `message` is nothing but plain pairs: then each reading of the line finds the same pairs."""
    mark = re.escape(quote)
    bare = rf"[^\s{mark}{',' if comma else ''}]*"
    pair = rf"{KEY}=(?:{mark}[^{mark}\\]*{mark}|{bare})"
    return pl.col("message").str.contains(rf"^{pair}(?: {pair})*$")


def plain_pairs(lines: pl.DataFrame, quote: str) -> pl.DataFrame:
    """`at`, `key`, `value` (without quotes) of every pair; lines: `at` and a plain `message`."""
    message = lines["message"]
    signs = np.frombuffer(message.str.join(" ").item().encode() + b" ", dtype=np.uint8)
    mark = ord(quote)
    places = np.flatnonzero((signs == _BLANK) | (signs == mark) | (signs == _EQUALS))
    kinds = signs[places]
    within = np.logical_xor.accumulate(kinds == mark)  # behind an odd number of quotes
    between = np.flatnonzero((kinds == _BLANK) & ~within)
    ends = places[between]
    starts = np.concatenate(([0], ends[:-1] + 1))
    equals = places[np.concatenate(([0], between[:-1] + 1))]  # no key holds a blank or a quote
    quoted = signs[equals + 1] == mark
    behind = np.cumsum(message.str.len_bytes().to_numpy().astype(np.int64) + 1)  # where the next line begins
    count = np.diff(np.searchsorted(ends, behind - 1), prepend=-1)
    line = np.repeat(np.arange(len(message), dtype=np.uint32), count)
    begin = np.concatenate(([0], behind[:-1]))[line]
    values = equals + 1 + quoted
    cuts = pl.DataFrame(
        {
            "at": lines["at"].gather(line),
            "message": message.gather(line).cast(pl.Binary),
            "key": starts - begin,
            "key_size": (equals - starts).astype(np.uint64),
            "value": values - begin,
            "value_size": (ends - quoted - values).astype(np.uint64),
        }
    )
    return cuts.select("at", _cut("key"), _cut("value"))


def _cut(name: str) -> pl.Expr:
    """The bytes of the message that start at the column's number."""
    return pl.col("message").bin.slice(pl.col(name), pl.col(f"{name}_size")).cast(pl.String).alias(name)
