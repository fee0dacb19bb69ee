"""What a searcher wrote as a number or a time, read the same for every store."""

from datetime import UTC, datetime
from math import isfinite

from hinomi.clock import JST
from hinomi.errors import QueryError

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
    """The number that a text is; None: it is none, or an infinite one."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


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
