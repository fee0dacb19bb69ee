"""An incident that was closed as no threat: what was approved for it and has not begun is called off. What was done stays until a
person asks for it to be put back. (A threat that was real is contained also behind the closing: block it and close.)"""

from dataclasses import dataclass

from hinomi.incident import Status, Verdict
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.incidents import casefile
from responders.playbooks.approvals import Approvals
from responders.playbooks.book import Book, Kept
from responders.playbooks.run import Run, StepState
from responders.playbooks.stepping import Stepping

_NO_THREAT = (Verdict.FALSE_POSITIVE, Verdict.BENIGN)
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
    if held is None or held.body.get("status") != Status.CLOSED or held.body.get("verdict") not in _NO_THREAT:
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


def _said(words: Words, verdict: Verdict) -> Words:
    named = verdict.words
    return Words(words.ja.format(ja=named.ja), words.en.format(en=named.en))
