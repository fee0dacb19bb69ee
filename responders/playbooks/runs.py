"""Running playbooks: proposed, approved by people, journalled step by step, never twice, undone in reverse.

The console writes approvals and answers; only this code, in the respond process, acts on them. A step is journalled as
started, with what the target looked like, before the target is touched; acts are idempotent, so a step found started
after a crash is simply done again, and undo restores what was journalled. Branches go on independently of one another:
one that waits for a person or a target holds up none of the others.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from hinomi.clock import Clock
from hinomi.errors import Conflict, Refused
from hinomi.faults import Faults
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.connectors.catalogue import Connectors
from responders.incidents import casefile
from responders.playbooks import condition, switch
from responders.playbooks.approvals import Approvals, too_old
from responders.playbooks.book import Book, Kept
from responders.playbooks.calling_off import CallingOff, no_threat, told
from responders.playbooks.first import First, FirstPermission
from responders.playbooks.foretold import Foretold, Patience
from responders.playbooks.gates import Gates
from responders.playbooks.limits import Limits
from responders.playbooks.news import (
    ASKED_ANEW,
    COMPENSATED,
    HALTED,
    OTHER_SYSTEMS,
    TAKEN_UP,
    UNDO_VOID,
    VOID,
    WORDS,
    News,
    lifted,
)
from responders.playbooks.offices import over_undo
from responders.playbooks.permission import Permission
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import APPROVAL, KIND, NOT_MET, Run, RunState, RunStep, StepState
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.standing import Standing
from responders.playbooks.stepping import Stepping
from responders.playbooks.systems import named
from responders.playbooks.turns import Turns
from responders.playbooks.undoing import Undoing, left
from responders.playbooks.world import World

__all__ = ["Connectors", "Runs"]
_TOO_OLD = "too_old"
_HALFWAY = (
    "前の手順が失敗したため、途中でやめました。対象は変わっているかもしれません。",
    "given up halfway as an earlier step failed: the target may have been changed",
)


@dataclass(slots=True)
class Runs:
    """The engine. One process runs it."""

    records: Records
    clock: Clock
    audit: Audit
    settings: PlaybookSettings
    playbooks: Mapping[str, Playbook]
    world: World
    news: list[News] = field(default_factory=list)
    turns: Turns = field(init=False)
    patience: Patience = field(default_factory=Patience)
    _configured: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.turns = Turns(self.records)

    def propose(self, run: Run) -> Run:
        """Keep a proposed run; one that was proposed before stays as it is unless its plan grew undecided."""
        run = named(run, self.world.connectors)
        held = self.records.get(KIND, run.id)
        if held is None:
            return self._propose_new(run)
        known = held.read_as(Run)
        anew = known.state is RunState.WITHDRAWN  # its incident was opened again
        begun = any(
            step.touched for step in known.steps
        )  # somebody acted first: what was found must not be lost
        if not anew and (begun or known.state is not RunState.PROPOSED or known.plan_hash == run.plan_hash):
            return known
        run = self._foretold.of_plan(run)
        if not self._approvals.ask(run):
            return known  # a person has decided on the plan as it was
        self._book.put(run, held.version)
        self._book.say(run, "proposed_anew" if anew else "plan_changed", {"plan": run.plan_hash})
        return run

    def withdraw(self, run: Run) -> Run | None:
        """Take back a plan that nobody has decided on, as what it was for is gone; None where somebody has, or acted first."""
        record = self.records.get(KIND, run.id)
        if record is None or record.read_as(Run).state is not RunState.PROPOSED:
            return None
        if any(step.touched for step in run.steps) or not self._approvals.withdraw(run):
            return None
        run, record, _ = self._first.ended(record.read_as(Run), record, RunState.WITHDRAWN.value)
        return self._book.move(run, record, RunState.WITHDRAWN, by="")[0]

    def take_up(self, run_id: str, *, undone: bool) -> Run | None:
        """Its incident was a threat all the same: what was called off goes on but for acts, which are planned anew (undone: also those
        that were put back). None where nothing of it was called off, or it is still being put back: then it goes on behind that."""
        while (record := self.records.get(KIND, run_id)) is not None:
            run = record.read_as(Run)
            if run.state not in (RunState.DONE, RunState.FAILED, RunState.UNDONE):
                return None
            with suppress(Conflict):  # a person asked for it to be put back in this very moment
                taken = self._calling_off.taken_up(run, record, undone=undone)
                if taken is not None and taken.state is RunState.RUNNING:
                    self.turns.new(run_id)
                return taken
        return None

    def tick(self) -> list[News]:
        """Act on decisions and go on with what was begun; returns runs that changed, in words.

        What one run holds may be broken: the others have their turn, then it is raised; `news` holds what there is to say.
        One that somebody wrote in this very moment is left to the next round, which sees what there is.
        """
        self.news = []
        with Faults() as faults:
            for record in self.turns.each():
                with faults.kept(), suppress(Conflict):
                    self._turn(record)
            with faults.kept():
                self._lift()
        return self.news

    def _turn(self, record: Record) -> None:
        run = record.read_as(Run)
        if run.state is RunState.PROPOSED:
            self._decide(run, record)
        elif run.state is RunState.RUNNING:
            self._go_on(run, record)
        else:
            self._undo(run, record)

    def _lift(self) -> None:
        if not self._stopped():
            for run, step in self._undoing.lift(Standing(self.records, self.clock), self._stopped):
                self.news.append((run, lifted(step)))

    def _propose_new(self, run: Run) -> Run:
        if not any(step.act or (step.kind == "approve" and not step.for_acts) for step in run.steps):
            run = run.model_copy(update={"state": RunState.RUNNING, "dry_run": False})  # only people's work
            self._book.put(run, 0)
        else:
            run = self._foretold.of_plan(run)
            self._book.put(run, 0)
            self._approvals.ask(run)
        self._book.say(run, "proposed", {"playbook": run.playbook})
        self.turns.new(run.id)
        return run

    def _ask_again(self, run: Run, record: Record) -> None:
        """Nobody decided in time: the same plan is put anew, with as much time as before."""
        now = self.clock.now()
        renewed = run.model_copy(update={"expires": now + (run.expires - run.created), "created": now})
        renewed = self._foretold.of_plan(renewed)
        if self._approvals.ask(renewed):
            self._book.say(run, "asked_again", {"playbook": run.playbook})
            self._book.keep(renewed, record)

    def _decide(self, run: Run, record: Record) -> None:
        if casefile.is_closed(self.records, run.incident_id) and self._approvals.withdraw(run):
            self._end(run, record, RunState.WITHDRAWN, by="")
            return
        run, record = self._as_configured(run, record)
        approval = self.records.get(APPROVAL, run.id)
        if approval is None or approval.body["plan_hash"] != run.plan_hash:
            if approval is not None:  # else a crash came between proposing and asking
                self._book.void(run, approval, "plan_changed")
            self._approvals.ask(run, void=approval)
            return
        decision, by = approval.body["state"], str(approval.body.get("by", ""))
        if decision == "approved" and (why := self._void_because(run, approval)):
            self._book.void(run, approval, why)
            self._approvals.ask(run, void=approval)
            self.news.append((run, ASKED_ANEW if why == _TOO_OLD else VOID))
        elif decision == "denied":
            self._end(run, record, RunState.DENIED, by=by)
        elif decision == "approved":
            people = [str(one["by"]) for one in approval.body["given"]]
            self._first.confirmed(run, people)
            moved, record = self._move(run, record, RunState.RUNNING, by=by, approved_by=people)
            self._go_on(moved, record)
        elif not run.created <= self.clock.now() < run.expires:  # or put before the clock was set back
            self._ask_again(run, record)
        else:
            self._before_approval(run, record)

    def _as_configured(self, run: Run, record: Record) -> Kept:
        """Once after a start: where its acts are for other systems by now, nobody has approved that, and it is asked anew."""
        if run.id in self._configured:
            return run, record
        now, approval = named(run, self.world.connectors), self.records.get(APPROVAL, run.id)
        begun = any(step.touched for step in run.steps)  # it is for those that were looked at
        decision = approval.body["state"] if approval else ""
        if now != run and decision != "denied" and not begun:
            if changed := now.plan_hash != run.plan_hash:
                now = self._foretold.of_plan(now)
            run, record = self._book.keep(now, record)
            if changed:
                self._book.say(run, "plan_changed", {"plan": run.plan_hash})
            if changed and decision == "approved":
                self.news.append((run, OTHER_SYSTEMS))
        self._configured.add(run.id)
        return run, record

    def _end(self, run: Run, record: Record, state: RunState, *, by: str) -> None:
        """Denied or withdrawn, once what somebody did first is put back."""
        run, record, over = self._first.ended(run, record, state.value)
        if over:
            self._move(run, record, state, by=by)

    def _void_because(self, run: Run, approval: Record) -> str:
        """Empty where the approval was given by people who may, is genuine, answers this very request and is not stale."""
        if not self._approvals.genuine(approval):
            return "forged"
        if approval.body["expires"] != run.expires.isoformat():
            return "replayed"
        if too_old(approval, self.clock.now()):
            return _TOO_OLD
        try:
            people = [str(one["by"]) for one in approval.body["given"]]
            self._permission.people(run, people, run.approver, run.people)
        except Refused as error:
            return error.en
        return ""

    def _before_approval(self, run: Run, record: Record) -> None:
        """What does not wait while people still decide: evidence at the head of a plan that may act, and what a permitted
        responder does first."""
        if run.dry_run or self._stopped():
            return
        run, record = self._keep_evidence_early(run, record)
        self._first.go_on(run, record)

    def _keep_evidence_early(self, run: Run, record: Record) -> Kept:
        for step in run.steps:
            if step.kind != "evidence" or any(not run.step(i).settled for i in step.after):
                break
            if not step.settled and not self._limits.waits(step):
                run, record = self._stepping.take(run, record, step)
        return run, record

    def _go_on(self, run: Run, record: Record) -> None:
        """Every step that may begin, until none goes any further now."""
        if self._stopped() and not run.dry_run:
            return
        if run.broken:  # the process died, or the switch was thrown, before it was ended
            self._after_failure(run, record)
            return
        if self._called_off(run, record):
            return
        moved = True
        while moved:
            moved = False
            for index in [step.index for step in run.steps]:
                step = run.step(index)
                if step.settled or self._limits.waits(step) or not self._ready(run, step):
                    continue
                if self._stopped() and not run.dry_run:
                    return  # the switch was thrown while the step before was done
                if step.act and self._called_off(run, record):
                    return
                before = record.version
                run, record = self._take(run, record, step)
                if run.state is not RunState.RUNNING:
                    return  # a person has stopped it while the step was done
                moved = moved or record.version != before
                if run.broken:
                    self._after_failure(run, record)
                    return
        if all(step.settled for step in run.steps):
            self._move(run, record, _over(run), by=run.decided_by)

    def _called_off(self, run: Run, record: Record) -> bool:
        """Whether its incident was no threat: then it is over."""
        verdict = no_threat(self.records, run.incident_id)
        if verdict is None:
            return False
        run, record = self._calling_off.rest(run, record, verdict)
        moved, _ = self._book.move(run, record, _over(run), by=run.decided_by)
        self.news.append((moved, told(verdict)))
        return True

    def _take(self, run: Run, record: Record, step: RunStep) -> Kept:
        """The step, or why it is passed over."""
        gate = run.covering(step)
        goes_on = gate is None or gate.state in (StepState.DONE, StepState.SIMULATED)
        if not goes_on and not (gate and gate.moot and not step.act):
            return self._pass_over(run, record, step, "承認されなかったため、行いません。", "not approved")
        if not all(condition.read(text).holds(run.facts, run.answers) for text in step.when):
            return self._pass_over(run, record, step, NOT_MET.ja, NOT_MET.en)
        return self._stepping.take(run, record, step)

    def _pass_over(self, run: Run, record: Record, step: RunStep, ja: str, en: str) -> Kept:
        passed = {"state": StepState.SKIPPED, "result_ja": ja, "result_en": en}
        return self._book.keep_step(run, record, step.model_copy(update=passed))

    def _ready(self, run: Run, step: RunStep) -> bool:
        gate = run.covering(step)
        before = [*(run.step(index) for index in step.after), *([gate] if gate else [])]
        return all(one.settled for one in before)

    def _after_failure(self, run: Run, record: Record) -> None:
        """Nothing new begins, no gate waits any more; what was done is put back in reverse order where the playbook says so. Not because an
        approval grew old: time alone lifts no containment, a person does."""
        for step in run.steps:
            if step.kind == "approve" and not step.settled:
                self._approvals.withdraw(run, step)
        if run.on_failure == "undo" and not run.dry_run and not any(one.aged for one in run.steps):
            self._book.say(run, "compensating", {"playbook": run.playbook})
            fresh = [step.model_copy(update={"attempts": 0, "again_at": None}) for step in run.steps]
            undoing = run.model_copy(
                update={"state": RunState.UNDOING, "undo_because": "failure", "steps": fresh}
            )
            self._undo(*self._book.keep(undoing, record))
            return
        for step in run.steps:
            if step.touched and not step.settled:
                self._stepping.given_up(run, step)
                run, record = self._book.keep_step(run, record, step.as_ended(StepState.FAILED, *_HALFWAY))
            elif not step.settled:
                words = "前の手順が失敗したため、行いません。", "an earlier step failed"
                run, record = self._pass_over(run, record, step, *words)
        self._move(run, record, RunState.FAILED, by=run.decided_by)

    def _undo(self, run: Run, record: Record) -> None:
        failure = run.undo_because == "failure"
        if failure and self._stopped():
            return
        if not failure and not self._may_undo(run):
            back = _as_it_was(run)
            self._book.keep(back, record)
            self.news.append((back, UNDO_VOID))
            return
        if run.halted:
            run, record = self._halt(run, record)
        run, record, over = self._undoing.back(run, record, self._stopped if failure else lambda: False)
        if not over:
            return
        state = RunState.FAILED if left(run) else RunState.UNDONE
        self._move(run, record, state, by=run.decided_by)
        if failure and state is RunState.UNDONE:
            self.news[-1] = (self.news[-1][0], COMPENSATED)
        elif no_threat(self.records, run.incident_id) is None and (
            taken := self.take_up(run.id, undone=False)
        ):
            self.news.append((taken, TAKEN_UP))

    def _halt(self, run: Run, record: Record) -> Kept:
        """What is not begun is not done any more, and no gate waits for an answer; what is begun and cannot be put back is given up."""
        left = [one for one in run.steps if not one.settled and not (one.touched and one.can_undo)]
        if not left:
            return run, record
        for step in left:
            if step.kind == "approve":
                self._approvals.withdraw(run, step)
        self._book.say(run, "halted", {"steps": [one.index for one in left]}, actor=run.decided_by)
        kept = self._book.keep_steps(run, record, [_halted(one, run.decided_by) for one in left])
        self.news.append((run, HALTED))
        return kept

    def _may_undo(self, run: Run) -> bool:
        try:
            self._permission.person(run, run.decided_by, over_undo(run).who)
        except Refused as error:
            self._book.say(run, "undo_void", {"by": run.decided_by, "reason": error.en})
            return False
        return True

    def _move(
        self, run: Run, record: Record, state: RunState, *, by: str, approved_by: list[str] | None = None
    ) -> Kept:
        more = {"approved_by": approved_by} if approved_by is not None else {}
        moved, record = self._book.move(run, record, state, by=by, **more)
        self.news.append((moved, WORDS[state]))
        return moved, record

    def _stopped(self) -> bool:
        return switch.stopped(self.records, self.settings)

    @property
    def _book(self) -> Book:
        return Book(self.records, self.clock, self.audit)

    @property
    def _approvals(self) -> Approvals:
        return Approvals(self.records, self.clock, self.audit)

    @property
    def _calling_off(self) -> CallingOff:
        return CallingOff(self._book, self._approvals, self._stepping)

    @property
    def _limits(self) -> Limits:
        return Limits(self.records, self.clock, self.settings.an_hour)

    @property
    def _permission(self) -> Permission:
        return Permission(self.records, self.clock, self.settings)

    @property
    def _foretold(self) -> Foretold:
        return Foretold(self._permission, self.world.connectors, self.patience)

    @property
    def _stepping(self) -> Stepping:
        return self._stepping_by(self._permission)

    def _stepping_by(self, permission: Permission) -> Stepping:
        gates = Gates(
            self._book, self.clock, self._approvals, permission, self._foretold, self.world.tell, self.news
        )
        return Stepping(self._book, self.clock, self.world, gates, self._limits, permission)

    @property
    def _first(self) -> First:
        permission = FirstPermission(self.records, self.clock, self.settings)
        return First(self._stepping_by(permission), self._undoing, self.news)

    @property
    def _undoing(self) -> Undoing:
        return Undoing(self._book, self.world, self._limits, self._stepping)


def _as_it_was(run: Run) -> Run:
    """The run whose undoing was asked for by somebody who may not."""
    if run.halted:
        by = (run.approved_by or [run.decided_by])[-1]
        return run.model_copy(update={"state": RunState.RUNNING, "decided_by": by, "halted": False})
    return run.model_copy(update={"state": _over(run)})


def _halted(step: RunStep, by: str) -> RunStep:
    if step.state is StepState.STARTED:
        ja = f"{by} が実行を止めたため、途中でやめました。対象は変わっているかもしれません。"
        return step.as_ended(
            StepState.FAILED,
            ja,
            f"given up halfway, as {by} stopped the run: the target may have been changed",
        )
    return step.as_ended(
        StepState.SKIPPED, f"{by} が実行を止めたため、行いません。", f"not done: {by} stopped the run"
    )


def _over(run: Run) -> RunState:
    """How a run ends whose steps are over."""
    failed = any(step.state is StepState.FAILED for step in run.steps)
    return RunState.FAILED if failed else RunState.DONE
