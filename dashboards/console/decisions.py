"""What people decide on the incident page. Each handler records one decision and shows the page again."""

from starlette.responses import Response

from dashboards.console.addressed import back, wanted
from dashboards.console.clash import Clash, Field
from dashboards.console.fields import moment, text
from dashboards.console.visit import Visit
from dashboards.users import WORKERS, User
from hinomi.errors import Conflict, InputError
from hinomi.incident import Incident, Verdict
from responders.incidents import casefile
from responders.playbooks.run import APPROVAL, KIND


def acknowledge(visit: Visit) -> Response:
    """Take the incident."""
    incident = wanted(visit)
    visit.console.service.acknowledge(incident.id, **visit.who)
    return back(visit, incident, "acknowledged")


def assign(visit: Visit) -> Response:
    """Give it to a person who may work on it."""
    incident = wanted(visit)
    chosen = worker(person(visit), incident)
    try:
        visit.console.service.assign(incident.id, chosen.name, **visit.who, before=visit.form.get("before"))
    except Conflict:
        now = casefile.read(visit.console.records, incident.id)  # or the one that took it in meanwhile
        held = visit.console.users.find(now.assignee)
        theirs = (held.shown if held else now.assignee) or visit.texts("queue.nobody")
        kept = {"before": now.assignee, "assignee": chosen.name}
        return _overtaken(visit, now, "assign", kept, (theirs, chosen.shown))
    return back(visit, incident, "assigned")


def person(visit: Visit) -> User | None:
    """The person that the form names."""
    return visit.console.users.find(visit.form.get("assignee", ""))


def worker(found: User | None, incident: Incident) -> User:
    """The person. Raises InputError for one who may not work on incidents, or does not see this one."""
    if found is None or not may_take(found, incident):
        raise InputError("担当者にできる利用者を選んでください。", "choose someone who may work on incidents")
    return found


def may_take(person: User, incident: Incident) -> bool:
    """Whether the incident can be given to this person."""
    return not person.disabled and person.has(WORKERS) and person.sees(incident.organization)


def comment(visit: Visit) -> Response:
    """Add a note."""
    incident, note = wanted(visit), text(visit, "text")
    visit.console.service.comment(incident.id, note, **visit.who)
    return back(visit, incident, "commented")


def close(visit: Visit) -> Response:
    """Close it with a verdict and the reason for it."""
    incident, judged = wanted(visit), verdict(visit)
    visit.console.service.close(incident.id, judged, text(visit, "reason"), **visit.who)
    return back(visit, incident, "closed")


def verdict(visit: Visit) -> Verdict:
    """The verdict that the form names. Raises InputError."""
    given = visit.form.get("verdict", "")
    if given not in set(Verdict):
        raise InputError("判定を選んでください。", "choose a verdict")
    return Verdict(given)


def reopen(visit: Visit) -> Response:
    """Open a closed one again, with the reason for it."""
    incident = wanted(visit)
    visit.console.service.reopen(incident.id, text(visit, "reason"), **visit.who)
    return back(visit, incident, "reopened")


def regrade(visit: Visit) -> Response:
    """Set the grade by hand; from then on it no longer follows the alerts."""
    incident, chosen, reason = wanted(visit), grade(visit), text(visit, "reason")
    try:
        visit.console.service.regrade(
            incident.id, chosen, reason, **visit.who, before=visit.form.get("before")
        )
    except Conflict:
        now = casefile.read(visit.console.records, incident.id)  # or the one that took it in meanwhile
        kept = {"before": str(now.grade), "grade": str(chosen), "reason": reason}
        shown = visit.texts(f"grade.g{now.grade}"), visit.texts(f"grade.g{chosen}")
        return _overtaken(visit, now, "grade", kept, shown)
    return back(visit, incident, "regraded")


def _overtaken(
    visit: Visit, incident: Incident, what: str, kept: dict[str, str], shown: tuple[str, str]
) -> Response:
    """What another has set since the page was opened (the form's `before`), beside what was about to be set. what: the form's last
    word, `assign` or `grade`; kept: what the form sends, `before` as it is now; shown: theirs and yours in words."""
    here = f"/incidents/{incident.number}"
    title = visit.texts("queue.grade" if what == "grade" else "case.assign_to")
    name = f"#{incident.number} {visit.texts.of(incident.title_ja, incident.title_en)}"
    fields = [Field("", title, *shown)] if shown[0] != shown[1] else []
    return Clash(name, here, f"{here}/{what}", fields, [*kept.items()]).answer(visit)


def grade(visit: Visit) -> int:
    """The grade that the form names. Raises InputError."""
    given = visit.form.get("grade", "")
    if given not in {"0", "1", "2", "3"}:
        raise InputError("重大度を選んでください。", "choose a grade")
    return int(given)


def decide(visit: Visit) -> Response:
    """Approve or deny a step; who may is checked again by the service, which alone knows the playbook."""
    approval, decision = str(visit.request.path_params["approval"]), visit.form.get("decision", "")
    if decision not in {"approve", "deny"}:
        raise InputError("承認か却下を選んでください。", "choose approve or deny")
    asked = visit.console.records.get(APPROVAL, approval) is not None
    incident = _incident_of(visit, APPROVAL, approval) if asked else None
    service, note = visit.console.service, visit.form.get("note", "").strip()[:1000]
    if decision == "approve":
        seen = {name: visit.form.get(name, "") for name in ("plan", "until")}
        service.approve(approval, **visit.who, note=note, **seen)
    else:
        service.deny(approval, **visit.who, note=note)
    assert incident is not None  # the service refuses, and notes, an answer to what was never asked
    return back(visit, incident, "approved" if decision == "approve" else "denied")


def undo(visit: Visit) -> Response:
    """Ask for a run to be put back, and stopped first where it is under way."""
    run = str(visit.request.path_params["run"])
    incident = _incident_of(visit, KIND, run)
    service, note = visit.console.service, text(visit, "note")
    service.undo(run, **visit.who, note=note)
    return back(visit, incident, "undo_asked")


def extend(visit: Visit) -> Response:
    """An act that ends by itself stands until another time, with the reason."""
    run, index = str(visit.request.path_params["run"]), int(visit.request.path_params["index"])
    incident = _incident_of(visit, KIND, run)
    stands = visit.console.service.automation.extend(
        run, index, moment(visit, "until"), text(visit, "reason"), **visit.who
    )
    return back(visit, incident, "extended" if stands else "extend_asked")


def act_first(visit: Visit) -> Response:
    """A step is done before its approval, by who is permitted to; the service checks again."""
    run, index = str(visit.request.path_params["run"]), int(visit.request.path_params["index"])
    incident = _incident_of(visit, KIND, run)
    desk, reason = visit.console.service.acting_first, text(visit, "reason")
    desk.act(run, index, reason, **visit.who, plan=visit.form.get("plan", ""))
    return back(visit, incident, "acted_first")


def finish_task(visit: Visit) -> Response:
    """A task at which a run stands is done, with the answer that it asks for."""
    run, index = str(visit.request.path_params["run"]), int(visit.request.path_params["index"])
    incident = _incident_of(visit, KIND, run)
    answer, note = visit.form.get("answer", "")[:300], visit.form.get("note", "").strip()[:1000]
    visit.console.service.automation.finish_task(run, index, **visit.who, answer=answer, note=note)
    return back(visit, incident, "task_done")


def _incident_of(visit: Visit, kind: str, identity: str) -> Incident:
    record = visit.console.records.get(kind, identity)
    held = visit.console.records.get("incident", str(record.body["incident_id"])) if record else None
    if held is None:
        raise InputError("この計画はありません。", "there is no such plan")
    return held.read_as(Incident)
