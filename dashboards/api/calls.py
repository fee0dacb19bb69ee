"""What each line of the API does. Decisions go through the same desk as those of the pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dashboards import times
from dashboards.api.endpoint import Call, Missing, dumped
from dashboards.api.models import Found, Incident, Incidents, Listed
from dashboards.console import compliance_page, health, rules_page
from dashboards.console.casework import Casework
from dashboards.console.decisions import worker
from dashboards.console.residents import SEARCH
from hinomi.errors import InputError, QueryError
from hinomi.incident import Incident as Held
from hinomi.incident import Verdict
from hinomi.store import Record, Span

_LIMIT = 50


def incidents(call: Call) -> Incidents:
    """A page, newest number first."""
    where = {"status": call.values["status"]} if call.values.get("status") else None
    limit, offset = call.values.get("limit", _LIMIT), _offset(call)
    found = call.visit.console.records.find(
        "incident", where, order="-number", limit=limit + 1, offset=offset
    )
    items = [_shown(record.read_as(Held)) for record in found[:limit]]
    return Incidents(items=items, next=str(offset + limit) if len(found) > limit else None)


def incident(call: Call) -> Incident:
    """One incident; looking at it is audited."""
    held = wanted(call)
    call.visit.console.audit.append(
        actor=call.visit.actor, action="console.look", target=held.id, details={"api": True}
    )
    return _shown(held)


def acknowledge(call: Call) -> Incident:
    """Take it."""
    return decided(
        call,
        lambda held: call.desk.acknowledge(held.id, **call.who),
    )


def assign(call: Call) -> Incident:
    """Give it to a person who may work on it."""
    body = call.body
    person = call.visit.console.users.find(body.assignee)
    return decided(
        call,
        lambda held: call.desk.assign(held.id, worker(person, held).name, **call.who, before=body.before),
    )


def comment(call: Call) -> Incident:
    """Add a note."""
    return decided(
        call,
        lambda held: call.desk.comment(held.id, call.body.text, **call.who),
    )


def close(call: Call) -> Incident:
    """Close it with a verdict."""
    verdict = Verdict(call.body.verdict)
    return decided(
        call,
        lambda held: call.desk.close(held.id, verdict, call.body.reason, **call.who),
    )


def reopen(call: Call) -> Incident:
    """Open it again."""
    return decided(
        call,
        lambda held: call.desk.reopen(held.id, call.body.reason, **call.who),
    )


def regrade(call: Call) -> Incident:
    """Set its grade."""
    body = call.body
    before = None if body.before is None else str(body.before)
    return decided(
        call,
        lambda held: call.desk.regrade(held.id, body.grade, body.reason, **call.who, before=before),
    )


def decide(call: Call) -> Listed:
    """Approve or deny a plan; the desk checks the office, four eyes and the term."""
    identity, body = str(call.visit.request.path_params["approval"]), call.body
    try:
        if body.decision == "approve":
            made = call.desk.approve(identity, **call.who, note=body.note, plan=body.plan, until=body.until)
        else:
            made = call.desk.deny(identity, **call.who, note=body.note)
    except InputError as error:  # in the audit log: somebody answers what nobody asked
        raise Missing("この依頼はありません。", "there is no such request") from error
    return Listed(items=[dumped(made.body)], next=None)


def alerts(call: Call) -> Listed:
    """A page of alerts by id."""
    return listed(call, "alert")


def approvals(call: Call) -> Listed:
    """Requests for approval."""
    return listed(call, "approval")


def runs(call: Call) -> Listed:
    """Playbook runs."""
    return listed(call, "playbook_run")


def reports(call: Call) -> Listed:
    """Reports that were made; where their files lie on the server is not told."""
    found = listed(call, "report")
    for report in found.items:
        report["files"] = [{key: one[key] for key in one if key != "path"} for one in report["files"]]
    return found


def events(call: Call) -> Found:
    """A search. Logs about residents are left out unless a reason counts for the token's user."""
    values, console = call.values, call.visit.console
    query, names, span = looked_in(call)
    if not names:
        return Found(items=[], total=0, next=None)
    found = console.events.search(
        query, datasets=names, span=span, limit=values.get("limit", _LIMIT), after=values.get("after")
    )
    console.audit.append(
        actor=call.visit.actor, action="console.search", target=values.get("q", ""), details={"api": True}
    )
    return Found(items=dumped(found.rows), total=found.total, next=found.after)


def looked_in(call: Call) -> tuple[str, list[str], Span]:
    """(the query, the datasets that it may be asked of, the time): logs about residents are left out unless a reason counts, and
    refused where they are asked for by name. Raises Refused, QueryError."""
    visit, values = call.visit, call.values
    console = visit.console
    asked, held = values.get("dataset"), [one.name for one in console.events.datasets()]
    if asked in held:
        console.residents.ask(visit, SEARCH, [asked])
    seal = console.residents.seal(visit.actor, SEARCH)
    names = seal.open(name for name in held if asked in (None, "", name))
    return seal.only(values.get("q", "")), names, Span(_time(values.get("from")), _time(values.get("to")))


def sources(call: Call) -> Listed:
    """Health of every source."""
    console = call.visit.console
    found = health.sources(console.records, console.clock.now())
    return Listed(items=[dumped(one) for one in found], next=None)


def rules(call: Call) -> Listed:
    """Rules in force with their figures of the last 30 days."""
    return Listed(
        items=[dumped(one) | {"precision": one.precision} for one in rules_page.kept(call.visit)], next=None
    )


def compliance(call: Call) -> Listed:
    """Every control with its state and what was found."""
    items = [
        {
            "id": one.control.id,
            "clause": one.control.clause,
            "title": dumped(one.control.title),
            "state": one.state.value,
            "source": one.control.source.ja,
            "inferred": one.control.inferred,
            "number_inferred": one.control.number_inferred,
            "evidence": [dumped(outcome) for outcome in one.outcomes],
            "person": dumped(one.control.person) if one.control.person.ja else None,
            "attested": dumped(one.attested) if one.attested and one.attested.said else None,
            "version": one.version,
            "owner": one.owner,
            "due": one.due,
            "late": one.late,
            "exceptions": one.exceptions,
        }
        for one in compliance_page.judged(call.visit.console)
    ]
    return Listed(items=items, next=None)


def listed(call: Call, kind: str) -> Listed:
    limit, offset = call.values.get("limit", _LIMIT), _offset(call)
    found = call.visit.console.records.find(kind, limit=limit + 1, offset=offset)
    items = bodies_of(found[:limit])
    return Listed(items=items, next=str(offset + limit) if len(found) > limit else None)


def one(record: Record) -> Listed:
    """What was made or changed."""
    return several([record])


def several(records: Sequence[Record]) -> Listed:
    """All of them, on one page."""
    return Listed(items=bodies_of(records), next=None)


def bodies_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Records as the API gives them."""
    return [dumped({"id": record.id, **record.body}) for record in records]


def _offset(call: Call) -> int:
    text = call.values.get("after", "0") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InputError("after の値が正しくありません。", "the value of after is not valid")
    return int(text)


def wanted(call: Call) -> Held:
    number = int(call.visit.request.path_params["number"])
    found = Casework(call.visit.console.records).incident(number) if number < 2**53 else None
    if found is None:
        raise Missing("この番号のインシデントはありません。", "there is no incident with this number")
    return found


def decided(call: Call, act: Callable[[Held], Held]) -> Incident:
    return _shown(act(wanted(call)))


def _shown(held: Held) -> Incident:
    return Incident.model_validate(held.model_dump(mode="json"))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = times.given(text)
    if moment is None:
        raise QueryError("時刻を読めません。", "the time cannot be read")
    if not 1971 <= moment.year <= 2200:
        raise QueryError("この年は使えません。", "this year cannot be used")
    return moment
