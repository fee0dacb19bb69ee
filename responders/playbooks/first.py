"""Act first, approve later (事後承認): one endpoint, at night, by a permitted responder; confirmed in time or put back.

The desk writes what a person decided; the respond process acts on it while the plan still waits for its approval. The
approval of the plan is the confirmation. Denied, withdrawn or not given in time: the act is put back, and that is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import JST
from hinomi.errors import HinomiError
from hinomi.store import Record, Records
from hinomi.words import Words
from responders.audit import Audit
from responders.playbooks.approvals import STALE
from responders.playbooks.book import Kept
from responders.playbooks.news import News
from responders.playbooks.permission import Permission
from responders.playbooks.permits import FIRST, Permits, eligible, of_run
from responders.playbooks.run import Run, RunStep, StepState
from responders.playbooks.stepping import Stepping
from responders.playbooks.undoing import Undoing

_FRESH = timedelta(minutes=30)  # a tower that was down so long does not act on it any more


_BECAUSE = {
    "not_confirmed": Words(
        "先に行った操作に、時間内の承認がなかったため、", "done first and not confirmed in time,"
    ),
    "denied": Words("先に行った操作の計画が却下されたため、", "done first and then denied,"),
    "withdrawn": Words(
        "先に行った操作のインシデントが終わったため、", "done first, and the incident is over,"
    ),
    "failed": Words("先に行う操作ができなかったため、", "it could not be done first,"),
}


_ANEW: dict[str, Any] = {
    "state": StepState.PLANNED,
    "before": {},
    "started": None,
    "attempts": 0,
    "again_at": None,
    "by": [],
    "result_ja": "先に行いましたが、承認がなく元に戻しました。",
    "result_en": "done first, not confirmed, put back",
}


class FirstPermission(Permission):
    """Of an act before its approval: the playbook is armed, the target is not protected. The permit is checked before; how long the
    act may stand without an approval is looked at by `First`."""

    def step(self, run: Run, step: RunStep) -> None:
        """Raises Refused."""
        self.target(run, step)

    def begun(self, run: Run, step: RunStep) -> None:
        """There is no approval yet."""


@dataclass(frozen=True, slots=True)
class First:
    """What the engine does about it. `news` is added to."""

    stepping: Stepping
    undoing: Undoing
    news: list[News]

    def go_on(self, run: Run, record: Record) -> Kept:
        """While the plan waits: do what was decided, put back what nobody confirmed in time."""
        for step, held in of_run(self._records, run):
            if held.body["state"] == "asked":
                run, record = self._act(run, record, run.step(step.index), held)
            elif held.body["state"] == "acted" and self._now >= datetime.fromisoformat(held.body["until"]):
                run, record = self._lapse(run, record, run.step(step.index), held)
        return run, record

    def confirmed(self, run: Run, by: list[str]) -> None:
        """The plan is approved, and with it what was done first."""
        for step, held in of_run(self._records, run):
            if held.body["state"] in ("asked", "acted"):
                details = {"step": step.index, "first_by": held.body["by"]}
                self.stepping.book.say(run, "act_first_confirmed", details, actor=", ".join(by))
                self._mark(held, "confirmed", confirmed_by=by)

    def ended(self, run: Run, record: Record, why: str) -> tuple[Run, Record, bool]:
        """The plan was denied or withdrawn: everything back; the last value says whether all was tried to its end."""
        standing = [
            pair for pair in of_run(self._records, run) if pair[1].body["state"] in ("asked", "acted")
        ]
        if any(step.touched for step in run.steps):
            run, record, over = self.undoing.back(run, record)
            if not over:
                return run, record, False
        for step, held in standing:
            if step.touched:
                self._over(run, run.step(step.index), held, why)
            else:
                self._mark(held, "void", why=why)
        return run, record, True

    def _act(self, run: Run, record: Record, step: RunStep, held: Record) -> Kept:
        if step.state in (StepState.PLANNED, StepState.STARTED):
            why = self._void_because(run, step, held)
            if why:
                details = {"step": step.index, "by": held.body["by"], "why": why}
                self.stepping.book.say(run, "act_first_void", details)
                self._mark(held, "void", why=why)
                return run, record
            if step.state is StepState.STARTED and self._too_long_ago(held):
                return self._lapse(run, record, step, held)
            if self.stepping.limits.waits(step) or not all(run.step(one).settled for one in step.after):
                return run, record
            begun = step.model_copy(update={"by": [str(held.body["by"])]})
            run, record = self.stepping.take(run.with_step(begun), record, begun)
            step = run.step(step.index)
        if step.state in (StepState.FAILED, StepState.UNDONE):
            return self._lapse(run, record, step, held)
        if step.state is StepState.DONE:
            self._tell(run, step, self._mark(held, "acted", until=self._until(step)))
        return run, record

    def _too_long_ago(self, held: Record) -> bool:
        """Whether what was begun on the person's word is not carried to its end any more: no longer than an approval would."""
        return self._now >= datetime.fromisoformat(held.body["at"]) + STALE

    def _void_because(self, run: Run, step: RunStep, held: Record) -> str:
        if not _genuine(self.stepping.book.audit, run, step, held.body):
            return "forged"
        if step.state is StepState.STARTED:
            return ""  # it was begun before a crash, or the target did not answer: it is carried to its end
        if not eligible(run, step):
            return "not_marked"
        if self._now - datetime.fromisoformat(held.body["at"]) > _FRESH:
            return "too_old"
        return "" if Permits(self._records).of(str(held.body["by"]), self._now) else "no_permit"

    def _lapse(self, run: Run, record: Record, step: RunStep, held: Record) -> Kept:
        """Back, and planned again: whoever approves the plan later still approves all of it."""
        failed = step.state is StepState.FAILED
        if step.touched:
            run, record, proceed = self.undoing.one(run, record, step)
            if not proceed:
                return run, record
            step = run.step(step.index)
        if not step.touched:  # else it could not be put back: that stays to be seen
            run, record = self.stepping.book.keep_step(run, record, step.model_copy(update=_ANEW))
        self._over(run, run.step(step.index), held, "failed" if failed else "not_confirmed")
        return run, record

    def _over(self, run: Run, step: RunStep, held: Record, why: str) -> None:
        back = not step.touched
        details = {"step": step.index, "first_by": held.body["by"], "why": why, "put_back": back}
        self.stepping.book.say(run, "act_first_lapsed", details)
        self._mark(held, "lapsed", why=why)
        because = _BECAUSE.get(why, _BECAUSE["not_confirmed"])
        ja = "元に戻しました" if back else "元に戻そうとしましたが、できません。人が戻してください"
        en = "it is as it was" if back else "it could not be put back, a person must"
        words = Words(f"{because.ja}{ja}: {step.title_ja}", f"{because.en} {en}: {step.title_en}")
        self.news.append((run, words))

    def _tell(self, run: Run, step: RunStep, held: Record) -> None:
        """The approver hears of it at once, and the incident's timeline."""
        until = datetime.fromisoformat(held.body["until"]).astimezone(JST)
        by, reason = held.body["by"], held.body["reason"]
        words = Words(
            f"{by} さんが承認の前に行いました: {step.title_ja}(理由: {reason})。{until:%m/%d %H:%M} までに承認がなければ元に戻します",
            f"{by} did before the approval: {step.title_en} ({reason}); put back unless approved by {until:%m/%d %H:%M}",
        )
        self.news.append((run, words))
        try:
            self.stepping.world.tell(run, step.model_copy(update={"kind": "tell", "detail": run.approver}))
        except HinomiError as error:
            self.stepping.book.say(run, "act_first_not_told", {"step": step.index, "why": error.en})

    def _until(self, step: RunStep) -> str:
        return (self._now + timedelta(hours=step.first_hours or 1)).isoformat()

    def _mark(self, held: Record, state: str, **more: Any) -> Record:
        return self._records.put(FIRST, held.id, {**held.body, "state": state, **more}, expect=held.version)

    @property
    def _records(self) -> Records:
        return self.stepping.book.records

    @property
    def _now(self) -> datetime:
        return self.stepping.clock.now()


def _genuine(audit: Audit, run: Run, step: RunStep, body: Mapping[str, Any]) -> bool:
    """Whether the person's decision on this step of this very plan is in the audit log."""
    return audit.says(
        str(body.get("entry", "")),
        actor=str(body["by"]),
        actions=["playbook.act_first"],
        target=run.id,
        details={"step": step.index, "plan": run.plan_hash},
    )
