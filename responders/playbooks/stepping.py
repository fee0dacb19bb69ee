"""One step of a run, forward: acts on targets, evidence, gates, tasks, timers. Each is journalled, and begun again after
a crash without being done twice: acts are idempotent and what the target looked like is written before it is touched."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.clock import Clock
from hinomi.errors import ConfigError, Conflict, DependencyDown, HinomiError, Refused
from hinomi.store import Record
from responders.connectors.protocol import Connector, Lagging, Searching
from responders.connectors.several import not_seen
from responders.playbooks.book import Book, Kept
from responders.playbooks.foretold import bounded
from responders.playbooks.gates import Gates
from responders.playbooks.limits import Limits
from responders.playbooks.permission import Permission, TooOld
from responders.playbooks.run import Run, RunStep, StepState
from responders.playbooks.standing import Standing
from responders.playbooks.systems import elsewhere, narrowed
from responders.playbooks.tasks import Tasks
from responders.playbooks.world import Hook, World

_HOUR_IS_FULL = (
    "1時間に行える数に達したため、待っています。急ぐときは人が行ってください。",
    "waits: so many were done within the hour already; where it is urgent a person must do it",
)


@dataclass(frozen=True, slots=True)
class Stepping:
    """Carries one step as far as it goes now. Returns the run as written; unchanged when it has to wait."""

    book: Book
    clock: Clock
    world: World
    gates: Gates
    limits: Limits
    permission: Permission

    def take(self, run: Run, record: Record, step: RunStep) -> Kept:
        """One step done, failed, begun or put off."""
        try:
            if run.dry_run and step.kind != "task":
                return self._rehearse(run, record, step)
            match step.kind:
                case "approve":
                    return self.gates.take(run, record, step)
                case "task":
                    return self._task(run, record, step)
                case "wait":
                    return self._wait(run, record, step)
                case "evidence":
                    return self._hook(run, record, step, self.world.evidence)
                case "tell":
                    return self._hook(run, record, step, self.world.tell)
                case "clock":
                    return self._hook(run, record, step, self.world.clock)
            return self._act(run, record, step)
        except Conflict as error:
            if self.book.current(record, step)[0].state is not run.state:
                raise  # a person has stopped the run in this very moment
            return self._failed(record, step, error)
        except DependencyDown as error:
            current, record, own = self.book.current(record, step)
            later = self.put_off(own, error)
            if later.state is StepState.FAILED:
                self.given_up(current, own)
            return self.book.keep_step(current, record, later)
        except TooOld as error:
            return self.gates.anew(run, record, step) or self._failed(record, step, error)
        except HinomiError as error:
            return self._failed(record, step, error)

    def _failed(self, record: Record, step: RunStep, error: HinomiError) -> Kept:
        current, record, own = self.book.current(record, step)
        self.given_up(current, own)
        self.book.say(current, "step_refused", {"step": step.index, "reason": error.en})
        failed = own.as_ended(StepState.FAILED, error.ja, error.en)
        aged = isinstance(error, TooOld)
        return self.book.keep_step(current, record, failed.model_copy(update={"aged": aged}))

    def given_up(self, run: Run, step: RunStep) -> None:
        """An act that is not tried any more: the answer may have been lost after the target had changed, so what ends by itself ends all
        the same. Called before the step is written."""
        if step.touched:
            Standing(self.book.records, self.clock).begin(run, step)

    def put_off(self, step: RunStep, error: HinomiError) -> RunStep:
        """The step after a target that did not answer: once more, later each time, until its tries or its time are over."""
        tried = step.attempts + 1
        over = step.attempts >= step.retries or self.limits.late(step)
        again_at = self.limits.again_at(tried, getattr(error, "after", 0))
        if step.again_at is not None and self.limits.waits(step):
            again_at = max(again_at, step.again_at)
        return step.model_copy(
            update={
                "attempts": tried,
                "again_at": again_at,
                "state": StepState.FAILED if over else step.state,
                "result_ja": error.ja,
                "result_en": error.en,
            }
        )

    def _rehearse(self, run: Run, record: Record, step: RunStep) -> Kept:
        ja, en = "予行: この手順に進みます。", "dry run: this step would be taken"
        if step.act:
            connector = self.world.connectors(step.act, step.on)
            if connector is None:
                ja, en = "予行: 接続先が設定されていません。", "dry run: no target is configured"
            else:
                would = connector.plan(step.act, step.values)
                ja, en = f"予行: {would.ja}", f"dry run: {would.en}"
        return self.book.keep_step(run, record, step.as_ended(StepState.SIMULATED, ja, en))

    def _act(self, run: Run, record: Record, step: RunStep) -> Kept:
        connector = self.world.connectors(step.act, step.on)
        if connector is None:
            raise ConfigError("接続先が設定されていません。", f"no target is configured for {step.act}")
        fresh = step.state is StepState.PLANNED
        if fresh:
            self.permission.step(run, step)
            if not self.limits.reserve(run, step):
                return self._held_up(run, record, step)
            run, record, step = self._begin(run, record, step, connector)
        else:
            run, record, step = self._resume(run, record, step, connector)
        whole, connector = connector, _narrowed(connector, step)
        if self.limits.late(step):
            raise Refused("決めた時間のうちに終わりませんでした。", "it did not end within its time")
        try:
            did = connector.act(step.act, step.values)
        except Refused as error:
            if fresh and _as_before(connector, step):
                return self._not_done(run, record, step, error)
            raise
        if step.checked and not connector.verify(step.act, step.values):
            raise DependencyDown(
                "操作の結果を確かめられません。", "the target is not as it should be after the act"
            )
        Standing(self.book.records, self.clock).begin(run, step)
        more = elsewhere(whole, step)
        return self.book.keep_step(
            run, record, step.as_ended(StepState.DONE, did.ja + more.ja, did.en + more.en)
        )

    def _resume(
        self, run: Run, record: Record, step: RunStep, connector: Connector
    ) -> tuple[Run, Record, RunStep]:
        """It was begun on an approval: that must still hold. Where the process died after it had begun, the log hears of the act before it
        is done; where the target did not answer, it has heard."""
        self.permission.begun(run, step)
        if not step.attempts:
            details = {"step": step.index, **step.values}
            self.book.say(run, f"act_resumed.{step.act}", details, actor=_who(run, step))
        not_before = self._not_before(connector, step)
        if not_before is None:
            return run, record, step
        step = step.model_copy(update={"again_at": not_before})
        return *self.book.keep_step(run, record, step), step

    def _not_before(self, connector: Connector, step: RunStep) -> datetime | None:
        """When the act may be begun anew should the process die in it: written before it, as what was made may not be found sooner."""
        unseen = connector.unseen(step.act) if isinstance(connector, Lagging) else timedelta(0)
        return self.clock.now() + unseen if unseen else None

    def _not_done(self, run: Run, record: Record, step: RunStep, error: Refused) -> Kept:
        """The target refused and is as it was: there is nothing to put back, now or by a person who asks for it later."""
        ja, en = f"{error.ja}対象は変わっていません。", f"{error.en}; the target is as it was"
        self.book.say(run, "step_refused", {"step": step.index, "reason": en})
        nothing = step.model_copy(update={"before": {}})
        return self.book.keep_step(run, record, nothing.as_ended(StepState.FAILED, ja, en))

    def _held_up(self, run: Run, record: Record, step: RunStep) -> Kept:
        """It waits for the hour's limit, and the step says so, once."""
        ja, en = _HOUR_IS_FULL
        if step.result_en == en:
            return run, record
        return self.book.keep_step(run, record, step.model_copy(update={"result_ja": ja, "result_en": en}))

    def _begin(
        self, run: Run, record: Record, step: RunStep, connector: Connector
    ) -> tuple[Run, Record, RunStep]:
        """Journal how the target looks, then tell the audit log; only then it is touched."""
        step = _searched(connector, step)
        before = _narrowed(connector, step).look(step.act, step.values)
        begun = step.model_copy(
            update={
                "state": StepState.STARTED,
                "before": before,
                "started": self.clock.now(),
                "again_at": self._not_before(connector, step),
            }
        )
        run, record = self.book.keep_step(run, record, begun)
        details = {"step": step.index, **step.values}
        self.book.say(run, f"act.{step.act}", details, actor=_who(run, step))
        return run, record, begun

    def _hook(self, run: Run, record: Record, step: RunStep, hook: Hook) -> Kept:
        did = hook(run, step)
        return self.book.keep_step(run, record, step.as_ended(StepState.DONE, did.ja, did.en))

    def _wait(self, run: Run, record: Record, step: RunStep) -> Kept:
        now = self.clock.now()
        if step.state is StepState.PLANNED:
            until = now + timedelta(minutes=step.within_minutes or 1)
            waiting = step.model_copy(update={"state": StepState.WAITING, "expires": until})
            return self.book.keep_step(run, record, waiting)
        if step.expires is None or now < step.expires:
            return run, record
        return self.book.keep_step(run, record, step.as_ended(StepState.DONE, "待ちました。", "waited"))

    def _task(self, run: Run, record: Record, step: RunStep) -> Kept:
        said = Tasks(self.book.records).of(run, step)
        if said is not None:
            done = step.model_copy(
                update={"by": [said["by"]], "answer": said["answer"], "note": said["note"]}
            )
            words = said["answer"] or said["note"] or "済み"
            return self.book.keep_step(run, record, done.as_ended(StepState.DONE, words, words))
        if run.dry_run:
            words = "予行: 人の作業を待ちます。", "dry run: a person would do this"
            return self.book.keep_step(run, record, step.as_ended(StepState.SIMULATED, *words))
        if step.state is StepState.PLANNED:
            until = self.clock.now() + timedelta(minutes=step.within_minutes) if step.within_minutes else None
            waiting = step.model_copy(update={"state": StepState.WAITING, "expires": until})
            return self.book.keep_step(run, record, waiting)
        if step.expires is None or self.clock.now() < step.expires:
            return run, record
        late = StepState.FAILED if step.if_late == "fail" else StepState.SKIPPED
        words = "時間内に済みませんでした。", "nobody did it in time"
        return self.book.keep_step(run, record, step.as_ended(late, *words))


def _searched(connector: Connector, step: RunStep) -> RunStep:
    """The step with what is found before it is begun, where nobody could be told beforehand: undo gives back no more than that."""
    if step.extent is not None or not isinstance(connector, Searching) or not connector.searches(step.act):
        return step
    return bounded(step, connector.plan(step.act, step.values))


def _narrowed(connector: Connector, step: RunStep) -> Connector:
    """The connector over the systems that it is for and, where a search stands before it, what was found when it was asked for."""
    connector = narrowed(connector, step)
    if step.extent is None or not isinstance(connector, Searching):
        return connector
    return connector.within(step.extent)


def _as_before(connector: Connector, step: RunStep) -> bool:
    """Whether a target whose act was refused is as it was. Only what undo would put back is seen by looking; a target of which
    a part did not answer (`unknown`), or that does not answer now, may have been changed."""
    if not step.can_undo or not_seen(step.before):
        return False
    try:
        return connector.look(step.act, step.values) == step.before
    except HinomiError:
        return False


def _who(run: Run, step: RunStep) -> str:
    """On whose word it is done: the approver's, of whoever approved the rest of the plan, or acted first."""
    gate = run.covering(step)
    if gate is not None and gate.renews:
        return ", ".join(gate.by)
    return run.decided_by or ", ".join(step.by) or "hinomi"
