"""Work on a case: tasks, joining and parting, who was told, reports that are due, evidence, exceptions."""

from typing import Any

from dashboards.api import bodies
from dashboards.api.calls import decided, listed, one, several, wanted
from dashboards.api.endpoint import AFTER, LIMIT, Call, Endpoint, Missing
from dashboards.api.models import Incident, Listed, Nothing
from dashboards.console import by_hand
from dashboards.console.access import Access
from dashboards.console.casework import Casework
from hinomi.errors import InputError
from hinomi.store import Record
from responders.cases import TASK
from responders.duties.clocks import KIND as CLOCK
from responders.incidents import tuning
from responders.incidents.casefile import family
from responders.incidents.evidence import KIND as EVIDENCE
from responders.incidents.reported import KIND as REPORTED
from responders.opening import Report

MOST_EVIDENCE = 24 << 20  # bytes of the JSON, three quarters of which are the file


def tasks(call: Call) -> Listed:
    """The incident's tasks."""
    return several(call.desk.cases.tasks(wanted(call).id))


def add_task(call: Call) -> Listed:
    """Something that somebody has to do."""
    body = call.body
    made = call.desk.cases.add_task(
        wanted(call).id,
        body.title,
        **call.who,
        assignee=body.assignee,
        due=body.due,
    )
    return one(made)


def finish_task(call: Call) -> Listed:
    """It is done, or need not be done any more."""
    body = call.body
    held = _piece(call, TASK, "task")
    done = call.desk.cases.finish_task(held.id, **call.who, note=body.note, dropped=body.outcome == "dropped")
    return one(done)


def merge(call: Call) -> Incident:
    """Join incidents: the oldest takes in the others."""
    visit, body = call.visit, call.body
    casework = Casework(visit.console.records)
    found = [casework.incident(number) for number in body.others]
    if None in found:
        raise InputError("この番号のインシデントはありません。", "there is no incident with this number")
    ids = [one.id for one in found if one is not None]
    return decided(
        call,
        lambda held: call.desk.cases.merge(held.id, ids, body.reason, **call.who),
    )


def split(call: Call) -> Listed:
    """Alerts become an incident of their own, at the next round of the respond process."""
    body = call.body
    return one(call.desk.cases.split(wanted(call).id, body.alerts, body.reason, **call.who))


def open_by_hand(call: Call) -> Listed:
    """A report is taken in; the respond process opens its incident at its next round."""
    body = call.body
    said = body.model_dump() | {"organization": by_hand.organization(call.visit, body.organization)}
    return one(call.desk.opening.open(Report(**said), **call.who))


def report(call: Call) -> Listed:
    """A report, and once it is taken up the number of its incident."""
    held = call.visit.console.records.get(REPORTED, _part(call, "report"))
    if held is None:
        raise Missing("この届けはありません。", "there is no such report")
    return one(held)


def start(call: Call) -> Listed:
    """A plan of a playbook is asked for; the respond process proposes it at its next round."""
    body = call.body
    return one(call.desk.starting.start(wanted(call).id, body.playbook, body.targets, **call.who))


def told(call: Call) -> Listed:
    """Somebody was told something."""
    visit, body = call.visit, call.body
    made = call.desk.contacts.told(
        wanted(call).id,
        body.whom,
        body.what,
        by_way_of=body.way,
        at=body.at or visit.console.clock.now(),
        **call.who,
        answer=body.answer,
    )
    return one(made)


def clocks(call: Call) -> Listed:
    """Report clocks of the incident: what is due to whom by when, who decided."""
    return several(call.desk.clocks.of(wanted(call).id))


def start_clock(call: Call) -> Listed:
    """A report is due: from when the city knew, and why."""
    body = call.body
    made = call.desk.clocks.start(
        wanted(call).id,
        _part(call, "duty"),
        body.known,
        body.why,
        **call.who,
        wrongful=body.wrongful,
    )
    return one(made)


def decline_clock(call: Call) -> Listed:
    """No report is due, with the reason."""
    made = call.desk.clocks.decline(wanted(call).id, _part(call, "duty"), call.body.why, **call.who)
    return one(made)


def report_versions(call: Call) -> Listed:
    """The versions of a report's draft, oldest first."""
    return several(call.desk.reports.versions(_clock(call)))


def draft_report(call: Call) -> Listed:
    """A new version, filled from what is known now."""
    made = call.desk.reports.draft(_clock(call), **call.who)
    return one(made)


def edit_report(call: Call) -> Listed:
    """A new version with items changed."""
    made = call.desk.reports.edit(_clock(call), call.body.fields, base=call.body.version, **call.who)
    return one(made)


def approve_report(call: Call) -> Listed:
    """A version may go out."""
    made = call.desk.reports.approve(_clock(call), call.body.version, **call.who)
    return one(made)


def sent_report(call: Call) -> Listed:
    """The approved version went out."""
    body = call.body
    made = call.desk.reports.sent(_clock(call), body.version, body.how, body.at, **call.who)
    return one(made)


def evidence(call: Call) -> Listed:
    """What was collected, with hashes and chain of custody."""
    return several(call.desk.cases.evidence(wanted(call).id))


def take_evidence(call: Call) -> Listed:
    """A file goes into the vault."""
    body = call.body
    made = call.desk.cases.take_evidence(
        wanted(call).id,
        body.name,
        body.content,
        origin=body.origin,
        **call.who,
        note=body.note,
    )
    return one(made)


def hand_evidence(call: Call) -> Listed:
    """Somebody takes a piece in hand."""
    piece = _piece(call, EVIDENCE, "piece")
    made = call.desk.cases.hand_evidence(piece.id, call.body.note, **call.who)
    return one(made)


def exceptions(call: Call) -> Listed:
    """Proposed exceptions of detection and what became of them."""
    return listed(call, tuning.KIND)


def propose_exception(call: Call) -> Listed:
    """Silence a rule for what a false alarm was about; another person reviews it."""
    body, cases = call.body, call.desk.cases
    incident = wanted(call)
    where = body.where if body.where is not None else cases.suggest_filter(incident.id, body.rule_id)
    made = cases.propose_filter(incident.id, body.rule_id, where, body.reason, body.until, **call.who)
    return one(made)


def review_exception(call: Call) -> Listed:
    """Approve or refuse somebody else's proposal."""
    body = call.body
    made = call.desk.cases.review_filter(_exception(call), body.decision == "approve", body.note, **call.who)
    return one(made)


def end_exception(call: Call) -> Listed:
    """The rule speaks again."""
    visit, identity = call.visit, _exception(call)
    call.desk.cases.end_filter(identity, **call.who)
    return several([one for one in [visit.console.records.get(tuning.KIND, identity)] if one])


def _exception(call: Call) -> str:
    identity = _part(call, "exception")
    if call.visit.console.records.get(tuning.KIND, identity) is None:
        raise Missing("この例外はありません。", "there is no such exception")
    return identity


def _clock(call: Call) -> str:
    """The id of the incident's clock for the duty of the address."""
    duty, held = _part(call, "duty"), call.desk.clocks.of(wanted(call).id)
    found = next((one.id for one in held if one.body["duty"] == duty), None)
    if found is None or call.visit.console.records.get(CLOCK, found) is None:
        raise Missing("この報告の期限は始まっていません。", "no clock of this report has been started")
    return found


def _piece(call: Call, kind: str, name: str) -> Record:
    """A record of this very incident. Raises Missing for any other."""
    incident, held = wanted(call), call.visit.console.records.get(kind, _part(call, name))
    if held is None or held.body["incident_id"] not in family(incident):
        raise Missing("このインシデントにはありません。", "the incident has no such thing")
    return held


def _part(call: Call, name: str) -> str:
    return str(call.visit.request.path_params[name])


R, W, A = Access.READ, Access.WORK, Access.APPROVE
ONE = "/incidents/{number:int}"
_DUTY = f"{ONE}/duties/{{duty}}"


def _act(path: str, access: Access, about: str, handler: Any, given: Any, **more: Any) -> Endpoint:
    return Endpoint("POST", path, access, about, handler, Listed, given, desk=True, apart=True, **more)


def _quiet(path: str, access: Access, about: str, handler: Any, given: Any) -> Endpoint:
    """An exception silences a rule for everybody: not for who sees some organisations only."""
    return Endpoint("POST", path, access, about, handler, Listed, given, desk=True)


def _look(path: str, about: str, handler: Any) -> Endpoint:
    return Endpoint("GET", path, R, about, handler, Listed, apart=True)


ENDPOINTS = (
    _act("/incidents/open", W, "Open an incident by hand", open_by_hand, bodies.Open),
    Endpoint("GET", "/reported/{report}", W, "A report and its incident", report, Listed, apart=True),
    _look(f"{ONE}/tasks", "Tasks of an incident", tasks),
    _act(f"{ONE}/tasks", W, "Add a task", add_task, bodies.Task),
    _act(f"{ONE}/tasks/{{task}}", W, "Finish or drop a task", finish_task, bodies.Finish),
    Endpoint(
        "POST", f"{ONE}/merge", W, "Join incidents", merge, Incident, bodies.Merge, desk=True, apart=True
    ),
    _act(f"{ONE}/split", W, "Part an incident", split, bodies.Split),
    _act(f"{ONE}/start", W, "Start a playbook", start, bodies.Start),
    _act(f"{ONE}/told", W, "Note who was told", told, bodies.Told),
    _look(f"{ONE}/duties", "Report clocks", clocks),
    _act(f"{_DUTY}/start", W, "A report is due", start_clock, bodies.Known),
    _act(f"{_DUTY}/decline", A, "No report is due", decline_clock, bodies.Why),
    _look(f"{_DUTY}/draft", "Versions of a report", report_versions),
    _act(f"{_DUTY}/draft", W, "Draft a report", draft_report, Nothing),
    _act(f"{_DUTY}/edit", W, "Change items of a report", edit_report, bodies.Fields, most=512 * 1024),
    _act(f"{_DUTY}/approve", A, "Approve a report", approve_report, bodies.Version),
    _act(f"{_DUTY}/sent", W, "Note that a report went out", sent_report, bodies.Sent),
    _look(f"{ONE}/evidence", "Evidence with its chain of custody", evidence),
    _act(f"{ONE}/evidence", W, "Keep a file as evidence", take_evidence, bodies.Evidence, most=MOST_EVIDENCE),
    _act(f"{ONE}/evidence/{{piece}}/hand", W, "Take evidence in hand", hand_evidence, bodies.Note),
    _quiet(f"{ONE}/exceptions", W, "Propose an exception", propose_exception, bodies.Quiet),
    Endpoint("GET", "/exceptions", R, "Exceptions of detection", exceptions, Listed, None, (LIMIT, AFTER)),
    _quiet("/exceptions/{exception}/review", A, "Review an exception", review_exception, bodies.Review),
    _quiet("/exceptions/{exception}/end", W, "End an exception", end_exception, Nothing),
)
