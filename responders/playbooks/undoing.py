"""Putting back what a run did: asked for by a person, because a step failed, or because an act's time is over."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from hinomi.errors import Conflict, DependencyDown, HinomiError
from hinomi.faults import Faults
from hinomi.store import Record
from responders.playbooks.book import Book
from responders.playbooks.limits import Limits
from responders.playbooks.run import KIND, Run, RunStep, StepState
from responders.playbooks.standing import LIFTED, Standing
from responders.playbooks.stepping import Stepping
from responders.playbooks.world import World


@dataclass(frozen=True, slots=True)
class Undoing:
    """Back in reverse order, each step to exactly what was journalled before it was touched."""

    book: Book
    world: World
    limits: Limits
    stepping: Stepping

    def back(
        self, run: Run, record: Record, stopped: Callable[[], bool] = lambda: False
    ) -> tuple[Run, Record, bool]:
        """All steps that touched something; the last value says whether all were tried to their end. stopped: asked before each."""
        for step in reversed(run.steps):
            if not (step.touched and step.can_undo):
                continue
            if stopped():
                return run, record, False
            run, record, proceed = self.one(run, record, step)
            if not proceed:
                return run, record, False
        return run, record, True

    def one(self, run: Run, record: Record, step: RunStep, *, because: str = "") -> tuple[Run, Record, bool]:
        """One step put back to what was journalled, or put off; the last value says whether to go on now. because: what the
        audit log hears before."""
        connector = self.world.connectors(step.act, step.on)
        if connector is None or self.limits.waits(step):
            return run, record, False
        if because:
            self.book.say(run, because, {"step": step.index, **step.values})
        try:
            undone = connector.undo(step.act, step.values, step.before)
        except DependencyDown as error:
            state = {"state": step.state}  # an undo is tried until it works
            later = self.stepping.put_off(step, error).model_copy(update=state)
            return *self.book.keep_step(run, record, later), False
        except HinomiError as error:
            words = {"state": StepState.FAILED, "result_ja": error.ja, "result_en": error.en}
            return *self.book.keep_step(run, record, step.model_copy(update=words)), True
        details = {"step": step.index, **step.values}
        self.book.say(run, f"undo.{step.act}", details, actor=run.decided_by or "hinomi")
        words = {"state": StepState.UNDONE, "result_ja": undone.ja, "result_en": undone.en}
        return *self.book.keep_step(run, record, step.model_copy(update=words)), True

    def lift(self, standing: Standing, stopped: Callable[[], bool]) -> Iterator[tuple[Run, RunStep]]:
        """Put back the acts whose time is over, until `stopped`: each step as it is then. What one holds may be broken or be written by
        another in this very moment: the others are lifted all the same, and the next round sees what there is. What refuses to be
        lifted is yielded too, failed, and not tried again."""
        with Faults() as faults:
            for due in itertools.takewhile(lambda _: not stopped(), standing.due()):
                with faults.kept(), suppress(Conflict):
                    yield from self._lift_due(standing, due)

    def _lift_due(self, standing: Standing, due: Record) -> Iterator[tuple[Run, RunStep]]:
        held = self.book.records.get(KIND, str(due.body["run_id"]))
        run = held.read_as(Run) if held else None
        step = run.step(int(due.body["index"])) if run else None
        if run is None or held is None or step is None or not step.touched:
            standing.end(due, "gone")
            return
        run, _, tried = self.one(run, held, step, because="expired_act")
        if tried:
            over = run.step(step.index)
            standing.end(due, LIFTED if over.state is StepState.UNDONE else "failed")
            yield run, over


def left(run: Run) -> bool:
    """Whether a step that touched its target could not be put back."""
    return any(step.touched and step.state is StepState.FAILED for step in run.steps)
