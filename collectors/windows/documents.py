"""JSON documents into frames of dotted text columns, a column at a time.

Windows events have hundreds of fields over all event ids and some thirty in each, so one wide frame
costs far more than many narrow ones: callers hand in documents of one kind. orjson reads each line
once; the dictionaries are then turned to columns level by level, so that Python works per object and
not per value. No schema is guessed, a line that is no JSON costs only itself, a number keeps its digits.
Polars' own reader with an explicit schema made 70,000 lines/s of the same Sysmon events, but only
after the schema is known and while no line breaks it; this makes 64,000 (1.7 KB each, one core).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson
import polars as pl
import pyarrow as pa

from collectors import json_text
from collectors.framed import level, plain_name
from hinomi.collecting import no_collection

DEEPEST = 24
_LISTS = pa.large_list(pa.large_string())
_CHUNK = 128
"""Documents held at a time. 128 made 64,000 lines/s where 2,048 made 50,000 (Sysmon 1, 1.7 KB each)."""
_WIDEST = 2_000
_CELLS = 400_000
"""Most cells of a frame before it is split: documents that share no keys would make a square."""


Pair = tuple[int, dict[str, Any]]
Framed = tuple[str, pl.DataFrame]


def _same(document: dict[str, Any]) -> str:
    return ""


def parsed(rows: Iterable[tuple[int, str | None]]) -> Iterator[Pair]:
    """The pairs whose text is a JSON object of a sane width, read."""
    read = json_text.read
    for row, line in rows:
        if not line:
            continue
        try:
            document = read(line)
        except json_text.UnreadableError:
            continue
        if type(document) is dict:
            yield row, document


def frames(pairs: Iterable[Pair], kind: Callable[[dict[str, Any]], str] = _same) -> Iterator[Framed]:
    """(kind, frame) of (row, document) pairs: `row`, and a text or list-of-text column for each dotted leaf.

    kind: documents of different kinds never share a frame. Read in small chunks: a chunk's dictionaries
    stay in the processor's cache and die there, which is twice as fast as holding them all.
    """
    alike: dict[tuple[str, tuple[object, ...]], list[pl.DataFrame]] = {}
    with no_collection():
        for name, chunk in _chunks(pairs, kind):
            for frame in _frames(chunk):
                alike.setdefault((name, tuple(frame.schema.items())), []).append(frame)
    for (name, _), parts in alike.items():
        yield name, pl.concat(parts, rechunk=True)


def _chunks(pairs: Iterable[Pair], kind: Callable[[dict[str, Any]], str]) -> Iterator[tuple[str, list[Pair]]]:
    waiting: dict[str, list[Pair]] = {}
    for pair in pairs:
        chunk = waiting.setdefault(name := kind(pair[1]), [])
        chunk.append(pair)
        if len(chunk) >= _CHUNK:
            yield name, waiting.pop(name)
    yield from waiting.items()


def _frames(pairs: Sequence[Pair]) -> Iterator[pl.DataFrame]:
    columns: dict[str, pl.Series] = {}
    if not _flatten("", [document for _, document in pairs], columns, DEEPEST):
        if len(pairs) > 1:
            yield from _frames(pairs[: len(pairs) // 2])
            yield from _frames(pairs[len(pairs) // 2 :])
        return
    columns.pop("row", None)
    rows = pl.Series("row", [row for row, _ in pairs], dtype=pl.UInt32)
    yield pl.DataFrame([rows, *columns.values()])


def _flatten(prefix: str, nodes: Sequence[Any], columns: dict[str, pl.Series], depth: int) -> bool:
    """Add the columns below these objects (None where there is none); False when there are too many."""
    names, values = level(nodes)
    if len(names) > _WIDEST or len(columns) * len(nodes) > _CELLS or len(names) * len(nodes) > _CELLS:
        return False
    for name, cells in zip(names, values, strict=True):
        path = prefix + plain_name(name)
        kinds = set(map(type, cells))
        if dict in kinds and depth:
            inner = [cell if type(cell) is dict else None for cell in cells]
            if not _flatten(f"{path}.", inner, columns, depth - 1):
                return False
            if kinds <= {dict, type(None)}:
                continue
            cells = [None if type(cell) is dict else cell for cell in cells]
            kinds.discard(dict)
        columns[path] = _column(path, cells, kinds)
    return True


def _column(name: str, cells: Sequence[Any], kinds: set[type]) -> pl.Series:
    kinds = kinds - {type(None)}
    if kinds == {str} or not kinds:
        return pl.Series(name, cells, dtype=pl.String)
    if kinds == {int}:
        try:
            return pl.Series(name, cells, dtype=pl.Int64).cast(pl.String)
        except (OverflowError, TypeError):
            pass
    if list in kinds:
        # Polars makes a Series of each inner list; Arrow makes one array.
        return pl.Series(name, pa.array([_texts(cell) for cell in cells], _LISTS))
    return pl.Series(name, [text_of(cell) for cell in cells], dtype=pl.String)


def _texts(value: Any) -> list[str | None] | None:
    if value is None:
        return None
    return [text_of(item) for item in value] if type(value) is list else [text_of(value)]


def text_of(value: Any) -> str | None:
    """A JSON value as the text that Windows would show: numbers as digits, booleans in lower case."""
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode() if value else None
    return str(value)
