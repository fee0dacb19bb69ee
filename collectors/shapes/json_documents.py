"""JSON, one document a line: each becomes a Python object in the column `document`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from collectors import json_text


@dataclass(frozen=True, slots=True)
class JsonDocuments:
    """A line is ours when it holds a JSON object (a syslog header before it is skipped).

    unwrap: a function that gives the documents inside an envelope such as `{"records": […]}`'s only one.
    """

    unwrap: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame with `document`; lines that hold no object are left out."""
        documents = [_document(text) for text in intake["message"].to_list()]
        if self.unwrap is not None:
            documents = [self.unwrap(one) if one is not None else None for one in documents]
        kept = [index for index, document in enumerate(documents) if document is not None]
        frame = intake[kept]
        values = pl.Series("document", [documents[index] for index in kept], dtype=pl.Object)
        return [frame.with_columns(values)] if kept else []


def json_documents(unwrap: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> JsonDocuments:
    """The shape of JSON lines."""
    return JsonDocuments(unwrap)


def _document(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    start = text.find("{")
    if start < 0:
        return None
    try:
        value = json_text.read(text[start:] if start else text)
    except json_text.UnreadableError:
        return None
    return value if isinstance(value, dict) else None
