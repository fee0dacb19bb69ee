"""From (row, key, value) to one column a key: the step that key=value and CEF share.

The pairs of all lines are split by key and gathered into place, so the cost is that of the pairs, however
many layouts the lines have. A hostile sender can invent keys; only the commonest `MAX_KEYS` become columns
(the raw line keeps the others).
"""

import numpy as np
import polars as pl

from collectors.source import ROW

MAX_KEYS = 600
_TAKEN = {ROW, "message", "received", "peer"}


def column_name(key: str) -> str:
    """The column of a key; names that the intake itself uses get a `_` behind them."""
    return f"{key}_" if key in _TAKEN or key.startswith("header.") else key


def columns(frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`frame` with one text column for each key of `pairs` (at: position in the frame, key, value).

    Of a key that a line has twice the first value counts.
    """
    found: dict[str, pl.Series] = {}
    for part in _commonest(pairs).partition_by("key", maintain_order=True):
        name = column_name(part["key"][0])
        found.setdefault(name, _in_place(part, frame.height).alias(name))
    return frame.with_columns(found.values())


def _commonest(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs of the commonest keys; of equally common ones those that come first."""
    if pairs["key"].n_unique() <= MAX_KEYS:
        return pairs
    keys = pairs.group_by("key", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    return pairs.join(keys.head(MAX_KEYS), on="key", how="semi", maintain_order="left")


def _in_place(part: pl.DataFrame, height: int) -> pl.Series:
    at = part["at"].to_numpy()
    values = part["value"]
    if part.height == height and (at == np.arange(height)).all():
        return values
    where = np.full(height, part.height, dtype=np.uint32)
    where[at[::-1]] = np.arange(part.height, dtype=np.uint32)[::-1]
    return values.append(pl.Series([None], dtype=pl.String)).gather(pl.Series(where))
