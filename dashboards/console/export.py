"""Search results as files: CSV that no spreadsheet runs, and NDJSON as the store holds it."""

from collections.abc import Callable, Iterator

from starlette.responses import Response, StreamingResponse

from dashboards.console.evidence import words
from dashboards.console.residents import SEARCH, needed
from dashboards.console.search import Asked, asked, looked_in, sealed_letters
from dashboards.console.visit import Visit
from hinomi import exported
from hinomi.clock import JST
from hinomi.exported import Rows

MOST = 100_000
_PORTION = 2_000


def as_csv(visit: Visit) -> Response:
    """The found events as CSV (UTF-8 with BOM, as spreadsheets here expect), at most 100,000."""
    return _file(visit, "csv", "text/csv; charset=utf-8", lambda rows: exported.as_csv(rows, words))


def as_ndjson(visit: Visit) -> Response:
    """The found events as one JSON document a line, at most 100,000."""
    return _file(visit, "ndjson", "application/x-ndjson", exported.as_ndjson)


def _file(visit: Visit, ending: str, media: str, form: Callable[[Rows], Iterator[bytes]]) -> Response:
    wanted = asked(visit)
    visit.console.residents.ask(visit, SEARCH, looked_in(visit, wanted))
    if sealed_letters(visit, wanted, visit.console.residents.seal(visit.actor, SEARCH)):
        raise needed()
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
    """What matched in the moment of the request, at most so much."""
    left = MOST
    pages = visit.console.events.pages(
        wanted.query, datasets=wanted.datasets, span=wanted.range.span, size=_PORTION
    )
    for page in pages:
        yield from page[:left]
        left -= len(page)
        if left <= 0:
            return
