"""The sources page: the map of the networks, what arrives and how late, what fell silent, what could not be read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from markupsafe import Markup
from starlette.responses import Response

from collectors.pins import pins
from dashboards import zonemap
from dashboards.console import health
from dashboards.console.evidence import show_event
from dashboards.console.fields import text
from dashboards.console.residents import LETTER_OF, SEARCH
from dashboards.console.visit import Visit
from hinomi.batch import DEAD_LETTERS, SIGNALS
from hinomi.store import DatasetStats, Events, Page, Span

_DAY, _SAMPLE, _QUIET = timedelta(days=1), 60, timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What the store says of what arrives. zones, flows: events of the last day that holds anything, by zone and by
    pair of zones; made: when it was counted."""

    made: datetime
    held: list[DatasetStats]
    delays: dict[str, timedelta | None]
    dead: Page
    reasons: list[tuple[str, int]]
    origins: list[str]
    zones: dict[str, int]
    flows: dict[tuple[str, str], int]


def show(visit: Visit) -> Response:
    """Map, tables of health, datasets, dead letters and counts; what takes long to count is a minute old at most."""
    console, now = visit.console, visit.console.clock.now()
    found = console.arrivals.get("arrivals", lambda: _arrivals(console.events, now))
    seal = console.residents.seal(visit.actor, SEARCH)
    # S704: the SVG is our own text; every value in it went through escape() in dashboards.drawing
    drawn = Markup(zonemap.draw(found.zones, found.flows, visit.texts))  # noqa: S704
    return visit.page(
        "sources.html",
        map=drawn,
        networks=zonemap.listed(found.zones, found.flows, visit.texts),
        sources=health.sources(console.records, now),
        pins=pins(console.records),
        datasets=found.held,
        delays=found.delays,
        quiet=[stats.name for stats in found.held if stats.last and now - stats.last > _QUIET],
        dead_total=found.dead.total,
        dead_reasons=found.reasons,
        dead_sources=found.origins,
        replays=[record.body for record in console.service.replays.latest()],
        dead_examples=[show_event(row, hidden=seal.hides(row)) for row in found.dead.rows],
        counts=health.counts(console.records),
    )


def replay(visit: Visit) -> Response:
    """Somebody asks that the dead letters of a source be read again."""
    visit.console.service.replays.ask(visit.form.get("source", ""), text(visit, "reason"), **visit.who)
    return visit.to("/sources", done="replay_asked")


def _arrivals(events: Events, now: datetime) -> Arrivals:
    week = Span(now - timedelta(days=7), None)
    held = [stats for stats in events.datasets() if stats.name not in {SIGNALS, DEAD_LETTERS}]
    zones, flows = _zones(events, now)
    return Arrivals(
        now,
        held,
        {stats.name: _delay(events, stats, now) for stats in held},
        events.search(datasets=[DEAD_LETTERS], span=week, limit=10),
        events.top("error.message", datasets=[DEAD_LETTERS], span=week, limit=20),
        [name for name, _ in events.top(LETTER_OF, datasets=[DEAD_LETTERS], span=week, limit=50) if name],
        zones,
        flows,
    )


def _zones(events: Events, now: datetime) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    last = min(now, max((one.last for one in events.datasets() if one.last), default=now))
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
    return counts, flows


def _delay(events: Events, stats: DatasetStats, now: datetime) -> timedelta | None:
    """How long after the event its log arrived: median of the newest; None where nothing says it."""
    if stats.last is None:
        return None
    span = Span(min(stats.last, now) - timedelta(hours=1), None)
    rows = events.search(datasets=[stats.name], span=span, limit=_SAMPLE).rows
    late = [
        (row["event.ingested"] - row["@timestamp"]).total_seconds()
        for row in rows
        if row.get("event.ingested")
    ]
    return timedelta(seconds=median(late)) if late else None
