"""Patterns (`44*`) over what is no text: which whole numbers or times they mean, the same for every store.

Text is compared sign by sign, and each store does that by itself. A number or a time is not kept as text: only where a
pattern stands for ranges can both stores answer it, and answer it alike. What stands for none is refused in words.
"""

import re
from datetime import UTC, datetime, timedelta

from hinomi.errors import QueryError
from hinomi.store import values

_BEYOND = 2**63
_DIGITS = 19
"""A store holds whole numbers from -2**63 to 2**63 - 1, which have so many digits at most."""
_HEAD = re.compile(r"(-?)(0|[1-9][0-9]{0,18})")
_MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?)?)?)?"
)


def numbers(name: str, pattern: str) -> list[tuple[int, int]]:
    """`44*`: 44, 440-449, 4400-4499 … as ranges, both ends among them. Raises QueryError."""
    found = _HEAD.fullmatch(pattern.removesuffix("*"))
    if found is None or not pattern.endswith("*"):
        raise refused(name, pattern, "44*")
    below, head = bool(found[1]), int(found[2])
    if not head:
        return [] if below else [(0, 0)]
    largest = _BEYOND if below else _BEYOND - 1
    lowest = (head * 10**zeros for zeros in range(_DIGITS + 1 - len(found[2])))
    width = (10**zeros for zeros in range(_DIGITS))
    ranges = [
        (low, min(low + wide - 1, largest))
        for low, wide in zip(lowest, width, strict=False)
        if low <= largest
    ]
    return [(-high, -low) for low, high in ranges] if below else ranges


def moments(name: str, pattern: str) -> tuple[datetime, datetime]:
    """`2026-11-20*` (Japanese time): the first moment of that year, month, day, hour, minute or second, and the first
    behind it. Raises QueryError."""
    found = _MOMENT.fullmatch(pattern.removesuffix("*").rstrip("-:T"))
    if found is None or not pattern.endswith("*"):
        raise refused(name, pattern, "2026-11-20*")
    parts = [int(part) for part in found.groups() if part is not None]
    year, month, day, hour, minute, second = [*parts, *(0, 1, 1, 0, 0, 0)[len(parts) :]]
    try:
        first = datetime(year, month, day, hour, minute, second, tzinfo=values.ZONE)
    except ValueError:
        raise refused(name, pattern, "2026-11-20*") from None
    return values.within(first), values.within(_behind(first, len(parts)))


def _behind(first: datetime, parts: int) -> datetime:
    """Where the year (1 part), month (2), day … that begins at this moment ends."""
    if parts <= 2:
        months = first.year * 12 + first.month - 1 + (12 if parts == 1 else 1)
        if months >= 10_000 * 12:
            return datetime.max.replace(tzinfo=UTC)
        return first.replace(year=months // 12, month=months % 12 + 1)
    width = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))[parts - 3]
    try:
        return first + width
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def refused(name: str, pattern: str, such: str = "") -> QueryError:
    """The error of a pattern that stands for no ranges; such: one that does, where the field has any."""
    ja, en = (f"(先頭の一致「{such}」なら探せます)", f', only by a beginning: "{such}"') if such else ("", "")
    return QueryError(
        f"{name} は文字の項目ではないので、「{pattern}」のような一部一致では探せません{ja}。",
        f'{name} holds no text; it cannot be searched by a pattern such as "{pattern}"{en}',
    )
