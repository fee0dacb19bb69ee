"""JSON, one object a line, as text columns by dotted path: for what a table of columns can describe."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from collectors.framed import plain_name
from collectors.shapes.json_documents import JsonDocuments
from collectors.shapes.pairs import MAX_KEYS, column_name
from hinomi import ecs

SEPARATOR = "\x1f"
"""Stands between the values of a list; no text of a document keeps it."""


@dataclass(frozen=True, slots=True)
class JsonFields:
    """A line is ours when it holds a JSON object (a syslog header before it is skipped).

    lists: paths whose lists become values with `SEPARATOR` between them; others become JSON text.
    """

    lists: frozenset[str] = frozenset()

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with a text column for each path that any document has, at most the commonest 600."""
        return [_texts(frame, self.lists) for frame in JsonDocuments().read(intake)]


def json_fields(lists: Iterable[str] = ()) -> JsonFields:
    """The shape of JSON lines that are read by path."""
    return JsonFields(frozenset(lists))


def _texts(frame: pl.DataFrame, lists: frozenset[str]) -> pl.DataFrame:
    rows = [dict(ecs.flatten(document)) for document in frame["document"].to_list()]
    counted = Counter(path for row in rows for path in row)
    columns: dict[str, pl.Series] = {}
    for path, _ in counted.most_common(MAX_KEYS):
        name = plain_name(column_name(path))
        values = [_text(row.get(path), path in lists) for row in rows]
        columns.setdefault(name, pl.Series(name, values, dtype=pl.String))
    return frame.drop("document").with_columns(columns.values())


def _text(value: Any, joined: bool = False) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.replace(SEPARATOR, " ")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and joined:
        return SEPARATOR.join(_text(one) or "" for one in value)
    return orjson.dumps(value).decode() if isinstance(value, (list, Mapping)) else str(value)
