"""Work on a case from its page: tasks, joining and parting, who was told, and whether a report is due."""

from starlette.responses import Response

from dashboards.console.addressed import back, wanted
from dashboards.console.casework import Casework
from dashboards.console.fields import WAYS, moment, text
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from hinomi.incident import Incident
from responders.cases import TASK
from responders.incidents.casefile import family


def add_task(visit: Visit) -> Response:
    """Something that somebody has to do, by when."""
    incident, title = wanted(visit), text(visit, "title")
    due = moment(visit, "due") if visit.form.get("due") else None
    visit.console.service.cases.add_task(
        incident.id,
        title,
        **visit.who,
        assignee=visit.form.get("assignee", "")[:64],
        due=due,
    )
    return back(visit, incident, "task_added")


def finish_task(visit: Visit) -> Response:
    """It is done, or need not be done any more."""
    incident, identity = wanted(visit), str(visit.request.path_params["task"])
    held = visit.console.records.get(TASK, identity)
    if held is None or held.body["incident_id"] not in family(incident):
        raise InputError("この作業はありません。", "there is no such task")
    visit.console.service.cases.finish_task(
        identity,
        **visit.who,
        note=visit.form.get("note", "")[:2000],
        dropped=visit.form.get("do") == "drop",
    )
    return back(visit, incident, "task_finished")


def merge(visit: Visit) -> Response:
    """Join this incident with another one: the older takes the younger in."""
    incident, other = wanted(visit), _other(visit)
    kept = visit.console.service.cases.merge(incident.id, [other.id], text(visit, "reason"), **visit.who)
    return back(visit, kept, "merged")


def _other(visit: Visit) -> Incident:
    number = visit.form.get("other", "").strip().lstrip("#\uff03")
    found = Casework(visit.console.records).incident(int(number)) if number.isdecimal() else None
    if found is None:
        raise InputError("この番号のインシデントはありません。", "there is no incident with this number")
    return found


def split(visit: Visit) -> Response:
    """Ask that ticked alerts become an incident of their own."""
    incident = wanted(visit)
    visit.console.service.cases.split(
        incident.id,
        visit.many.get("alert", []),
        text(visit, "reason"),
        **visit.who,
    )
    return back(visit, incident, "split_asked")


def told(visit: Visit) -> Response:
    """Somebody was told something: whom, what, by which way, when, and what they answered."""
    incident, way = wanted(visit), visit.form.get("way", "")
    if way not in WAYS:
        raise InputError("連絡の方法を選んでください。", "choose how they were told")
    visit.console.service.contacts.told(
        incident.id,
        text(visit, "whom")[:200],
        text(visit, "what"),
        by_way_of=way,
        at=moment(visit, "at") if visit.form.get("at") else visit.console.clock.now(),
        **visit.who,
        answer=visit.form.get("answer", ""),
    )
    return back(visit, incident, "told")


def start_clock(visit: Visit) -> Response:
    """A report is due: from when the city knew, and why."""
    incident, duty = wanted(visit), str(visit.request.path_params["duty"])
    visit.console.service.clocks.start(
        incident.id,
        duty,
        moment(visit, "known"),
        text(visit, "why"),
        **visit.who,
        wrongful=visit.form.get("wrongful") == "yes",
    )
    return back(visit, incident, "clock_started")


def decline_clock(visit: Visit) -> Response:
    """No report is due, with the reason; an office decides."""
    incident, duty = wanted(visit), str(visit.request.path_params["duty"])
    visit.console.service.clocks.decline(incident.id, duty, text(visit, "why"), **visit.who)
    return back(visit, incident, "clock_declined")
