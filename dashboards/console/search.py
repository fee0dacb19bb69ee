"""Search: a query, a time range, a histogram, the events, and the most frequent values of a field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, urlencode

from markupsafe import Markup
from starlette.responses import Response

from dashboards import charts
from dashboards.console import views
from dashboards.console.evidence import Shown, show_event
from dashboards.console.residents import SEARCH, Seal
from dashboards.console.timerange import PRESETS, Range, asked_range
from dashboards.console.visit import Visit
from hinomi.batch import DEAD_LETTERS
from hinomi.errors import QueryError
from hinomi.query import beside, quoted
from hinomi.store import Bucket, Counted, Survey
from hinomi.store.unheld import unheld
from hinomi.text import inert

TOP = ("event.dataset", "event.action", "user.name", "source.ip", "destination.ip", "host.name", "rule.name")
_VALUES = 15
_NONE = timedelta(0)
_FIELD = re.compile(r"@?[A-Za-z_][\w.@\-]{0,127}$")


@dataclass(frozen=True)
class Asked:
    """What a search asks for, as it stands in the address line."""

    query: str
    datasets: list[str]
    range: Range
    field: str
    after: str

    def address(self, path: str = "/search", **changes: str) -> str:
        """This search with some parts changed; a change to "" leaves the part out."""
        return f"{path}?{urlencode(self.pairs(**changes))}"

    def pairs(self, **changes: str) -> list[tuple[str, str]]:
        """The parts of the address line."""
        parts = {"q": self.query, "range": self.range.preset, "field": self.field}
        if self.range.preset == "own":
            parts |= {"from": self.range.shown("from"), "to": self.range.shown("to")}
        pairs = [(name, value) for name, value in (parts | changes).items() if value]
        return [*pairs, *(("dataset", name) for name in self.datasets)]

    def narrowed(self, field: str, value: object) -> str:
        """This search, only events whose field has the value."""
        term = f"{field}: {quoted(str(value))}"
        query = f"({self.query}) and {term}" if self.query else term
        return f"/search?q={quote_plus(query)}{self._rest}"

    @cached_property
    def _rest(self) -> str:
        """What follows the query in the address; a page of events has hundreds of links that differ in the query."""
        kept = urlencode(self.pairs(q=""))
        return f"&{kept}" if kept else ""


def asked(visit: Visit) -> Asked:
    """Read the address line. Raises QueryError for times that cannot be read and for datasets that are not held: a store
    may take another spelling for the same index, which the seal over logs about residents would not know."""
    given = visit.asked("field", "event.dataset")
    datasets = [name for name in visit.request.query_params.getlist("dataset") if name]
    if unknown := set(datasets).difference(stats.name for stats in visit.console.events.datasets()):
        name = inert(min(unknown), 100)
        raise QueryError(
            f"データセット「{name}」のログは保存されていません。",
            f'no events of the dataset "{name}" are held',
        )
    return Asked(
        query=visit.asked("q").strip(),
        datasets=datasets,
        range=asked_range(visit),
        field=given if _FIELD.fullmatch(given) else "event.dataset",
        after=visit.asked("after"),
    )


def show(visit: Visit) -> Response:
    """The search page; a query that cannot be read is said above the box and nothing is searched."""
    names = [stats.name for stats in visit.console.events.datasets()]
    try:
        wanted = asked(visit)
        found = _found(visit, wanted)
    except QueryError as error:
        problem = visit.texts.of(error.ja, error.en)
        return visit.page("search_problem.html", status=400, problem=problem, query=visit.asked("q"))
    visit.console.audit.append(
        actor=visit.actor,
        action="console.search",
        target=wanted.query,
        details={"from": wanted.range.start.isoformat(), "to": wanted.range.end.isoformat()},
    )
    return visit.page(
        "search.html", wanted=wanted, datasets=names, presets=list(PRESETS), top_fields=TOP, **found
    )


def _found(visit: Visit, wanted: Asked) -> dict[str, Any]:
    bars, seal = _bars(wanted), visit.console.residents.seal(visit.actor, SEARCH)
    survey = visit.console.events.survey(
        wanted.query,
        datasets=wanted.datasets,
        span=wanted.range.span,
        counted=Counted(bars[0], wanted.field, _values_in(visit, wanted, seal), _VALUES),
        limit=visit.console.settings.page_size,
        after=wanted.after or None,
    )
    hits: list[Shown] = [show_event(row, hidden=seal.hides(row)) for row in survey.page.rows]
    return {
        "scope": SEARCH,
        "sealed": any(hit.hidden for hit in hits),
        "stats": _stats(survey, _kind(visit, wanted)),
        "saved": views.of(visit, "/search"),
        "brush": _brush(wanted),
        "chart_left": charts.LEFT,
        "hits": hits,
        "total": survey.page.total,
        "unheld": [] if survey.page.total else _unheld(visit, wanted),
        "after": survey.page.after,
        "top": survey.top,
        "most": max((n for _, n in survey.top), default=1),
        **_charts(visit, wanted, survey.buckets, bars),
    }


def _unheld(visit: Visit, wanted: Asked) -> list[str]:
    """What is said where nothing is found of fields that no log has."""
    return [visit.texts.of(one.ja, one.en) for one in unheld(visit.console.events, wanted.query)]


def looked_in(visit: Visit, wanted: Asked) -> list[str]:
    """The datasets that the search looks in."""
    return wanted.datasets or [stats.name for stats in visit.console.events.datasets()]


def sealed_letters(visit: Visit, wanted: Asked, seal: Seal) -> int:
    """How many of the dead letters that the search finds are about residents and not shown."""
    if not seal.letters or DEAD_LETTERS not in looked_in(visit, wanted):
        return 0
    query = beside(wanted.query, seal.letters)
    return visit.console.events.count(query, datasets=[DEAD_LETTERS], span=wanted.range.span)


def _values_in(visit: Visit, wanted: Asked, seal: Seal) -> list[str]:
    """The datasets whose values are told; those of logs about residents only once a reason is recorded."""
    names = seal.open(looked_in(visit, wanted))
    if DEAD_LETTERS in names and sealed_letters(visit, wanted, seal):
        names.remove(DEAD_LETTERS)
    return names


def _stats(survey: Survey, kind: str) -> list[tuple[str, str]]:
    """How many events have the field, and how much of them the shown values are."""
    total, present = survey.page.total, survey.present
    shown = sum(n for _, n in survey.top)
    share = f"{present / total:.0%}" if total else "—"
    lines = [("stats.present", f"{present:,} ({share})"), ("stats.kind", kind)]
    lines.append(("stats.shown", f"{min(shown, present) / present:.0%}" if present else "—"))
    return lines


def _kind(visit: Visit, wanted: Asked) -> str:
    known = visit.console.events.fields(wanted.datasets[0] if len(wanted.datasets) == 1 else None)
    return known.get(wanted.field, "—")


def _brush(wanted: Asked) -> dict[str, str]:
    """What the script needs to turn a stretch of the histogram into an address."""
    address = wanted.address(range="own", **{"from": "FROM", "to": "TO"})
    return {
        "from": wanted.range.start.isoformat(),
        "to": wanted.range.end.isoformat(),
        "address": address,
    }


def _bars(wanted: Asked) -> tuple[timedelta, timedelta]:
    """Width of a bar of the histogram for wide and for narrow screens."""
    start, end = wanted.range.start, wanted.range.end
    return charts.interval_for(start, end, 72), charts.interval_for(start, end, 24)


def _charts(
    visit: Visit, wanted: Asked, buckets: list[Bucket], bars: tuple[timedelta, timedelta]
) -> dict[str, Markup]:
    """The histogram for wide and narrow screens, from one count: the narrow one's bars are several of the wide one's."""
    fine, coarse = bars
    folded, width = (_folded(buckets, coarse // fine), coarse) if coarse % fine == _NONE else (buckets, fine)
    return {
        "chart": _chart(visit, wanted, buckets, fine, (1320, "chart-wide")),
        "narrow_chart": _chart(visit, wanted, folded, width, (360, "chart-narrow")),
    }


def _folded(buckets: Sequence[Bucket], several: int) -> list[Bucket]:
    parts = (buckets[n : n + several] for n in range(0, len(buckets), several))
    return [Bucket(part[0].start, sum(bucket.count for bucket in part)) for part in parts]


def _chart(
    visit: Visit, wanted: Asked, buckets: Sequence[Bucket], interval: timedelta, form: tuple[int, str]
) -> Markup:
    links = [_at(wanted, bucket, interval) for bucket in buckets]
    label = visit.texts("search.chart", n=f"{sum(bucket.count for bucket in buckets):,}")
    # S704: the SVG is our own text; every value in it went through escape() in charts
    return Markup(  # noqa: S704
        charts.columns(buckets, interval, label=label, width=form[0], kind=form[1], links=links)
    )


def _at(wanted: Asked, bucket: Bucket, interval: timedelta) -> str:
    bar = Range(bucket.start, bucket.start + interval, "own")
    return wanted.address(range="own", **{"from": bar.shown("from"), "to": bar.shown("to")})
