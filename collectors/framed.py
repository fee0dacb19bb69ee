"""A frame out of mappings: a column for each name, in the type that its name has."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import polars as pl

from hinomi import ecs

MOST_VENDOR_COLUMNS = 1500


def plain_name(name: str) -> str:
    """A column name out of a sender's text: without what Polars would read as a pattern (`*`, `^…$`)."""
    return name.replace("*", "_").replace("^", "_") if "*" in name or "^" in name else name


def level(nodes: Sequence[Mapping[str, Any] | None]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """The names of these objects, and the values of each name; quick when all have the same names in order."""
    shapes = {tuple(node) for node in nodes if node}
    if len(shapes) == 1 and all(nodes):
        return shapes.pop(), zip(*[node.values() for node in nodes if node], strict=True)
    names = tuple(dict.fromkeys(name for shape in shapes for name in shape))
    full = [node or {} for node in nodes]
    return names, ([node.get(name) for node in full] for name in names)


def frame_of(documents: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame from flat mappings, each column in its ECS type; values that do not fit become null.

    Of names that ECS does not know the commonest `MOST_VENDOR_COLUMNS` become columns: senders choose names,
    and each name costs a cell in every row. `event.original` keeps the rest.
    """
    rows = list(documents)
    names, cells = level(rows)
    if any(plain_name(name) != name for name in names):
        return frame_of([{plain_name(name): value for name, value in row.items()} for row in rows])
    if len(names) > MOST_VENDOR_COLUMNS:
        names = _commonest(rows)
        cells = ([row.get(name) for row in rows] for name in names)
    columns = [typed(name, values) for name, values in zip(names, cells, strict=True)]
    return pl.DataFrame(columns) if columns else pl.DataFrame({"_": [None] * len(rows)}).drop("_")


def _commonest(rows: list[Mapping[str, Any]]) -> list[str]:
    counted = Counter(name for row in rows for name in row)
    known = ecs.fields()
    vendor = Counter({name: n for name, n in counted.items() if name not in known})
    kept = {name for name, _ in vendor.most_common(MOST_VENDOR_COLUMNS)}
    return [name for name in counted if name in known or name in kept]


def typed(name: str, values: Sequence[Any]) -> pl.Series:
    """The values as a column in the type that its name has: that of ECS, else text (of several values: `ecs.BETWEEN`)."""
    kinds = set(map(type, values))
    known = ecs.column_type(name)
    want = known or pl.String()
    if kinds == {type(None)}:
        return pl.repeat(None, len(values), dtype=want, eager=True).alias(name)
    if known is None and kinds & {list, tuple}:
        return pl.Series(name, [_one_text(value) for value in values], dtype=pl.String)
    if isinstance(want, pl.List):
        return _lists(name, values).cast(want, strict=False)
    if isinstance(want, pl.Datetime) and kinds <= _TIMES:
        return _times(name, values)
    if kinds <= _TEXTS:
        return pl.Series(name, values, dtype=pl.String)
    if kinds <= _NUMBERS:
        return _numbers(name, values, want)
    return pl.Series(name, [_as_text(value) for value in values], dtype=pl.String)


_TEXTS = {str, type(None)}
_TIMES = {datetime, type(None)}
_NUMBERS = {int, float, type(None)}
_EPOCH, _STEP = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _times(name: str, values: Sequence[datetime | None]) -> pl.Series:
    """A column of times, in UTC where they name no zone. Counted here: Polars asks Python's zone of each, at thrice the cost."""
    counts = [
        None if one is None else ((one if one.tzinfo else one.replace(tzinfo=UTC)) - _EPOCH) // _STEP
        for one in values
    ]
    return pl.Series(name, counts, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def _numbers(name: str, values: Sequence[float | None], want: pl.DataType) -> pl.Series:
    if isinstance(want, pl.Int64) and set(map(type, values)) <= {int, type(None)}:
        with suppress(OverflowError, TypeError):
            return pl.Series(name, values, dtype=pl.Int64)
    return pl.Series(name, [None if one is None else str(one) for one in values], dtype=pl.String)


def _one_text(value: Any) -> str | None:
    """A vendor's value as text; the values of a list with a sign between them, without the empty ones beside others."""
    if not isinstance(value, (list, tuple)):
        return _as_text(value)
    texts = [text for item in value if (text := _as_text(item)) is not None]
    return _joined([text for text in texts if text] or texts[:1]) if texts else None


def _lists(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of lists. One text that is split again is ten times faster than a list of Python objects a row."""
    if _alike(values):
        return _lists(name, values[:1]).new_from_index(0, len(values))
    texts = [None if (items := _as_list(value)) is None else _joined(items) for value in values]
    return pl.Series(name, texts, dtype=pl.String).str.split(ecs.BETWEEN)


def _alike(values: Sequence[Any]) -> bool:
    """Whether all are the same list of texts: what a kind of record means is often the same for all of it."""
    first = values[0] if len(values) > 1 else None
    return type(first) is list and set(map(type, first)) == {str} and values.count(first) == len(values)


def _joined(items: list[str]) -> str:
    whole = ecs.BETWEEN.join(items)
    if whole.count(ecs.BETWEEN) != len(items) - 1:
        return ecs.BETWEEN.join(item.replace(ecs.BETWEEN, " ") for item in items)
    return whole


def _as_list(value: Any) -> list[str] | None:
    if value is None or value == []:
        return None
    items = value if isinstance(value, (list, tuple)) else [value]
    return [text for item in items if (text := _as_text(item)) is not None]


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list, tuple)):
        return orjson.dumps(value, default=str).decode()
    return str(value)
