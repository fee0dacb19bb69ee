"""Found events as files: CSV that no spreadsheet runs as a formula, and NDJSON as the store holds it."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson

from hinomi.clock import JST
from hinomi.text import spreadsheet_cell

COLUMNS = (
    "@timestamp",
    "event.dataset",
    "event.action",
    "event.outcome",
    "user.name",
    "source.ip",
    "destination.ip",
    "host.name",
    "event.id",
    "event.original",
)
Rows = Iterator[dict[str, Any]]
Words = Callable[[object], str]


def as_csv(rows: Rows, words: Words = str) -> Iterator[bytes]:
    """UTF-8 with BOM, as spreadsheets here expect; times in JST. words: a value other than a time as text."""
    yield "\ufeff".encode() + _line([*COLUMNS])
    for row in rows:
        yield _line([spreadsheet_cell(_cell(row.get(name), words)) for name in COLUMNS])


def _cell(value: object, words: Words) -> str:
    if isinstance(value, datetime):
        return value.astimezone(JST).isoformat()
    return "" if value is None else words(value)


def _line(cells: list[str]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return held.getvalue().encode("utf-8", "replace")


def as_ndjson(rows: Rows) -> Iterator[bytes]:
    """One flat JSON document a line."""
    for row in rows:
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z, default=str)
