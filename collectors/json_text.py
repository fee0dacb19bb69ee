"""JSON that a sender wrote, read into Python objects that may be walked through."""

from typing import Any

import orjson

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
    return value


def _openings(text: str | bytes) -> int:
    if isinstance(text, str):
        return text.count("{") + text.count("[")
    return text.count(b"{") + text.count(b"[")


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
