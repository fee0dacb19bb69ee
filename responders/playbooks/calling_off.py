"""An incident that was closed as no threat: what was approved for it and has not begun is called off. What was done stays until a
person asks for it to be put back. (A threat that was real is contained also behind the closing: block it and close.)

Where the verdict was wrong, what people do, what is kept and what is reported goes on where it stood, with the answers that were given.
Acts, and gates before them with all that hangs on these, are not: they are planned anew and need a new approval.
"""

from dataclasses import dataclass

from hinomi.incident import NO_THREAT, Status, Verdict
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.incidents import casefile
from responders.playbooks.approvals import Approvals
from responders.playbooks.book import Book, Kept
from responders.playbooks.run import Run, RunState, RunStep, StepState
from responders.playbooks.stepping import Stepping

_NOT_BEGUN = Words(
    "インシデントが「{ja}」で終わったため、行いません。", "not done: the incident was closed as “{en}”"
)
_HALFWAY = Words(
    "インシデントが「{ja}」で終わったため、途中でやめました。対象は変わっているかもしれません。確かめて、必要なら元に戻してください。",
    "given up halfway as the incident was closed as “{en}”: the target may have been changed; look, and undo it where that is right",
)
_TOLD = Words(
    "インシデントが「{ja}」で終わったため、残りの手順を行いません",
    "goes no further: its incident was closed as “{en}”",
)


def no_threat(records: Records, incident_id: str) -> Verdict | None:
    """The verdict of the incident, or of the one that took it in, where it is closed and there is nothing to contain."""
    held = casefile.surviving(records, incident_id)
    if held is None or held.body.get("status") != Status.CLOSED or held.body.get("verdict") not in NO_THREAT:
        return None
    return Verdict(held.body["verdict"])


def told(verdict: Verdict) -> Words:
    """For the timeline."""
    return _said(_TOLD, verdict)


@dataclass(frozen=True, slots=True)
class CallingOff:
    """Settles what is left of a run."""

    book: Book
    approvals: Approvals
    stepping: Stepping

    def rest(self, run: Run, record: Record, verdict: Verdict) -> Kept:
        """All steps that are not over; requests that wait at gates are taken back."""
        self.book.say(run, "called_off", {"verdict": verdict.value})
        for step in run.steps:
            if step.settled:
                continue
            if step.kind == "approve":
                self.approvals.withdraw(run, step)
            if step.touched:
                self.stepping.given_up(run, step)
            words = _said(_HALFWAY if step.touched else _NOT_BEGUN, verdict)
            over = step.as_ended(StepState.FAILED if step.touched else StepState.SKIPPED, words.ja, words.en)
            run, record = self.book.keep_step(run, record, over.model_copy(update={"called_off": True}))
        return run, record

    def taken_up(self, run: Run, record: Record, *, undone: bool) -> Run | None:
        """The run after its incident turned out to be a threat all the same, written; None where there is nothing left of it. undone:
        acts that were put back may be planned anew, too."""
        steps = [_planned(one) for one in _left(run)]
        freed = [one for one in run.acts if undone and one.state is StepState.UNDONE and not one.called_off]
        if not steps and not freed:
            return None
        changed = run
        for step in [*steps, *(one.model_copy(update={"called_off": True}) for one in freed)]:
            changed = changed.with_step(step)
        if steps:
            self.book.say(run, "taken_up", {"steps": [one.index for one in steps]})
            at = self.book.clock.now().isoformat(timespec="seconds")
            running = changed.model_copy(update={"state": RunState.RUNNING})
            changed = running.noted(f"{at} {run.state}→{RunState.RUNNING}")
        self.book.put(changed, record.version)
        return changed


def _left(run: Run) -> list[RunStep]:
    """What was called off and is in no new plan: all but acts and what hangs on a gate before such an act."""
    off = [one for one in run.steps if one.called_off]
    gates = [one for one in off if one.kind == "approve"]
    hung = {index: run.gates_from(gate) for index, gate in ((one.index, one) for one in gates)}
    anew = {
        gate
        for gate, behind in hung.items()
        if any((by := run.covering(act)) and by.index in behind for act in off if act.act)
    }
    return [one for one in off if not one.act and one.index not in anew and one.gate not in anew]


def _planned(step: RunStep) -> RunStep:
    """As it was before it began: a deadline of its own counts anew."""
    fresh = {"called_off": False, "expires": None, "attempts": 0, "again_at": None}
    return step.as_ended(StepState.PLANNED, "", "").model_copy(update=fresh)


def _said(words: Words, verdict: Verdict) -> Words:
    named = verdict.words
    return Words(words.ja.format(ja=named.ja), words.en.format(en=named.en))
