"""Running playbooks: proposed, approved by a person, journalled step by step, never twice, undone in reverse.

The console writes approvals; only this code, in the respond process, acts on them. A step is journalled as started,
with what the target looked like, before the target is touched; acts are idempotent, so a step found started after a
crash is simply done again, and undo restores what was journalled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hinomi.clock import Clock
from hinomi.errors import ConfigError, DependencyDown, HinomiError, Refused
from hinomi.incident import Status
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.connectors.protocol import Connector
from responders.playbooks.approvals import Approvals
from responders.playbooks.limits import Limits
from responders.playbooks.news import UNDO_VOID, VOID, WORDS, News
from responders.playbooks.permission import Permission
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from responders.playbooks.settings import PlaybookSettings

Connectors = Callable[[str], Connector | None]


@dataclass(slots=True)
class Runs:
    """The engine. One process runs it."""

    records: Records
    clock: Clock
    audit: Audit
    settings: PlaybookSettings
    playbooks: Mapping[str, Playbook]
    connectors: Connectors
    news: list[News] = field(default_factory=list)

    def propose(self, run: Run) -> Run:
        """Keep a proposed run; one that was proposed before stays as it is unless its plan grew undecided."""
        held = self.records.get(KIND, run.id)
        if held is None:
            self._put(run, 0)
            self._approvals.ask(run)
            self._say(run, "proposed", {"playbook": run.playbook})
            return run
        known = Run.model_validate(held.body)
        anew = known.state is RunState.WITHDRAWN  # its incident was opened again
        if not anew and (known.state is not RunState.PROPOSED or known.plan_hash == run.plan_hash):
            return known
        if not self._approvals.ask(run):
            return known  # a person has decided on the plan as it was
        self._put(run, held.version)
        self._say(run, "proposed_anew" if anew else "plan_changed", {"plan": run.plan_hash})
        return run

    def tick(self) -> list[News]:
        """Act on decisions and go on with what was begun; returns runs that changed, in words."""
        self.news = []
        for record in self.records.find(
            KIND, {"state": [RunState.PROPOSED, RunState.RUNNING, RunState.UNDOING]}, limit=100_000
        ):
            run = Run.model_validate(record.body)
            if run.state is RunState.PROPOSED:
                self._decide(run, record)
            elif run.state is RunState.RUNNING:
                self._go_on(run, record)
            else:
                self._undo(run, record)
        return self.news

    def _ask_again(self, run: Run, record: Record) -> None:
        """Nobody decided in time: the same plan is put anew, with as much time as before."""
        now = self.clock.now()
        renewed = run.model_copy(update={"expires": now + (run.expires - run.created), "created": now})
        if self._approvals.ask(renewed):
            self._say(run, "asked_again", {"playbook": run.playbook})
            self._keep(renewed, record)

    def _decide(self, run: Run, record: Record) -> None:
        if self._incident_closed(run) and self._approvals.withdraw(run):
            self._move(run, record, RunState.WITHDRAWN, by="")
            return
        approval = self.records.get(APPROVAL, run.id)
        if approval is None or approval.body["plan_hash"] != run.plan_hash:
            self._approvals.ask(run, void=approval)  # a crash came between proposing and asking
            return
        decision, by = approval.body["state"], str(approval.body.get("by", ""))
        if decision == "approved" and not self._may(run, by, "approval_void"):
            self._approvals.ask(run, void=approval)
            self.news.append((run, VOID))
        elif decision == "denied":
            self._move(run, record, RunState.DENIED, by=by)
        elif decision == "approved":
            moved, record = self._move(run, record, RunState.RUNNING, by=by)
            self._go_on(moved, record)
        elif self.clock.now() >= run.expires:
            self._ask_again(run, record)

    def _incident_closed(self, run: Run) -> bool:
        """Whether its incident is over, by a person's verdict or because another one took it in."""
        held = self.records.get("incident", run.incident_id)
        return held is not None and held.body["status"] == Status.CLOSED

    def _go_on(self, run: Run, record: Record) -> None:
        for step in run.steps:
            if step.state in (StepState.PLANNED, StepState.STARTED):
                if self._limits.waits(step) or (self.settings.paused and not run.dry_run):
                    return
                run, record, proceed = self._step(run, record, step)
                if not proceed:
                    return
        failed = any(step.state is StepState.FAILED for step in run.steps)
        self._move(run, record, RunState.FAILED if failed else RunState.DONE, by=run.decided_by)

    def _step(self, run: Run, record: Record, step: RunStep) -> tuple[Run, Record, bool]:
        """One step done, or put off; the last value says whether the next one may follow now."""
        try:
            if run.dry_run:
                return *self._simulate(run, record, step), True
            return self._act(run, record, step)
        except DependencyDown as error:
            current, record, own = self._current(record, step)
            state = StepState.FAILED if own.attempts >= self._limits.retries(run, step) else own.state
            kept = self._paused(own, error).model_copy(update={"state": state})
            return *self._keep(current.with_step(kept), record), state is StepState.FAILED
        except HinomiError as error:
            current, record, own = self._current(record, step)
            kept = own.model_copy(
                update={"state": StepState.FAILED, "result_ja": error.ja, "result_en": error.en}
            )
            self.audit.append(
                actor="hinomi",
                action="playbook.step_refused",
                target=run.id,
                details={"step": step.index, "reason": error.en},
            )
            return *self._keep(current.with_step(kept), record), True

    def _current(self, record: Record, step: RunStep) -> tuple[Run, Record, RunStep]:
        """The run as it is written now: the step may have been journalled as started before its target failed."""
        held = self.records.get(KIND, record.id) or record
        run = Run.model_validate(held.body)
        return run, held, next(one for one in run.steps if one.index == step.index)

    def _simulate(self, run: Run, record: Record, step: RunStep) -> tuple[Run, Record]:
        connector = self.connectors(step.act)
        if connector is None:
            ja, en = "予行: 接続先が設定されていません。", "dry run: no target is configured"
        else:
            would = connector.plan(step.act, step.values)
            ja, en = f"予行: {would.ja}", f"dry run: {would.en}"
        done = step.model_copy(update={"state": StepState.SIMULATED, "result_ja": ja, "result_en": en})
        return self._keep(run.with_step(done), record)

    def _act(self, run: Run, record: Record, step: RunStep) -> tuple[Run, Record, bool]:
        connector = self.connectors(step.act)
        if connector is None:
            raise ConfigError("接続先が設定されていません。", f"no target is configured for {step.act}")
        if step.state is StepState.PLANNED:
            self._permission.step(run, step)
            if self._limits.reached(run, step):
                return run, record, False
            before = connector.look(step.act, step.values)
            step = step.model_copy(
                update={"state": StepState.STARTED, "before": before, "started": self.clock.now()}
            )
            run, record = self._keep(run.with_step(step), record)
            self.audit.append(
                actor=run.decided_by,
                action=f"playbook.act.{step.act}",
                target=run.id,
                details={"step": step.index, **step.values},
            )
        did = connector.act(step.act, step.values)
        if not connector.verify(step.act, step.values):
            raise DependencyDown(
                "操作の結果を確かめられません。", "the target is not as it should be after the act"
            )
        done = step.model_copy(update={"state": StepState.DONE, "result_ja": did.ja, "result_en": did.en})
        return *self._keep(run.with_step(done), record), True

    def _undo(self, run: Run, record: Record) -> None:
        if not self._may(run, run.decided_by, "undo_void"):
            broken = any(one.state is StepState.FAILED for one in run.steps)
            back = run.model_copy(update={"state": RunState.FAILED if broken else RunState.DONE})
            self._keep(back, record)
            self.news.append((back, UNDO_VOID))
            return
        for step in reversed(run.steps):
            if not (step.touched and step.can_undo):
                continue
            connector = self.connectors(step.act)
            if connector is None or self._limits.waits(step):
                return
            run, record, proceed = self._undo_step(run, record, step, connector)
            if not proceed:
                return
        left = any(step.touched and step.state is StepState.FAILED for step in run.steps)
        self._move(run, record, RunState.FAILED if left else RunState.UNDONE, by=run.decided_by)

    def _undo_step(
        self, run: Run, record: Record, step: RunStep, connector: Connector
    ) -> tuple[Run, Record, bool]:
        """One step put back to what was journalled, or put off; the last value says whether to go on now."""
        try:
            undone = connector.undo(step.act, step.values, step.before)
        except DependencyDown as error:
            return *self._keep(run.with_step(self._paused(step, error)), record), False
        except HinomiError as error:
            words = {"state": StepState.FAILED, "result_ja": error.ja, "result_en": error.en}
            return *self._keep(run.with_step(step.model_copy(update=words)), record), True
        self.audit.append(
            actor=run.decided_by,
            action=f"playbook.undo.{step.act}",
            target=run.id,
            details={"step": step.index, **step.values},
        )
        words = {"state": StepState.UNDONE, "result_ja": undone.ja, "result_en": undone.en}
        return *self._keep(run.with_step(step.model_copy(update=words)), record), True

    def _paused(self, step: RunStep, error: HinomiError) -> RunStep:
        """The step after a target that did not answer: tried once more, the next time later."""
        tried = step.attempts + 1
        return step.model_copy(
            update={
                "attempts": tried,
                "again_at": self._limits.again_at(tried),
                "result_ja": error.ja,
                "result_en": error.en,
            }
        )

    def _move(self, run: Run, record: Record, state: RunState, *, by: str) -> tuple[Run, Record]:
        self.audit.append(
            actor=by or "hinomi",
            action=f"playbook.{state}",
            target=run.id,
            details={"playbook": run.playbook},
        )
        moved = run.model_copy(update={"state": state, "decided_by": by})
        moved, record = self._keep(moved, record)
        self.news.append((moved, WORDS[state]))
        return moved, record

    @property
    def _approvals(self) -> Approvals:
        return Approvals(self.records, self.clock, self.audit)

    @property
    def _limits(self) -> Limits:
        return Limits(self.records, self.clock, self.playbooks)

    @property
    def _permission(self) -> Permission:
        return Permission(self.records, self.settings)

    def _may(self, run: Run, by: str, otherwise: str) -> bool:
        """Whether who decided may do so now; if not, the audit log says why under `otherwise`."""
        try:
            self._permission.person(run, by)
        except Refused as error:
            self._say(run, otherwise, {"by": by, "reason": error.en})
            return False
        return True

    def _say(self, run: Run, what: str, details: Mapping[str, str]) -> None:
        self.audit.append(actor="hinomi", action=f"playbook.{what}", target=run.id, details=details)

    def _keep(self, run: Run, record: Record) -> tuple[Run, Record]:
        return run, self._put(run, record.version)

    def _put(self, run: Run, expect: int) -> Record:
        return self.records.put(KIND, run.id, run.model_dump(mode="json"), expect=expect)
