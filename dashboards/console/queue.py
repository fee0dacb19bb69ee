"""The queue: open incidents in the order in which they need a person."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from dashboards.console import pager, views
from dashboards.console.casework import Casework
from dashboards.console.docket import Entry, docket
from dashboards.console.ranking import Desk, Ranked, order, told
from dashboards.console.targets import Clock
from dashboards.console.visit import Visit
from dashboards.duties import clocks_of
from dashboards.users import WORKERS
from hinomi.incident import Incident, Status
from responders.incidents.casefile import needs_a_person

_WITH_CLOSED = ("closed", "all")
VIEWS = ("open", "new", "approval", "mine", "late", *_WITH_CLOSED)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the queue: all that it shows, and nothing else. whose: the name of its organisation where the reader sees
    several; to_judge: whether the reader may work on it."""

    number: int
    title: str
    whose: str
    why: str
    entities: tuple[tuple[str, str], ...]
    more_entities: int
    first: datetime
    zones: tuple[str, ...]
    grade: int
    status: str
    verdict: str
    clock: Clock | None
    assignee: str
    next_step: str
    to_judge: bool


def show(visit: Visit) -> Response:
    """The table of incidents, filtered and counted; only the rows of the page are put into words."""
    console, view = visit.console, visit.asked("view", "open")
    casework = Casework(console.records)
    desk = Desk(
        casework.waiting(),
        console.settings.targets,
        console.clock.now(),
        visit.texts,
        clocks_of(console.records),
    )
    stand = docket(console.records).stand()
    within = [(entry, _views_of(entry.incident, desk, visit.actor)) for entry in stand.open]
    shown = _narrowed(_among(view, stand.entries, within), visit)
    size = console.settings.page_size
    page = pager.page_number(visit.asked("page", "1"), len(shown), size)
    ranked = told(order(shown, desk)[(page - 1) * size : page * size], desk)
    whose = visit.whose()
    return visit.page(
        "queue.html",
        rows=[_row(one, visit, whose.get(one.incident.organization, ""), visit.may_work) for one in ranked],
        total=len(shown),
        page_number=page,
        pages=pager.pages(len(shown), size),
        view=view,
        counts=_counts(len(stand.entries), within),
        asked={name: visit.asked(name) for name in ("grade", "assignee", "q")},
        assignees=stand.assignees,
        people=[user for user in console.users.all() if user.has(WORKERS) and not user.disabled],
        saved=views.of(visit, "/"),
        live=True,
        narrowed=any(visit.asked(name) for name in ("grade", "assignee", "q")),
    )


_Within = Sequence[tuple[Entry, Sequence[str]]]
"""The open incidents, each with the views that show it."""


def _views_of(incident: Incident, desk: Desk, actor: str) -> list[str]:
    """The views that show an open incident, but for that of all."""
    held = {
        "new": needs_a_person(incident),
        "approval": incident.id in desk.waiting,
        "mine": incident.assignee == actor,
        "late": desk.is_late(incident),
    }
    return ["open", *(view for view, shows in held.items() if shows)]


def _among(view: str, entries: Sequence[Entry], within: _Within) -> Iterable[Entry]:
    """The incidents of a view."""
    if view == "all":
        return entries
    if view == "closed":
        return (one for one in entries if one.incident.status is Status.CLOSED)
    return (entry for entry, shown in within if view in shown or view not in VIEWS)


def _counts(held: int, within: _Within) -> Counter[str]:
    """How many each view shows. held: all that there are; what is not open is closed."""
    found = Counter(view for _, shown in within for view in shown)
    return found + Counter({"all": held, "closed": held - len(within)})


def _narrowed(entries: Iterable[Entry], visit: Visit) -> list[Incident]:
    """Those of a grade, of somebody, with these words in them: as far as the reader asks for any of it."""
    grade, assignee, words = (
        visit.asked("grade"),
        visit.asked("assignee"),
        visit.asked("q").strip().lower().split(),
    )
    return [
        one.incident
        for one in entries
        if (not grade or str(one.incident.grade) == grade)
        and (not assignee or one.incident.assignee == ("" if assignee == "-" else assignee))
        and (not words or all(word in one.searchable for word in words))
    ]


def _row(one: Ranked, visit: Visit, whose: str, may_work: bool) -> Row:
    incident = one.incident
    return Row(
        number=incident.number,
        title=visit.texts.of(incident.title_ja, incident.title_en),
        whose=whose,
        why=one.why,
        entities=tuple(one.entities),
        more_entities=one.more_entities,
        first=incident.first,
        zones=tuple(incident.zones),
        grade=incident.grade,
        status=incident.status.value,
        verdict=incident.verdict.value if incident.verdict else "",
        clock=one.clock,
        assignee=incident.assignee,
        next_step=one.next_step,
        to_judge=may_work and incident.status is not Status.CLOSED,
    )
