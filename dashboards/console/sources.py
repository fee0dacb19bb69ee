"""The sources page: what arrives, what is held, what could not be read, what was left out."""

from datetime import timedelta

from starlette.responses import Response

from dashboards.console import health
from dashboards.console.evidence import show_event
from dashboards.console.visit import Visit
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.store import Span


def show(visit: Visit) -> Response:
    """Tables of health, datasets, dead letters and counts."""
    console = visit.console
    now = console.clock.now()
    week = Span(now - timedelta(days=7), None)
    held = [stats for stats in console.events.datasets() if stats.name != SIGNALS]
    dead = console.events.search(datasets=[DEAD_LETTERS], span=week, limit=10)
    return visit.page(
        "sources.html",
        sources=health.sources(console.records, now),
        datasets=[stats for stats in held if stats.name != DEAD_LETTERS],
        dead_total=dead.total,
        dead_reasons=console.events.top("error.message", datasets=[DEAD_LETTERS], span=week, limit=20),
        dead_examples=[show_event(row) for row in dead.rows],
        counts=health.counts(console.records),
    )
