"""Playbook runs as the incident page shows them: each step, its undo, who must approve, who may now."""

from dataclasses import dataclass
from datetime import datetime

from dashboards.console.visit import Visit
from dashboards.users import ROLE_NAMES, Role
from hinomi.incident import Incident
from hinomi.store import Record
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from responders.roles import may_approve

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
    """The decision that a plan waits for. why_not: why this reader may not take it, empty if they may."""

    id: str
    until: datetime
    why_not: str


@dataclass(frozen=True, slots=True)
class PlanRun:
    """One run of a playbook. decision: None once it is taken; decided: by whom, when and why."""

    run: Run
    title: str
    impact: str
    approver: str
    steps: list[PlanStep]
    decision: Decision | None
    decided: str
    may_undo: bool


def of_incident(visit: Visit, incident: Incident) -> list[PlanRun]:
    """The incident's runs in the order in which they were proposed."""
    held = (visit.console.records.get(KIND, identity) for identity in incident.run_ids)
    return [_shown(visit, Run.model_validate(record.body)) for record in held if record]


def _shown(visit: Visit, run: Run) -> PlanRun:
    texts = visit.texts
    approval = visit.console.records.get(APPROVAL, run.id)
    waits = run.state is RunState.PROPOSED and approval is not None and approval.body["state"] == OPEN
    roles = visit.user.roles if visit.user else []
    return PlanRun(
        run=run,
        title=texts.of(run.title_ja, run.title_en),
        impact=texts.of(run.impact_ja, run.impact_en),
        approver=role_name(visit, run.approver),
        steps=[_step(visit, step) for step in run.steps],
        decision=_decision(visit, run, approval) if waits and approval else None,
        decided=_decided(visit, approval) if approval else "",
        may_undo=run.undoable and may_approve(roles, run.approver),
    )


def _step(visit: Visit, step: RunStep) -> PlanStep:
    texts = visit.texts
    undo = texts("plan.can_undo" if step.can_undo else "plan.cannot_undo") if step.act else ""
    result = texts.of(step.result_ja, step.result_en)
    return PlanStep(texts.of(step.title_ja, step.title_en), step.state, undo, result)


def _decision(visit: Visit, run: Run, approval: Record) -> Decision:
    until = datetime.fromisoformat(approval.body["expires"])
    return Decision(approval.id, until, _why_not(visit, run, until))


def _why_not(visit: Visit, run: Run, until: datetime) -> str:
    """The same checks as the desk makes, said before the button is pressed; the desk decides."""
    if visit.console.clock.now() >= until:
        return visit.texts("plan.expired")
    if visit.actor == run.requested_by:
        return visit.texts("plan.own_request")
    if visit.user is None or not may_approve(visit.user.roles, run.approver):
        return visit.texts("plan.wrong_role", role=role_name(visit, run.approver))
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
