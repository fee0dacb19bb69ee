"""The boards of `dashboards.boards`, drawn here as Kibana draws its own copies of them: the same panels over the same queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import Response

from dashboards import charts
from dashboards.boards import BOARDS, Board, Panel
from dashboards.console.residents import SEARCH, Seal
from dashboards.console.search import Asked
from dashboards.console.timerange import PRESETS, Range, asked_range
from dashboards.console.visit import Visit
from dashboards.named_values import named

_VALUES = 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """A panel: its title, the drawing of its counts over time where it is of those, its most frequent values, and the search that
    finds its events."""

    title: str
    chart: Markup | None
    values: Sequence[tuple[str, int]]
    counted: bool
    search: str

    @property
    def most(self) -> int:
        """The largest of the values."""
        return max((n for _, n in self.values), default=1)


def show(visit: Visit) -> Response:
    """One board, the first where none is asked for. Logs about residents stay out unless a reason counts."""
    chosen = next((one for one in BOARDS if one.key == visit.asked("board")), BOARDS[0])
    span, seal = asked_range(visit), visit.console.residents.seal(visit.actor, SEARCH)
    names = seal.open(one.name for one in visit.console.events.datasets())
    visit.console.audit.append(
        actor=visit.actor, action="console.board", target=chosen.key, details={"range": span.preset}
    )
    return visit.page(
        "boards.html",
        boards=[(one.key, one.title.of(visit.language)) for one in BOARDS],
        board=chosen,
        range=span,
        presets=[one for one in PRESETS if one != "15m"],
        panels=[_drawn(visit, chosen, panel, span, seal, names) for panel in chosen.panels],
    )


def _drawn(visit: Visit, board: Board, panel: Panel, span: Range, seal: Seal, names: Sequence[str]) -> Drawn:
    events, query = visit.console.events, board.asked(panel)
    title, chart, values = panel.title.of(visit.language), None, list[tuple[str, int]]()
    if names and panel.kind == "over_time":
        interval = charts.interval_for(span.start, span.end, 36)
        found = events.histogram(seal.only(query), datasets=names, span=span.span, interval=interval)
        # S704: the SVG is our own text; every value in it went through escape() in dashboards.drawing
        chart = Markup(charts.columns(found, interval, label=title, width=440, height=130))  # noqa: S704
    if names and panel.field:
        found_values = events.top(
            panel.field, seal.only(query), datasets=names, span=span.span, limit=_VALUES
        )
        values = [(named(panel.field, value, visit.texts), n) for value, n in found_values]
    search = Asked(query, [], span, panel.field or "event.dataset", "").address()
    return Drawn(title, chart, values, bool(panel.field), search)
