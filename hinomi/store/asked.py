"""What a question to either store must be, said in the same words: where a page goes on, where a histogram's bars start."""

import re
from datetime import datetime, timedelta

from hinomi.errors import StoreError
from hinomi.store.protocols import Span

_PLACE = re.compile(r"(-?[0-9]{1,19})(?:\*([0-9]{1,15}))?")
_LATEST = 2**63 - 2
"""Nanoseconds since 1970 in 64 bits, of which the last number stands for no time."""


def token(time: int, identity: str, seen: int = 1) -> str:
    """What asks for the page behind a row of this time, as the store counts it, and this id. seen: how many rows of both
    were given, where senders use an id more than once."""
    return f"{time}{f'*{seen}' if seen > 1 else ''}|{identity}"


def behind(given: str) -> tuple[int, str, int]:
    """Time, id and how many of both, as a token names them. Raises StoreError: it may come from anybody."""
    place, _, identity = given.partition("|")
    found = _PLACE.fullmatch(place)
    if not found or abs(int(found[1])) > _LATEST:
        raise StoreError("続きの印が正しくありません。", "the page token is not valid")
    return int(found[1]), identity, int(found[2] or 1)


def bars(span: Span, interval: timedelta) -> list[datetime]:
    """Where each bar starts, one at least. Raises StoreError where the span is open."""
    if span.start is None or span.end is None:
        raise StoreError(
            "ヒストグラムには期間の始めと終わりが必要です。", "a histogram needs both ends of its span"
        )
    number = max(1, -(-(span.end - span.start) // interval))
    return [span.start + interval * n for n in range(number)]
