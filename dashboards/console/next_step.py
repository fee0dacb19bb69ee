"""The one right next step of an incident: in words, what will happen, how it is undone, and whose it is.

The order is that of a night on call: somebody takes it, somebody decides on the plan, people do their tasks, reports
and calls go out in time, then it is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards.console.on_duty import person_name, rota
from dashboards.console.plans import Decision, PlanRun, PlanTask
from dashboards.console.visit import Visit
from dashboards.duties import Obligation
from hinomi.incident import Incident, Status
from responders.duties.contacts import Body
from responders.incidents.casefile import needs_a_person, waits_since
from responders.roles import RANKS

_SOON = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class NextStep:
    """kind: which form the page shows; calls: (name, telephone) of whom to call; may: whether this reader may do it."""

    kind: str
    words: str
    happens: str
    undo: str
    who: str
    may: bool
    plan: PlanRun | None = None
    decision: Decision | None = None
    task: PlanTask | None = None
    calls: tuple[tuple[str, str], ...] = ()
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What lies on the table: the runs, the reports that may be due, whom the contact tree still asks to tell."""

    runs: Sequence[PlanRun]
    obligations: Sequence[Obligation]
    contacts: Sequence[tuple[str, Body]]


def next_step(visit: Visit, incident: Incident, table: Table, *, may_work: bool) -> NextStep | None:
    """The first thing that is still to be done; None for an incident that is closed."""
    if incident.status is Status.CLOSED:
        return None
    if needs_a_person(incident):
        return _take(visit, incident, may_work=may_work)
    return (
        _decide(visit, table.runs)
        or _task(visit, table.runs, may_work=may_work)
        or _ask(visit, table.runs)
        or _report(visit, table.obligations, may_work=may_work)
        or _tell(visit, table.contacts, may_work=may_work)
        or _judge(visit, may_work=may_work)
    )


def _take(visit: Visit, incident: Incident, *, may_work: bool) -> NextStep:
    texts = visit.texts
    return NextStep(
        "take",
        texts("step.take"),
        f"{texts('step.take_happens')} {_next_call(visit, incident)}".strip(),
        texts("step.take_undo"),
        texts("step.workers"),
        may_work,
    )


def _next_call(visit: Visit, incident: Incident) -> str:
    """Who would be called next and when, where nobody takes it."""
    if not visit.console.responding.oncall.people:
        return ""
    chain, now = rota(visit.console), visit.console.clock.now()
    since = waits_since(incident)
    asked = chain.due(incident.grade, now - since, now, incident.zones)
    after = chain.next_call(incident.grade, since, now - since, incident.zones, asked)
    if after is None:
        return visit.texts("step.all_called")
    names = visit.texts("mark.comma").join(person_name(visit, name) for name in after[1])
    return visit.texts("step.next_call", at=visit.when(after[0]), names=names)


def _decide(visit: Visit, runs: Sequence[PlanRun]) -> NextStep | None:
    for plan in runs:
        for decision in plan.decisions:
            if not decision.why_not:
                return _about(visit, plan, decision, "decide", visit.texts("step.decide", plan=plan.title))
    return None


def _ask(visit: Visit, runs: Sequence[PlanRun]) -> NextStep | None:
    for plan in runs:
        for decision in plan.decisions:
            words = visit.texts("step.ask", plan=plan.title, role=decision.approver)
            return _about(visit, plan, decision, "ask", words)
    return None


def _about(visit: Visit, plan: PlanRun, decision: Decision, kind: str, words: str) -> NextStep:
    texts = visit.texts
    until = visit.when(decision.until)
    return NextStep(
        kind,
        words,
        _happens(visit, plan, decision),
        texts("step.undo_none") if plan.run.dry_run else _undo(visit, plan),
        texts("step.office", role=decision.approver, until=until),
        kind == "decide",
        plan,
        decision,
        calls=() if kind == "decide" else _holders(visit, plan),
    )


def _happens(visit: Visit, plan: PlanRun, decision: Decision) -> str:
    """A dry run says first that nothing changes, then what would, were the playbook armed."""
    texts, what = visit.texts, decision.shows or plan.impact
    if plan.run.dry_run:
        return f"{texts('plan.dry_lead')} {texts('step.would', what=what)}"
    return f"{what} {texts('step.acts')}"


def _undo(visit: Visit, plan: PlanRun) -> str:
    """How many acts can be undone, and which cannot."""
    texts, acts = visit.texts, [one for one in plan.run.steps if one.act]
    back = sum(one.can_undo for one in acts)
    never = [texts.of(one.title_ja, one.title_en) for one in acts if not one.can_undo]
    said = texts("step.undo_n", n=back) if back else ""
    if never:
        said += texts("step.undo_never", names=texts("mark.comma").join(never[:3]))
    return said or texts("step.undo_none")


def _holders(visit: Visit, plan: PlanRun) -> tuple[tuple[str, str], ...]:
    """Whom to call for the approval: contacts who hold the office or one above it."""
    oncall, office = visit.console.responding.oncall, plan.run.approver
    if office not in RANKS:
        return ()
    return tuple(
        (visit.texts.of(one.name_ja, one.name_en), one.phone)
        for one in (oncall.people[name] for name in oncall.holders(office))
    )


def _task(visit: Visit, runs: Sequence[PlanRun], *, may_work: bool) -> NextStep | None:
    texts = visit.texts
    for plan in runs:
        for task in plan.tasks:
            return NextStep(
                "task",
                task.what,
                texts("step.task_happens", plan=plan.title),
                texts("step.task_undo"),
                texts("step.workers"),
                may_work,
                plan,
                task=task,
            )
    return None


def _report(visit: Visit, obligations: Sequence[Obligation], *, may_work: bool) -> NextStep | None:
    texts, now = visit.texts, visit.console.clock.now()
    for one in obligations:
        what = texts("step.what_to", what=one.duty.what.of(visit.language), to=one.duty.to.of(visit.language))
        if one.undecided and one.urgent:
            return NextStep(
                "report",
                texts("step.report_decide", what=what),
                texts("step.report_decide_happens"),
                texts("step.report_undo"),
                texts("step.report_who"),
                may_work,
                anchor="#duties",
            )
        if one.state == "running" and (one.due is None or one.due - now < _SOON):
            due = visit.when(one.due) if one.due else texts("step.at_once")
            return NextStep(
                "report",
                texts("step.report_send", what=what, due=due),
                texts("step.report_send_happens"),
                texts("step.report_send_undo"),
                texts("step.report_who"),
                may_work,
                anchor=one.address,
            )
    return None


def _tell(visit: Visit, contacts: Sequence[tuple[str, Body]], *, may_work: bool) -> NextStep | None:
    texts = visit.texts
    if not contacts:
        return None
    _, body = contacts[0]
    return NextStep(
        "tell",
        texts("step.tell", name=body.name_ja),
        texts("step.tell_happens"),
        texts("step.tell_undo"),
        texts("step.workers"),
        may_work,
        calls=((body.name_ja, body.phone),),
        anchor="#contacts",
    )


def _judge(visit: Visit, *, may_work: bool) -> NextStep:
    texts = visit.texts
    return NextStep(
        "judge",
        texts("step.judge"),
        texts("step.judge_happens"),
        texts("step.judge_undo"),
        texts("step.workers"),
        may_work,
        anchor="#verdict",
    )
