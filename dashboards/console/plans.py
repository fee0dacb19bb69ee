"""Playbook runs as the incident page shows them: each step, its undo, who must approve, who may now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.console.permits_page import permits
from dashboards.console.visit import Visit
from dashboards.users import ROLE_NAMES, Role
from hinomi.incident import Incident
from hinomi.store import Record
from responders.delegation import with_lent
from responders.playbooks.approvals import approval_id
from responders.playbooks.authority import Office
from responders.playbooks.offices import over_act, over_undo
from responders.playbooks.permits import eligible, of_run
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from responders.playbooks.standing import standing
from responders.playbooks.tasks import Tasks
from responders.roles import may_approve, same_person

OPEN = "open"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step. undo: how it is put back, in words, or that it cannot be; result: how it went."""

    what: str
    state: StepState
    undo: str
    result: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that a plan waits for, before it begins or at a gate within it. shows: what it lets happen, for a gate, and
    warned: what of it would be refused all the same; why_not: why this reader may not take it, empty if they may; asked: the end of the
    request that the shown run is at, by which an answer to a later one is told apart."""

    id: str
    until: datetime
    approver: str
    why_not: str
    asked: str
    shows: str = ""
    warned: str = ""


@dataclass(frozen=True, slots=True)
class PlanTask:
    """What a person is to do before the run goes on. choices: the answers to choose from, empty where it is just done."""

    index: int
    what: str
    choices: list[str]


@dataclass(frozen=True, slots=True)
class FirstAct:
    """What this reader may do before the approval."""

    index: int
    what: str


@dataclass(frozen=True, slots=True)
class Stands:
    """An act that ends by itself. may: whether this reader may let it stand longer; asked: who said until when, where one
    more has to."""

    index: int
    what: str
    until: datetime
    may: bool
    asked: str


@dataclass(frozen=True, slots=True)
class PlanRun:
    """One run of a playbook. warned: what its targets would refuse, while it waits for a decision; decisions, tasks: what it waits
    for now; decided: by whom, when and why; first: what the reader may do before the approval; unconfirmed: what was done so
    and until when it stands; may_first: whoever may act first now, in words, where the plan lets anybody."""

    run: Run
    title: str
    impact: str
    warned: str
    approver: str
    steps: list[PlanStep]
    decisions: list[Decision]
    tasks: list[PlanTask]
    decided: str
    may_undo: bool
    first: list[FirstAct]
    unconfirmed: list[str]
    may_first: str
    stands: list[Stands]


def of_incident(visit: Visit, incident: Incident) -> list[PlanRun]:
    """The incident's runs in the order in which they were proposed."""
    held = (visit.console.records.get(KIND, identity) for identity in incident.run_ids)
    roles = with_lent(visit.console.records, visit.actor, visit.roles, visit.console.clock.now())
    return [_shown(visit, record.read_as(Run), roles) for record in held if record]


def _shown(visit: Visit, run: Run, roles: Sequence[str]) -> PlanRun:
    """roles: the reader's own and those that they stand in for."""
    texts = visit.texts
    approval = visit.console.records.get(APPROVAL, run.id)
    return PlanRun(
        run=run,
        title=texts.of(run.title_ja, run.title_en),
        impact=texts.of(run.impact_ja, run.impact_en),
        warned=texts.of(run.warned_ja, run.warned_en) if run.state is RunState.PROPOSED else "",
        approver=role_name(visit, run.approver),
        steps=[_step(visit, step) for step in run.steps],
        decisions=_decisions(visit, run, roles),
        tasks=[_task(visit, step) for step in _waiting(run, "task") if not _done(visit, run, step)],
        decided=_decided(visit, approval) if approval else "",
        may_undo=run.undoable and _may(visit, run, over_undo(run), roles),
        first=_first(visit, run),
        unconfirmed=_unconfirmed(visit, run),
        may_first=_may_first(visit, run),
        stands=[_stands(visit, run, step, held.body, roles) for step, held in _standing(visit, run)],
    )


def _standing(visit: Visit, run: Run) -> list[tuple[RunStep, Record]]:
    held = ((step, standing(visit.console.records, run.id, step.index)) for step in run.steps if step.hours)
    return [(step, one) for step, one in held if one is not None and one.body["state"] == OPEN]


def _stands(visit: Visit, run: Run, step: RunStep, body: Mapping[str, Any], roles: Sequence[str]) -> Stands:
    """The desk checks again who may."""
    may = _may(visit, run, over_act(run, step), roles)
    what = visit.texts.of(step.title_ja, step.title_en)
    return Stands(step.index, what, datetime.fromisoformat(body["due"]), may, _agreed(visit, body))


def _may(visit: Visit, run: Run, office: Office, roles: Sequence[str]) -> bool:
    return may_approve(roles, office.who) and not same_person(visit.actor, run.requested_by)


def _agreed(visit: Visit, body: Mapping[str, Any]) -> str:
    if not (asked := body.get("asked")):
        return ""
    until = visit.when(datetime.fromisoformat(asked["until"]))
    return visit.texts("plan.extend_asked", who=visit.texts("mark.comma").join(asked["by"]), until=until)


def _first(visit: Visit, run: Run) -> list[FirstAct]:
    desk = visit.console.service.acting_first
    marked = [step for step in run.steps if step.first_hours] if run.state is RunState.PROPOSED else []
    may = [step for step in marked if not desk.why_not(run, step.index, visit.actor)]
    return [FirstAct(step.index, visit.texts.of(step.title_ja, step.title_en)) for step in may]


def _may_first(visit: Visit, run: Run) -> str:
    if run.state is not RunState.PROPOSED or not any(eligible(run, step) for step in run.steps):
        return ""
    held = [one for one in permits(visit.console.records, visit.console.clock.now()) if one.state == "holds"]
    if not held:
        return visit.texts("permits.may_nobody")
    who = visit.texts("mark.comma").join(
        visit.texts("permits.may_one", who=one.taker, until=visit.when(one.end)) for one in held
    )
    return visit.texts("permits.may", who=who)


def _unconfirmed(visit: Visit, run: Run) -> list[str]:
    """Who did what before the approval, and until when it stands without one."""
    said = []
    for step, held in of_run(visit.console.records, run):
        if held.body["state"] == "acted" and run.state is RunState.PROPOSED:
            until = visit.when(datetime.fromisoformat(held.body["until"]))
            what = visit.texts.of(step.title_ja, step.title_en)
            said.append(visit.texts("plan.unconfirmed", who=held.body["by"], what=what, until=until))
    return said


def _step(visit: Visit, step: RunStep) -> PlanStep:
    texts = visit.texts
    undo = texts("plan.can_undo" if step.can_undo else "plan.cannot_undo") if step.act else ""
    result = texts.of(step.result_ja, step.result_en)
    return PlanStep(texts.of(step.title_ja, step.title_en), step.state, undo, result)


def _decisions(visit: Visit, run: Run, roles: Sequence[str]) -> list[Decision]:
    """Requests that nobody decided on yet: for the whole plan while it is proposed, for its gates while it runs."""
    gates: list[RunStep | None] = [None] if run.state is RunState.PROPOSED else [*_waiting(run, "approve")]
    held = ((gate, visit.console.records.get(APPROVAL, approval_id(run, gate))) for gate in gates)
    return [
        _decision(visit, record, run, gate, roles)
        for gate, record in held
        if record and record.body["state"] == OPEN
    ]


def _decision(
    visit: Visit, approval: Record, run: Run, gate: RunStep | None, roles: Sequence[str]
) -> Decision:
    asked = (gate and gate.expires) or run.expires
    until = datetime.fromisoformat(approval.body["expires"])
    shows = visit.texts.of(gate.title_ja, gate.title_en) if gate else ""
    warned = visit.texts.of(gate.result_ja, gate.result_en) if gate else ""
    approver = role_name(visit, approval.body["approver"])
    why_not = _why_not(visit, approval, until, roles)
    return Decision(approval.id, until, approver, why_not, asked.isoformat(), shows, warned)


def _waiting(run: Run, kind: str) -> list[RunStep]:
    """Steps of this kind at which a run stands."""
    if run.state is not RunState.RUNNING:
        return []
    return [step for step in run.steps if step.kind == kind and step.state is StepState.WAITING]


def _task(visit: Visit, step: RunStep) -> PlanTask:
    return PlanTask(step.index, visit.texts.of(step.title_ja, step.title_en), step.choices)


def _done(visit: Visit, run: Run, step: RunStep) -> bool:
    """Whether a person answered already and the respond process has not seen it yet."""
    return Tasks(visit.console.records).of(run, step) is not None


def _why_not(visit: Visit, approval: Record, until: datetime, roles: Sequence[str]) -> str:
    """The same checks as the desk makes, said before the button is pressed; the desk decides."""
    body = approval.body
    if visit.console.clock.now() >= until:
        return visit.texts("plan.expired")
    if same_person(visit.actor, body["requested_by"]):
        return visit.texts("plan.own_request")
    if any(same_person(visit.actor, one["by"]) for one in body.get("given", [])):
        return visit.texts("plan.given")
    if not may_approve(roles, body["approver"]):
        return visit.texts("plan.wrong_role", role=role_name(visit, body["approver"]))
    return ""


def _decided(visit: Visit, approval: Record) -> str:
    body = approval.body
    if body["state"] in (OPEN, "withdrawn"):
        return ""
    words = visit.texts(f"plan.was_{body['state']}", who=body["by"])
    return f"{words} {body['note']}" if body.get("note") else words


def role_name(visit: Visit, role: str) -> str:
    """A role in the reader's language."""
    return ROLE_NAMES[Role(role)].of(visit.language) if role in set(Role) else role
