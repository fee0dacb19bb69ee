"""How records are found and ordered in the cluster, with the same meaning as over SQLite.

Each single value of a body is indexed as one word (`pairs`), by which candidates are found; that they match is seen in
the body itself. The values that lists are ordered by (`order`) are written so that their order as text is theirs:
nothing, then numbers, then text.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from hinomi.store.protocols import Record

_SHORT = 200
_ORDERED, _DEEP, _MANY = 64, 2, 500
"""Of a text so many characters are ordered by, of names so many levels; a body with more values than that is a table,
which nobody orders by its cells."""
_SIGN = 1 << 63


def words(body: Mapping[str, Any]) -> set[str]:
    """What a record can be found by: `path=value` for each single value in it."""
    return {_word(path, value) for path, value in _values(body)}


def _values(body: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        here = f"{path}{name}"
        if isinstance(value, Mapping):
            yield from _values(value, f"{here}.")
        elif value is not None and not isinstance(value, (list, tuple)):
            yield here, value


def _word(path: str, value: Any) -> str:
    """Numbers and truth values are one thing, as in SQLite; long values are found by their digest."""
    text = f"{path}={float(value)!r}" if isinstance(value, (bool, int, float)) else f"{path}:{value}"
    return text if len(text) <= _SHORT else sha256(text.encode()).hexdigest()


def places(body: Mapping[str, Any]) -> dict[str, str]:
    """What a record can be ordered by: path → its place as text."""
    found = {path: _place(value) for path, value in _values(body) if _can_order(path)}
    return found if len(found) <= _MANY else {}


def _can_order(path: str) -> bool:
    """Whether anybody would order by it, and Elasticsearch can take it as a key."""
    return path.count(".") < _DEEP and 0 < len(path) <= _SHORT and "\0" not in path


def _place(value: Any) -> str:
    if isinstance(value, (bool, int, float)):
        bits = int.from_bytes(struct.pack(">d", float(value) + 0.0))
        return f"1{bits ^ (_SIGN | (_SIGN - 1) if bits & _SIGN else _SIGN):016x}"
    return f"2{str(value)[:_ORDERED]}"


def sorting(order: str) -> list[dict[str, Any]]:
    """Elasticsearch's sort for an order as `Records.find` takes it; equals by id."""
    by_id: dict[str, Any] = {"id": "asc"}
    if not order:
        return [by_id]
    falling = order.startswith("-")
    how = {"order": "desc" if falling else "asc", "missing": "_last" if falling else "_first"}
    return [{f"order.{order.lstrip('-')}": how}, by_id]


def candidates(where: Mapping[str, Any], after: str = "") -> dict[str, Any]:
    """A query for all records that can match, behind an id; values of None are not looked for."""
    filters: list[dict[str, Any]] = [{"range": {"id": {"gt": after}}}] if after else []
    for path, wanted in where.items():
        values = _several(wanted)
        if None not in values:
            filters.append({"terms": {"pairs": [_word(path, value) for value in values]}})
    return {"bool": {"filter": filters}} if filters else {"match_all": {}}


def is_exact(where: Mapping[str, Any]) -> bool:
    """Whether all candidates match, so that the cluster can count and skip them."""
    return not any(None in _several(wanted) for wanted in where.values())


def _several(wanted: Any) -> Sequence[Any]:
    return list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]


def condition(where: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a body matches."""
    wanted = [
        (path, _several(value), isinstance(value, (list, tuple, set, frozenset)))
        for path, value in where.items()
    ]

    def holds(body: Mapping[str, Any]) -> bool:
        for path, values, several in wanted:
            found = _at(body, path)
            if found is None:
                if several or None not in values:
                    return False
            elif isinstance(found, (Mapping, list)) or found not in values:
                return False
        return True

    return holds


def _at(body: Mapping[str, Any], path: str) -> Any:
    node: Any = body
    for part in path.split("."):
        if not isinstance(node, Mapping):
            return None
        node = node.get(part)
    return node


def ordering(path: str) -> Callable[[Record], tuple[int, Any]]:
    """As SQLite orders: nothing, then numbers, then text."""

    def key(record: Record) -> tuple[int, Any]:
        value = _at(record.body, path)
        if value is None:
            return (0, 0)
        return (1, value) if isinstance(value, (bool, int, float)) else (2, str(value))

    return key
