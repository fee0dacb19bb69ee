"""Search results as files: CSV that no spreadsheet runs, and NDJSON as the store holds it."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from dashboards.console.evidence import words
from dashboards.console.residents import SEARCH
from dashboards.console.search import Asked, asked
from dashboards.console.visit import Visit
from hinomi.clock import JST
from hinomi.text import spreadsheet_cell

MOST = 100_000
_PORTION = 2_000
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


def as_csv(visit: Visit) -> Response:
    """The found events as CSV (UTF-8 with BOM, as spreadsheets here expect), at most 100,000."""
    return _file(visit, "csv", "text/csv; charset=utf-8", _csv)


def as_ndjson(visit: Visit) -> Response:
    """The found events as one JSON document a line, at most 100,000."""
    return _file(visit, "ndjson", "application/x-ndjson", _ndjson)


def _file(visit: Visit, ending: str, media: str, form: Callable[[Rows], Iterator[bytes]]) -> Response:
    wanted = asked(visit)
    names = wanted.datasets or [stats.name for stats in visit.console.events.datasets()]
    visit.console.residents.ask(visit, SEARCH, names)
    total = visit.console.events.count(wanted.query, datasets=wanted.datasets, span=wanted.range.span)
    visit.console.audit.append(
        actor=visit.actor,
        action="console.export",
        target=wanted.query,
        details={"format": ending, "events": min(total, MOST), "matching": total},
    )
    name = f"hinomi-{visit.console.clock.now().astimezone(JST):%Y%m%d-%H%M%S}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Hinomi-Matching": str(total),
        "X-Hinomi-Exported": str(min(total, MOST)),
    }
    return StreamingResponse(form(_rows(visit, wanted)), media_type=media, headers=headers)


def _rows(visit: Visit, wanted: Asked) -> Rows:
    after: str | None = None
    left = MOST
    while left > 0:
        page = visit.console.events.search(
            wanted.query,
            datasets=wanted.datasets,
            span=wanted.range.span,
            limit=min(_PORTION, left),
            after=after,
        )
        yield from page.rows
        left, after = left - len(page.rows), page.after
        if after is None:
            return


def _csv(rows: Rows) -> Iterator[bytes]:
    yield "\ufeff".encode() + _line([*COLUMNS])
    for row in rows:
        yield _line([spreadsheet_cell(_cell(row.get(name))) for name in COLUMNS])


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(JST).isoformat()
    return "" if value is None else words(value)


def _line(cells: list[str]) -> bytes:
    held = io.StringIO()
    csv.writer(held, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return held.getvalue().encode("utf-8", "replace")


def _ndjson(rows: Rows) -> Iterator[bytes]:
    for row in rows:
        yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z, default=str)
