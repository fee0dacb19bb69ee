"""What a searcher wrote as a number or a time, read the same for every store."""

import re
from datetime import UTC, datetime
from math import inf, isfinite

from hinomi.clock import JST
from hinomi.errors import QueryError

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
ZONE = JST
"""Of a time that is written without one."""
_FIRST, _LAST = datetime(1677, 9, 22, tzinfo=UTC), datetime(2262, 4, 11, tzinfo=UTC)
"""Between these lie all times that 64 bits of nanoseconds can tell."""


def number(name: str, value: str) -> float:
    """A number to compare a field with, no infinite one. Raises QueryError."""
    if (found := finite(value)) is None:
        raise QueryError(
            f"{name} と比べる「{value}」は数ではありません。",
            f'"{value}" compared with {name} is not a number',
        )
    return found


def finite(text: str) -> float | None:
    """The number that a text is, in ASCII's digits; None: it is none, or an infinite one."""
    found = float(text) if _NUMBER.fullmatch(text) else inf
    return found if isfinite(found) else None


def truth(text: str) -> bool | None:
    """The truth value that a text is; None: it is none."""
    lowered = text.lower()
    return lowered in _TRUE if lowered in _TRUE | _FALSE else None


def time(name: str, value: str) -> datetime:
    """A moment to compare a field with; without a zone it is Japanese time; one that no event can have is the
    first or last that it can. Raises QueryError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(
            f"{name} と比べる「{value}」は日時(例: 2026-11-20T03:14)ではありません。",
            f'"{value}" compared with {name} is not a time such as 2026-11-20T03:14',
        ) from None
    return within(moment if moment.tzinfo else moment.replace(tzinfo=ZONE))


def within(moment: datetime) -> datetime:
    """The nearest moment that an event can have, in UTC."""
    return min(max(moment, _FIRST), _LAST).astimezone(UTC)
