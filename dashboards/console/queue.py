"""The queue: open incidents in the order in which they need a person."""

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from dashboards.console import targets, views
from dashboards.console.casework import Casework
from dashboards.console.docket import Entry, Stand, docket
from dashboards.console.pager import page_number
from dashboards.console.ranking import Desk, order, told
from dashboards.console.visit import Visit
from dashboards.duties import clocks_of
from dashboards.users import WORKERS
from hinomi.incident import Incident, Status
from responders.incidents.casefile import needs_a_person

_WITH_CLOSED = ("closed", "all")
VIEWS = ("open", "new", "approval", "mine", "late", *_WITH_CLOSED)


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
    among = stand.entries if view in _WITH_CLOSED else stand.open
    chosen = _chosen(among, view, desk, visit)
    size = console.settings.page_size
    page = page_number(visit.asked("page", "1"), len(chosen), size)
    return visit.page(
        "queue.html",
        rows=told(order(chosen, desk)[(page - 1) * size : page * size], desk),
        total=len(chosen),
        page_number=page,
        pages=max(1, -(-len(chosen) // size)),
        view=view,
        counts=_counts(stand, desk, visit.actor),
        asked={name: visit.asked(name) for name in ("grade", "assignee", "q")},
        assignees=stand.assignees,
        people=[user for user in console.users.all() if user.has(WORKERS) and not user.disabled],
        saved=views.of(visit, "/"),
        live=True,
        narrowed=any(visit.asked(name) for name in ("grade", "assignee", "q")),
    )


def _chosen(entries: Sequence[Entry], view: str, desk: Desk, visit: Visit) -> list[Incident]:
    return [
        entry.incident
        for entry in entries
        if _in_view(entry.incident, view, desk, visit.actor) and _kept(entry, visit)
    ]


def _counts(stand: Stand, desk: Desk, actor: str) -> Counter[str]:
    """How many each view shows; a closed incident is in two of them and is not asked about the others."""
    still = [entry.incident for entry in stand.open]
    found = Counter(view for one in still for view in VIEWS[:-2] if _in_view(one, view, desk, actor))
    held = len(stand.entries)
    return found + Counter({"all": held, "closed": held - len(still)})


def _in_view(incident: Incident, view: str, desk: Desk, actor: str) -> bool:
    is_open = incident.status is not Status.CLOSED
    match view:
        case "new":
            return needs_a_person(incident)
        case "approval":
            return is_open and incident.id in desk.waiting
        case "mine":
            return is_open and incident.assignee == actor
        case "late":
            return targets.is_late(incident, desk.targets, desk.now)
        case "closed":
            return not is_open
    return view == "all" or is_open


def _kept(entry: Entry, visit: Visit) -> bool:
    grade, assignee, text = visit.asked("grade"), visit.asked("assignee"), visit.asked("q").strip().lower()
    if grade and str(entry.incident.grade) != grade:
        return False
    if assignee and entry.incident.assignee != ("" if assignee == "-" else assignee):
        return False
    return not text or all(word in entry.searchable for word in text.split())
