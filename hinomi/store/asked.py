"""What a question to either store must be, said in the same words: where a page goes on, where a histogram's bars start."""

import re
from datetime import datetime, timedelta

from hinomi import ecs, query
from hinomi.errors import QueryError, StoreError
from hinomi.store.protocols import Span

_PLACE = re.compile(r"(-?[0-9]{1,19})(?:\*([0-9]{1,15}))?")
_LATEST = 2**63 - 2
"""Nanoseconds since 1970 in 64 bits, of which the last number stands for no time."""


CODES = frozenset({"error.code", "event.code", "network.inner.vlan.id", "network.vlan.id", "rule.id"})
"""Of ECS's texts those that are mostly numbers: they can be compared with one, as a vendor's can."""


def parsed(text: str) -> query.Node:
    """The query of a text. Raises QueryError, also for what only one of the stores could answer."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise QueryError(
            f"検索式の {error.start + 1} 文字目は文字ではありません(対になっていない符号です)。",
            f"column {error.start + 1} is no character (half of a surrogate pair)",
        ) from None
    node = query.parse(text)
    _check(node)
    return node


def kind(name: str) -> ecs.Kind:
    """A field's kind: as ECS says, `keyword` for all that ECS does not know."""
    field = ecs.fields().get(name)
    return field.kind if field is not None else "keyword"


def is_counted(name: str) -> bool:
    """Whether a field's values can be compared with a number."""
    return kind(name) in {"long", "float"} or name in CODES or ecs.several(name)


def _check(node: query.Node) -> None:
    match node:
        case query.And(parts) | query.Or(parts):
            for part in parts:
                _check(part)
        case query.Not(part):
            _check(part)
        case query.Compare(name) if kind(name) != "date" and not is_counted(name):
            raise QueryError(
                f"{name} は数や日時の項目ではないので、大小では探せません。",
                f"{name} holds neither numbers nor times; it cannot be compared with <, <=, >, >=",
            )
        case query.Within(name, network):
            _check_range(name, network.version)


def _check_range(name: str, version: int) -> None:
    if kind(name) not in {"ip", "keyword"}:
        raise QueryError(
            f"{name} はアドレスの項目ではないので、アドレスの範囲では探せません。",
            f"{name} holds no addresses; it cannot be searched by an address range",
        )
    if version == 6 and kind(name) != "ip":
        raise QueryError(
            f"{name} はアドレスの項目ではないので、IPv6 の範囲では探せません。前方一致(例: 2001:db8:*)で書いてください。",
            f"{name} is no address field; write a prefix such as 2001:db8:* instead of an IPv6 range",
        )


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
