"""Columns that a log-source table makes of others: out of a list of objects, or the first of several with a value.

    gcp.audit.protoPayload.authorizationInfo[].permission   the key of each object of a list that is kept as JSON text
    azure.activitylogs.category.value|azure.activitylogs.category   the first of these columns that has a value

Only rules that ask for such a column pay for it, once a batch and distinct text.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl

from hinomi import ecs

_LIST = "[]."
_EITHER = "|"


def bases(name: str) -> list[str]:
    """The plain columns that a column is made of; none where it is a plain one itself."""
    if _EITHER not in name and _LIST not in name:
        return []
    return [one.partition(_LIST)[0] for one in name.split(_EITHER)]


def column(frame: pl.DataFrame, name: str) -> pl.Series | None:
    """The column of that name, made where it is no plain one; None where the frame has nothing to make it of."""
    if name in frame.columns:
        return frame.get_column(name)
    if _EITHER in name:
        held = [found for one in name.split(_EITHER) if (found := column(frame, one)) is not None]
        return _first(held)
    base, listed, path = name.partition(_LIST)
    if listed and base in frame.columns:
        return _inner(frame.get_column(base), path.replace("[]", "").split("."))
    return None


def _first(columns: list[pl.Series]) -> pl.Series | None:
    if not columns:
        return None
    return (
        pl.DataFrame([_texts(one).alias(str(n)) for n, one in enumerate(columns)])
        .select(pl.coalesce(pl.all()))
        .to_series()
    )


def _texts(column: pl.Series) -> pl.Series:
    """A text a row: of a list its values with `ecs.BETWEEN` between them, none of an empty one."""
    if not isinstance(column.dtype, pl.List):
        return column.cast(pl.String, strict=False)
    values = column.cast(pl.List(pl.String)).list.drop_nulls()
    return values.list.join(ecs.BETWEEN).set(values.list.len() == 0, None)


def _inner(column: pl.Series, path: list[str]) -> pl.Series:
    """For each JSON text the values at the path, through every list on the way."""
    texts = _texts(column)
    known = {text: list(_all_values(text, path)) for text in texts.unique().drop_nulls().to_list()}
    return pl.Series([known.get(text) for text in texts.to_list()], dtype=pl.List(pl.String))


def _all_values(text: str, path: list[str]) -> Iterator[str]:
    for one in text.split(ecs.BETWEEN):
        yield from _values(_parsed(one), path)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _values(node: Any, path: list[str]) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _values(one, path)
    elif path:
        if isinstance(node, dict):
            yield from _values(node.get(path[0]), path[1:])
    elif node is not None:
        yield node if isinstance(node, str) else orjson.dumps(node).decode()
