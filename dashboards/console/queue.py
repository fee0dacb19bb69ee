"""The queue: open incidents in the order in which they need a person."""

from collections import Counter

from starlette.responses import Response

from dashboards.console import targets, views
from dashboards.console.casework import OPEN, Casework
from dashboards.console.ranking import Desk, rank
from dashboards.console.visit import Visit
from dashboards.users import WORKERS
from hinomi.incident import Incident
from responders.incidents.casefile import needs_a_person

VIEWS = ("open", "new", "approval", "mine", "late", "closed", "all")


def show(visit: Visit) -> Response:
    """The table of incidents, filtered and counted."""
    casework = Casework(visit.console.records)
    waiting = casework.waiting()
    view = visit.asked("view", "open")
    everything = casework.incidents()
    late = _late(everything, visit)
    chosen = [incident for incident in everything if _in_view(incident, view, waiting, late, visit.actor)]
    chosen = [incident for incident in chosen if _kept(incident, visit)]
    console = visit.console
    ranked = rank(chosen, Desk(waiting, console.settings.targets, console.clock.now(), visit.texts))
    size = visit.console.settings.page_size
    page = _page_number(visit.asked("page", "1"), len(ranked), size)
    return visit.page(
        "queue.html",
        rows=ranked[(page - 1) * size : page * size],
        total=len(ranked),
        page_number=page,
        pages=max(1, -(-len(ranked) // size)),
        view=view,
        counts=_counts(everything, waiting, late, visit.actor),
        asked={name: visit.asked(name) for name in ("grade", "assignee", "q")},
        assignees=sorted({incident.assignee for incident in everything if incident.assignee}),
        people=[user for user in console.users.all() if user.has(WORKERS) and not user.disabled],
        saved=views.of(visit, "/"),
        live=True,
        narrowed=any(visit.asked(name) for name in ("grade", "assignee", "q")),
    )


def _late(incidents: list[Incident], visit: Visit) -> frozenset[str]:
    """Ids of the open incidents past their target."""
    console = visit.console
    clocks = (
        (incident.id, targets.running(incident, console.settings.targets, console.clock.now(), visit.texts))
        for incident in incidents
    )
    return frozenset(identity for identity, clock in clocks if clock is not None and clock.state == "over")


def _counts(
    incidents: list[Incident], waiting: frozenset[str], late: frozenset[str], actor: str
) -> Counter[str]:
    return Counter(
        view for incident in incidents for view in VIEWS if _in_view(incident, view, waiting, late, actor)
    )


def _in_view(
    incident: Incident, view: str, waiting: frozenset[str], late: frozenset[str], actor: str
) -> bool:
    is_open = incident.status in OPEN
    return {
        "new": needs_a_person(incident),
        "approval": is_open and incident.id in waiting,
        "mine": is_open and incident.assignee == actor,
        "late": incident.id in late,
        "closed": not is_open,
        "all": True,
    }.get(view, is_open)


def _kept(incident: Incident, visit: Visit) -> bool:
    grade, assignee, text = visit.asked("grade"), visit.asked("assignee"), visit.asked("q").strip().lower()
    if grade and str(incident.grade) != grade:
        return False
    if assignee and incident.assignee != ("" if assignee == "-" else assignee):
        return False
    return not text or all(word in _searchable(incident) for word in text.split())


def _searchable(incident: Incident) -> str:
    values = [value for found in incident.entities.values() for value in found]
    parts = [f"#{incident.number}", incident.title_ja, incident.title_en, incident.story_ja, *values]
    return " ".join([*parts, *incident.zones, *incident.tags]).lower()


def _page_number(asked: str, total: int, size: int) -> int:
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    return max(1, min(number, -(-total // size)))
