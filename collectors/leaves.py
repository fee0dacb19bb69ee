"""The leaves of objects as columns under their dotted names: what a vendor wrote, kept as the vendor named it.

Read a level at a time, so that Python works once an object and not once a value: of a frame's documents nearly all have
the same names. What does not fit this (too many names, a name with a dot that is also a path) is read leaf by leaf.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from collectors.framed import MOST_VENDOR_COLUMNS, frame_of, level, plain_name, typed

DEEPEST = 6
"""Objects inside one another that are taken apart; what is deeper stays JSON."""


_PLAIN = {int, float, bool, type(None)}
"""Values that stand for themselves."""


def leaf_columns(nodes: Sequence[Mapping[str, Any] | None], prefix: str = "") -> list[pl.Series]:
    """A column for each leaf that any of these objects has: text, lists of text, or the JSON text of what is deeper."""
    found: dict[str, pl.Series] = {}
    if _columns(prefix, nodes, DEEPEST, found):
        return list(found.values())
    return frame_of([leaves_of(node or {}, prefix) for node in nodes]).get_columns()


def _columns(
    prefix: str, nodes: Sequence[Mapping[str, Any] | None], depth: int, found: dict[str, pl.Series]
) -> bool:
    """Add the columns below these objects; False when leaf by leaf is the only way."""
    names, cells = level(nodes)
    if len(found) + len(names) > MOST_VENDOR_COLUMNS:
        return False
    for name, values in zip(names, cells, strict=True):
        path = prefix + name
        kinds = set(map(type, values))
        if dict in kinds and depth:
            inner = [value if type(value) is dict else None for value in values]
            if not _columns(f"{path}.", inner, depth - 1, found):
                return False
        if not kinds <= {dict, type(None)} or (dict in kinds and not depth):
            if not path or path in found or plain_name(path) != path:
                return False
            found[path] = _column(path, values, kinds, depth)
    return True


def _column(path: str, values: Sequence[Any], kinds: set[type], depth: int) -> pl.Series:
    if kinds <= {str, type(None)}:
        texts = pl.Series(path, values, dtype=pl.String)
        return texts.replace("", None) if "" in values else texts
    if kinds <= _PLAIN:
        return typed(path, values)
    return typed(path, [_leaf(value, depth) for value in values])


def _leaf(value: Any, depth: int) -> Any:
    """What a value is as a leaf: nothing where it is empty, or where its own leaves stand for it."""
    kind = type(value)
    if kind is dict:
        return None if depth else _json(value)
    if kind is list:
        return None if not value else value if _plain(value) else _json(value)
    return None if value == "" else value


def _plain(values: list[Any]) -> bool:
    return not any(type(one) is dict or type(one) is list for one in values)


def leaves_of(node: Mapping[str, Any], prefix: str = "", depth: int = DEEPEST) -> dict[str, Any]:
    """Dotted name → value of an object's leaves: text, lists of text, or JSON text of what is deeper."""
    found: dict[str, Any] = {}
    _gather(node, prefix, depth, found)
    return found


def _gather(node: Mapping[str, Any], prefix: str, depth: int, found: dict[str, Any]) -> None:
    """Into one mapping, not through a generator a level: this is where much of the time of a document goes."""
    for key, value in node.items():
        kind = type(value)
        if kind is str:
            if value:
                found[prefix + key] = value
        elif kind is dict:
            if depth:
                _gather(value, f"{prefix}{key}.", depth - 1, found)
            else:
                found[prefix + key] = _json(value)
        elif kind is list:
            if value:
                found[prefix + key] = value if _plain(value) else _json(value)
        elif value is not None:
            found[prefix + key] = value


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
