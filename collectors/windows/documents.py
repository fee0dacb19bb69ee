"""JSON documents into frames, one frame a shape: documents with the same keys share a frame.

Windows events have hundreds of fields over all event ids and some thirty in each, so one wide frame
costs far more than many narrow ones. A line is read once by orjson; its *shape* (the keys of every
object in it, in order) names the frame, its leaves are one tuple, and a frame is the transposition
of its tuples. So no schema has to be guessed, a line that is no JSON costs only itself, and a number
keeps the digits that it had.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import polars as pl

Key = tuple[object, ...]
DEEPEST = 24


def frames(lines: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[pl.DataFrame]:
    """Frames of (row, document) pairs: `row` and a text (or list of text) column for each dotted leaf."""
    groups: dict[Key, list[tuple[Any, ...]]] = defaultdict(list)
    samples: dict[Key, dict[str, Any]] = {}
    with _no_collection():
        for row, document in lines:
            key: list[object] = []
            values: list[Any] = [row]
            _walk(document, key, values, DEEPEST)
            shape = tuple(key)
            if shape not in samples:
                samples[shape] = document
            groups[shape].append(tuple(values))
        for shape, rows in groups.items():
            yield _frame(samples[shape], rows)


def parsed(rows: Iterable[tuple[int, str | None]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The pairs whose text is a JSON object, read."""
    for row, line in rows:
        if not line:
            continue
        try:
            document = orjson.loads(line)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            continue
        if type(document) is dict:
            yield row, document


@contextmanager
def _no_collection() -> Iterator[None]:
    """Cyclic collection off: tens of thousands of live tuples hold no cycles but cost each pass."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _walk(node: dict[str, Any], key: list[object], values: list[Any], depth: int) -> None:
    """Append this object's keys to the shape and its leaves to the values, in one order."""
    key.append(tuple(node))
    for name, value in node.items():
        if type(value) is dict and value and depth:
            key.append(name)
            _walk(value, key, values, depth - 1)
        else:
            values.append(value)


def _names(node: dict[str, Any], prefix: str, depth: int = DEEPEST) -> Iterator[str]:
    for name, value in node.items():
        if type(value) is dict and value and depth:
            yield from _names(value, f"{prefix}{name}.", depth - 1)
        else:
            yield prefix + name


def _frame(sample: dict[str, Any], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    numbers, *columns = zip(*rows, strict=True)
    frame = {"row": pl.Series("row", numbers, dtype=pl.UInt32)}
    for name, values in zip(_names(sample, ""), columns, strict=True):
        frame.setdefault(name, _column(name, values))
    return pl.DataFrame(list(frame.values()))


def _column(name: str, values: tuple[Any, ...]) -> pl.Series:
    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        return pl.Series(name, values, dtype=pl.String)
    if list in kinds:
        return pl.Series(name, [_texts(value) for value in values], dtype=pl.List(pl.String))
    return pl.Series(name, [text_of(value) for value in values], dtype=pl.String)


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
