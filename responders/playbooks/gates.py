"""Gates: decisions in the middle of a run. Asked, waited for, gone through only on an answer that counts; not asked where no act
stands behind it, or where every act behind it would be refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.clock import Clock
from hinomi.errors import HinomiError, Refused
from hinomi.store import Record
from hinomi.words import Words
from responders.incidents import casefile
from responders.playbooks.approvals import Approvals, approval_id, too_old
from responders.playbooks.book import Book, Kept
from responders.playbooks.foretold import Foretold
from responders.playbooks.news import ASKED_ANEW, News
from responders.playbooks.permission import OVER, Permission
from responders.playbooks.renewing import renewed, why_anew
from responders.playbooks.run import APPROVAL, Run, RunStep, StepState
from responders.playbooks.world import Hook

_NOTHING_TO_ASK = (
    "計画に対象がないため、承認を求めません。必要なら人が判断して行ってください。",
    "not asked: the plan has no target for it; where it is needed a person must do it",
)
_ALL_REFUSED = (
    "承認しても接続先がすべて断るため、承認を求めません。必要なら人が判断して行ってください。",
    "not asked: the targets would refuse all of it; where it is needed a person must do it",
)

_INCIDENT_OVER = (
    "インシデントが終了したか、ほかにまとめられたため、承認を求めません。",
    "not asked any more: the incident was closed or joined into another",
)


@dataclass(frozen=True, slots=True)
class Gates:
    """Carries a gate as far as it goes now. tell: calls whoever is asked anew; `news` is added to."""

    book: Book
    clock: Clock
    approvals: Approvals
    permission: Permission
    foretold: Foretold
    tell: Hook
    news: list[News]

    def take(self, run: Run, record: Record, gate: RunStep) -> Kept:
        """Ask, wait, and go through only on a decision that was asked for, is genuine and by people who still may. What nobody decided
        while the incident was open is not asked any more once it is over."""
        if self._closed(run) and self.approvals.withdraw(run, gate):
            return self.book.keep_step(run, record, gate.as_ended(StepState.SKIPPED, *_INCIDENT_OVER))
        if gate.state is StepState.PLANNED:
            if gate.for_acts and not _behind(run, gate):
                return self.book.keep_step(run, record, gate.as_ended(StepState.SKIPPED, *_NOTHING_TO_ASK))
            return self._ask(run, record, gate)
        approval = self.book.records.get(APPROVAL, approval_id(run, gate))
        if approval is None or not _same_request(approval, run, gate):
            if approval is not None:
                self.book.void(run, approval, "not_this_request")
            self.approvals.ask(run, gate=gate, void=approval)
            return run, record
        if approval.body["state"] == "open":
            return (run, record) if self._waits(gate) else self._ask(run, record, gate)
        return self._decided(run, record, gate, approval)

    def anew(self, run: Run, record: Record, step: RunStep) -> Kept | None:
        """The approval of an act grew too old: it is asked for anew. None where it is not (`renewed`): then the act fails."""
        gate = run.covering(step)
        old = self.book.records.get(APPROVAL, approval_id(run, gate))
        return self._renew(run, record, gate, old) if old is not None else None

    def _renew(self, run: Run, record: Record, gate: RunStep | None, old: Record) -> Kept | None:
        anew = renewed(run, gate, old, closed=self._closed(run))
        if anew is None:
            return None
        run, gate = anew
        self.book.void(run, old, "too_old")
        self.book.say(run, "asked_anew", {"gate": gate.index, "times": gate.renewed})
        run, record = self._ask(run, record, gate, void=old)
        asked = run.step(gate.index).state is StepState.WAITING  # else every target would refuse: nobody is
        if asked:
            self.news.append((run, ASKED_ANEW))
        return run, record

    def _closed(self, run: Run) -> bool:
        return casefile.is_closed(self.book.records, run.incident_id)

    def _waits(self, gate: RunStep) -> bool:
        """Whether the request still stands; one that would stand longer than it was put for is from before the clock was set back."""
        now = self.clock.now()
        return gate.expires is not None and now < gate.expires <= now + _stands(gate)

    def _decided(self, run: Run, record: Record, gate: RunStep, approval: Record) -> Kept:
        if not self.approvals.genuine(approval):
            return self._void(run, record, gate, approval, "forged")
        if approval.body["state"] == "denied":
            return self.book.keep_step(
                run, record, gate.as_ended(StepState.SKIPPED, "却下されました。", "denied")
            )
        if too_old(approval, self.clock.now()):
            return self._renew(run, record, gate, approval) or self._too_late(run, record, gate, approval)
        by = [str(one["by"]) for one in approval.body["given"]]
        try:
            self.permission.people(run, by, gate.role, gate.people)
        except Refused as error:
            return self._void(run, record, gate, approval, error.en)
        through = gate.model_copy(update={"by": by})
        words = f"承認: {'、'.join(by)}", f"approved: {by}"
        return self.book.keep_step(run, record, through.as_ended(StepState.DONE, *words))

    def _void(self, run: Run, record: Record, gate: RunStep, approval: Record, why: str) -> Kept:
        """The answer counts for nothing: the request is put once more, and taken back at once where the incident is over."""
        self.book.void(run, approval, why)
        if self._closed(run):
            self.approvals.ask(run, gate=gate, void=approval)
            return self.take(run, record, gate)
        return self._ask(run, record, gate, void=approval, since=gate.expires)

    def _too_late(self, run: Run, record: Record, gate: RunStep, approval: Record) -> Kept:
        """An answer that was read too late and is not asked for anew: the gate fails for it, and nothing behind it is done."""
        self.book.void(run, approval, "too_old")
        self.book.say(run, "step_refused", {"step": gate.index, "reason": OVER[1]})
        failed = gate.as_ended(StepState.FAILED, *OVER).model_copy(update={"aged": True})
        return self.book.keep_step(run, record, failed)

    def _ask(
        self,
        run: Run,
        record: Record,
        gate: RunStep,
        void: Record | None = None,
        since: datetime | None = None,
    ) -> Kept:
        """Journal until when the request waits, then put it: an answer to another request does not match. Whoever is asked anew is called
        before, as a crash behind it would leave nobody called; the same message goes out once. since: the end of the request whose answer
        is void; they are called once more for it."""
        acts = _behind(run, gate)
        said = self.foretold.of(run, acts)
        if said.refused and all(
            one.index in said.refused and set(one.when) <= set(gate.when) for one in acts
        ):
            return self._not_asked(run, record, gate, said.refused)
        because = why_anew(gate, acts)
        waiting = StepState.WAITING, because.ja + said.warning.ja, because.en + said.warning.en
        asked = gate.model_copy(update={"expires": self.clock.now() + _stands(gate)}).as_ended(*waiting)
        if gate.renewed:
            self._call(run, asked.model_copy(update={"expires": since}))
        run, record = self.book.keep_steps(run, record, [*said.known, asked])
        self.approvals.ask(run, gate=asked, void=void)
        return run, record

    def _call(self, run: Run, gate: RunStep) -> None:
        try:
            self.tell(run, gate.model_copy(update={"kind": "tell", "detail": gate.role}))
        except HinomiError as error:
            self.book.say(run, "asked_anew_not_told", {"gate": gate.index, "why": error.en})

    def _not_asked(self, run: Run, record: Record, gate: RunStep, refused: Mapping[int, Words]) -> Kept:
        """What would be refused has been; the run takes the playbook's way from there."""
        for index, why in refused.items():
            self.book.say(run, "step_refused", {"step": index, "reason": why.en})
        self.book.say(run, "gate_not_asked", {"step": gate.index})
        self.approvals.withdraw(run, gate)
        moot = [run.step(index).model_copy(update={"moot": True}) for index in run.gates_from(gate)]
        over = [run.step(index).as_ended(StepState.FAILED, *_foretold(why)) for index, why in refused.items()]
        over += [one.as_ended(StepState.SKIPPED, *_ALL_REFUSED) for one in moot]
        return self.book.keep_steps(run, record, over)


def _stands(gate: RunStep) -> timedelta:
    """How long a request at it stands before it is put anew."""
    return timedelta(minutes=gate.stands_minutes)


def _behind(run: Run, gate: RunStep) -> list[RunStep]:
    """The acts that hang on the gate, also through gates behind it, and are not over yet."""
    gates = run.gates_from(gate)
    return [one for one in run.acts if (by := run.covering(one)) and by.index in gates and not one.settled]


def _foretold(why: Words) -> tuple[str, str]:
    return (
        f"{why.ja}承認を求める前に確かめたもので、対象は変わっていません。",
        f"{why.en}; asked before anybody approved, the target is as it was",
    )


def _same_request(approval: Record, run: Run, gate: RunStep) -> bool:
    """Whether the record answers what the run asks now: not an older request, not one written beforehand."""
    body = approval.body
    until = gate.expires.isoformat() if gate.expires else ""
    return bool(body["plan_hash"] == run.plan_hash and body["expires"] == until)
