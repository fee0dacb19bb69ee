"""JSON that a sender wrote, read into Python objects that may be walked through.

Texts in it hold no `ecs.BETWEEN`: that sign stands between several values of a field, and no sender parts his text by it.
"""

from collections.abc import Callable
from typing import Any

import orjson
import polars as pl

from hinomi import ecs

DEEPEST = 100
"""Levels inside one another that are read. No product writes twenty; Python gives up at some hundreds, and a line must not
take others with it."""


class UnreadableError(ValueError):
    """No JSON, or nested deeper than anybody means."""


def read(text: str | bytes) -> Any:
    """The value of a JSON text. Raises UnreadableError."""
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise UnreadableError from error
    # Signs are counted first: that costs a hundredth of the reading, and nearly no text has so many.
    if _openings(text) > DEEPEST and _deep(value):
        raise UnreadableError
    return _unparted(value) if _may_part(text) else value


def reader(texts: pl.Series) -> Callable[[str], Any]:
    """`read` for these texts (String): where none of them can go too deep or hold the sign, without asking each of it."""
    text = pl.col(texts.name)
    openings = text.str.count_matches("{", literal=True) + text.str.count_matches("[", literal=True)
    parting = text.str.contains("\\u001", literal=True)
    asked = texts.to_frame().select(openings.max().alias("deepest"), parting.any().alias("parting"))
    deepest, parts = asked.row(0)
    return read if parts or (deepest or 0) > DEEPEST else _read_plain


def _read_plain(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise UnreadableError from error


def _openings(text: str | bytes) -> int:
    if isinstance(text, str):
        return text.count("{") + text.count("[")
    return text.count(b"{") + text.count(b"[")


def _may_part(text: str | bytes) -> bool:
    """Whether a text of it may hold the sign, which JSON writes as an escape only."""
    return "\\u001" in text if isinstance(text, str) else b"\\u001" in text


def _unparted(value: Any) -> Any:
    """The value with a blank for each such sign in its texts."""
    if type(value) is str:
        return value.replace(ecs.BETWEEN, " ")
    if type(value) is dict:
        return {name: _unparted(one) for name, one in value.items()}
    return [_unparted(one) for one in value] if type(value) is list else value


def _deep(value: Any) -> bool:
    inner = [value]
    for _ in range(DEEPEST):
        inner = [
            one
            for node in inner
            for one in (node.values() if type(node) is dict else node)
            if type(one) is dict or type(one) is list
        ]
        if not inner:
            return False
    return True
