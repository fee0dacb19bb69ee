"""JSON, one object a line, as text columns by dotted path: for what a table of columns can describe.

Documents of the same names are taken apart together, so that Python works once an object and not once a value.
Documents with invented names, or with a name that is also a path, are read leaf by leaf; the columns are the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import polars as pl

from collectors import json_text
from collectors.framed import level, plain_name
from collectors.shapes.pairs import MAX_KEYS, column_name
from hinomi import ecs
from hinomi.collecting import no_collection

_DEEPEST = 24
_ALIKE = 32
"""Documents of the same names, on average, from which it pays to take them apart together."""

Document = dict[str, Any]
Nodes = Sequence[Document | None]


@dataclass(frozen=True, slots=True)
class JsonFields:
    """A line is ours when it holds a JSON object (a syslog header before it is skipped).

    lists: paths whose lists become values with `SEPARATOR` between them; others become JSON text.
    """

    lists: frozenset[str] = frozenset()

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each path that any document has, at most the commonest 600."""
        with no_collection():
            read = json_text.reader(intake["message"])
            found = [_document(text, read) for text in intake["message"].to_list()]
            ours = [row for row, document in enumerate(found) if document is not None]
            documents = [document for document in found if document is not None]
            return [_texts(intake[ours], documents, self.lists)] if ours else []


def json_fields(lists: Iterable[str] = ()) -> JsonFields:
    """The shape of JSON lines that are read by path."""
    return JsonFields(frozenset(lists))


def _document(text: str | None, read: Callable[[str], Any]) -> Document | None:
    start = text.find("{") if text else -1
    if text is None or start < 0:
        return None
    try:
        value = read(text[start:] if start else text)
    except json_text.UnreadableError:
        return None
    return value if isinstance(value, dict) else None


def _texts(frame: pl.DataFrame, documents: Sequence[Document], lists: frozenset[str]) -> pl.DataFrame:
    parts = _parts(documents)
    named: dict[str, list[str]] = {}
    for path in _commonest(parts, documents):
        named.setdefault(plain_name(column_name(path)), []).append(path)
    return frame.with_columns(
        _first(
            [_joined(parts, path, _column_of(joined=path in lists), frame.height) for path in sorted(paths)]
        ).alias(name)
        for name, paths in named.items()
    )


def _first(columns: list[pl.Series]) -> pl.Series:
    """Of each row the first of these that has a value: names that become one column are a sender's invention."""
    found = columns[0]
    for other in columns[1:]:
        found = found.zip_with(found.is_not_null(), other)
    return found


@dataclass(slots=True)
class _Part:
    """Some of the documents: their rows; by path a value a document, how many have the path, and which first."""

    rows: Sequence[int]
    cells: dict[str, Sequence[Any]] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, prefix: str, nodes: Nodes, depth: int = _DEEPEST) -> bool:
        """Add what stands below these objects; False when leaf by leaf is the only way."""
        names, cells = level(nodes)
        if len(self.cells) + len(names) > MAX_KEYS:
            return False
        for name, values in zip(names, cells, strict=True):
            path, kinds = prefix + name, set(map(type, values))
            if dict in kinds:
                inner = [value if type(value) is dict else None for value in values]
                if not depth or not self.add(f"{path}.", inner, depth - 1):
                    return False
            if kinds != {dict}:
                if path in self.cells:
                    return False
                self._keep(path, values, kinds, [node is not None and name in node for node in nodes])
        return True

    def _keep(self, path: str, values: Sequence[Any], kinds: set[type], there: list[bool]) -> None:
        if dict in kinds:
            there = [one and type(value) is not dict for one, value in zip(there, values, strict=True)]
            values = [None if type(value) is dict else value for value in values]
        if count := sum(there):
            self.cells[path], self.seen[path] = values, (count, self.rows[there.index(True)])

    def leaf_by_leaf(self, documents: Sequence[Document]) -> "_Part":
        """The same of any documents, in time."""
        flat = [dict(ecs.flatten(document)) for document in documents]
        for row, leaves in enumerate(flat):
            for path in leaves:
                count, first = self.seen.get(path, (0, row))
                self.seen[path] = count + 1, first
        kept = sorted(self.seen, key=lambda path: -self.seen[path][0])[:MAX_KEYS]
        self.cells = {path: [leaves.get(path) for leaves in flat] for path in kept}
        return self


def _parts(documents: Sequence[Document]) -> list[_Part]:
    """All documents in parts of the same names at the top, or in one where they have too little in common."""
    shapes: dict[tuple[str, ...], list[int]] = {}
    for row, document in enumerate(documents):
        shapes.setdefault(tuple(document), []).append(row)
    groups = list(shapes.values()) if len(shapes) * _ALIKE <= len(documents) else [range(len(documents))]
    parts = [_Part(rows) for rows in groups]
    if all(part.add("", [documents[row] for row in part.rows]) for part in parts):
        return parts
    return [_Part(range(len(documents))).leaf_by_leaf(documents)]


def _commonest(parts: Sequence[_Part], documents: Sequence[Document]) -> list[str]:
    """The paths in the order of how many documents have them, then of where they stand first."""
    seen: dict[str, tuple[int, int]] = {}
    for part in parts:
        for path in part.cells:
            count, row = part.seen[path]
            before, first = seen.get(path, (0, row))
            seen[path] = before + count, min(first, row)
    places = {
        row: {path: place for place, path in enumerate(dict(ecs.flatten(documents[row])))}
        for row in {row for _, row in seen.values()}
    }
    ranks = {path: (-count, row, places[row][path]) for path, (count, row) in seen.items()}
    return sorted(ranks, key=ranks.__getitem__)[:MAX_KEYS]


def _joined(
    parts: Sequence[_Part], path: str, column: Callable[[Sequence[Any]], pl.Series], height: int
) -> pl.Series:
    """The path's column over all parts, a row a document."""
    having = [part for part in parts if path in part.cells]
    if len(having) == 1 and len(having[0].rows) == height:
        return column(having[0].cells[path])
    values = pl.concat([*(column(part.cells[path]) for part in having), pl.Series([None], dtype=pl.String)])
    where = np.full(height, len(values) - 1, dtype=np.uint32)
    where[np.concatenate([np.asarray(part.rows) for part in having])] = np.arange(
        len(values) - 1, dtype=np.uint32
    )
    return values.gather(pl.Series(where))


def _column_of(*, joined: bool) -> Callable[[Sequence[Any]], pl.Series]:
    """How values become texts; joined: those of a list are one text, with `ecs.BETWEEN` between them."""

    def column(values: Sequence[Any]) -> pl.Series:
        kinds = set(map(type, values))
        if kinds <= {str, type(None)}:
            return pl.Series(values, dtype=pl.String)
        if kinds <= {int, float}:
            return pl.Series(list(map(str, values)), dtype=pl.String)
        return pl.Series([_text(value, joined) for value in values], dtype=pl.String)

    return column


def _text(value: Any, joined: bool = False) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and joined:
        return ecs.BETWEEN.join(_text(one) or "" for one in value)
    return orjson.dumps(value).decode() if isinstance(value, (list, Mapping)) else str(value)
