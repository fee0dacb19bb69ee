"""Rows of ECS columns as the JSON texts of their documents, without a Python object a row.

What `hinomi.ecs.documents` gives as objects, written natively. Rows that lack the same columns are written
together, because a document leaves out what is null.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import polars as pl

from hinomi import ecs

_PLAIN = (pl.String, pl.Int64, pl.Boolean, pl.List(pl.String), pl.List(pl.Int64), pl.List(pl.Boolean))
"""Types that Polars writes to JSON as orjson does; of floats it does so where they are finite."""
_FEW = 8
"""Rows that lack the same columns, on average, below which objects are quicker."""

Tree = dict[str, Any]


def texts(frame: pl.DataFrame) -> list[bytes]:
    """Of each row the document (see `hinomi.ecs.documents`) as JSON."""
    held = [column for column in frame if column.null_count() < frame.height]
    told = pl.DataFrame(held).with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
    if not held or not _plain(told):
        return _one_by_one(frame)
    groups = _alike(told)
    if len(groups) * _FEW > frame.height + _FEW:
        return _one_by_one(frame)
    found = [b"{}"] * frame.height
    for rows, columns in groups:
        if not columns:
            continue
        part = told.select(columns) if len(groups) == 1 else told.select(columns)[rows]
        for row, text in zip(rows.tolist(), _written(part), strict=True):
            found[row] = text
    return found


def _one_by_one(frame: pl.DataFrame) -> list[bytes]:
    return [orjson.dumps(document, default=str) for document in ecs.documents(frame)]


def _plain(frame: pl.DataFrame) -> bool:
    """Whether each column is of a type, and has a name, that is written natively as it is one by one."""
    names = frame.columns
    return (
        not any("*" in name or "^" in name or name.endswith(".value") or not name for name in names)
        and all(dtype in _PLAIN or dtype == pl.Float64 for dtype in frame.dtypes)
        and all(bool(column.is_finite().all()) for column in frame if column.dtype == pl.Float64)
        and not ecs.parted(frame)
    )


def _alike(frame: pl.DataFrame) -> list[tuple[np.ndarray[Any, np.dtype[np.int64]], list[str]]]:
    """(rows, columns that have a value in them), together all rows."""
    partly = [column.name for column in frame if column.null_count()]
    if not partly:
        return [(np.arange(frame.height), frame.columns)]
    absent = np.stack([frame[name].is_null().to_numpy() for name in partly], axis=1)
    _, firsts, groups = np.unique(np.packbits(absent, axis=1), axis=0, return_index=True, return_inverse=True)
    groups = groups.reshape(-1)
    found = []
    for number, first in enumerate(firsts.tolist()):
        lacking = {name for name, lacks in zip(partly, absent[first], strict=True) if lacks}
        found.append((np.flatnonzero(groups == number), [n for n in frame.columns if n not in lacking]))
    return found


def _written(frame: pl.DataFrame) -> list[bytes]:
    nested = pl.struct(list(_levels(_tree(frame.columns))))
    return frame.select(nested.struct.json_encode().cast(pl.Binary)).to_series().to_list()


def _tree(names: Sequence[str]) -> Tree:
    tree: dict[str | None, Any] = {}
    for name in names:
        node = tree
        for part in name.split(".", ecs.DEEPEST):
            node = node.setdefault(part, {})
        node[None] = name  # no sender can choose this name; an empty one it can
    return tree  # type: ignore[return-value]


def _levels(tree: Tree) -> Iterator[pl.Expr]:
    """The members of one level; a name that is both a value and a prefix keeps the value as `value`."""
    for name, below in tree.items():
        own = below.pop(None, None)
        inner = list(_levels(below))
        if not inner:
            yield pl.col(own).alias(name)
        else:
            value = [] if own is None else [pl.col(own).alias("value")]
            yield pl.struct(value + inner).alias(name)
