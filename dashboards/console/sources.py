"""The sources page: the map of the networks, what arrives and how late, what fell silent, what could not be read."""

from datetime import timedelta
from statistics import median

from markupsafe import Markup
from starlette.responses import Response

from dashboards import zonemap
from dashboards.console import health
from dashboards.console.evidence import show_event
from dashboards.console.visit import Visit
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.store import DatasetStats, Span

_DAY, _SAMPLE, _QUIET = timedelta(days=1), 60, timedelta(days=1)


def show(visit: Visit) -> Response:
    """Map, tables of health, datasets, dead letters and counts."""
    console = visit.console
    now = console.clock.now()
    week = Span(now - timedelta(days=7), None)
    held = [stats for stats in console.events.datasets() if stats.name not in {SIGNALS, DEAD_LETTERS}]
    dead = console.events.search(datasets=[DEAD_LETTERS], span=week, limit=10)
    return visit.page(
        "sources.html",
        map=_map(visit),
        sources=health.sources(console.records, now),
        datasets=held,
        delays={stats.name: _delay(visit, stats) for stats in held},
        quiet=[stats.name for stats in held if stats.last and now - stats.last > _QUIET],
        dead_total=dead.total,
        dead_reasons=console.events.top("error.message", datasets=[DEAD_LETTERS], span=week, limit=20),
        dead_examples=[show_event(row) for row in dead.rows],
        counts=health.counts(console.records),
    )


def _map(visit: Visit) -> Markup:
    """Flows of the last day that holds anything."""
    events = visit.console.events
    last = max((one.last for one in events.datasets() if one.last), default=visit.console.clock.now())
    span = Span(last - _DAY, last + timedelta(seconds=1))
    flows: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    for zone, n in events.top("source.zone", span=span, limit=10):
        counts[zone] = counts.get(zone, 0) + n
        for other, m in events.top("destination.zone", f"source.zone: {zone}", span=span, limit=10):
            flows[zone, other] = m
    for name in ("destination.zone", "host.zone"):
        for zone, n in events.top(name, span=span, limit=10):
            counts[zone] = max(counts.get(zone, 0), n)
    # S704: the SVG is our own text; every value in it went through escape() in dashboards.drawing
    return Markup(zonemap.draw(counts, flows, visit.texts))  # noqa: S704


def _delay(visit: Visit, stats: DatasetStats) -> timedelta | None:
    """How long after the event its log arrived: median of the newest; None where nothing says it."""
    if stats.last is None:
        return None
    span = Span(stats.last - timedelta(hours=1), None)
    rows = visit.console.events.search(datasets=[stats.name], span=span, limit=_SAMPLE).rows
    late = [
        (row["event.ingested"] - row["@timestamp"]).total_seconds()
        for row in rows
        if row.get("event.ingested")
    ]
    return timedelta(seconds=median(late)) if late else None
