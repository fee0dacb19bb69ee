"""What people decide about acting first (事後承認): who may, for how long; and that it is done now. Nothing here acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.playbooks import authority, switch
from responders.playbooks.permits import FIRST, KIND, Permits, eligible, first_id
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run, RunState, StepState
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.turns import nudge
from responders.roles import RANKS, held_roles, kept_as, may_approve, may_work

_REFUSALS = {
    "no_permit": (
        "承認の前に行う許可を受けていません。承認者に連絡してください。",
        "you have no permit to act before the approval; call the approver",
    ),
    "office_hours": (
        "開庁時間中は、承認を受けてから行ってください。",
        "within office hours the approver decides first",
    ),
    "not_marked": (
        "この手順は、承認の前には行えません。",
        "this step cannot be done before its approval",
    ),
    "state": ("この計画は承認待ちではありません。", "this plan does not wait for an approval"),
    "stopped": ("自動の操作は止められています。", "automation is stopped"),
    "plan_changed": (
        "計画が変わりました。新しい計画を確かめてください。",
        "the plan has changed; look at the new one",
    ),
    "decided": ("この手順は既に一度、先に行われています。", "this step was done first once already"),
}


@dataclass(frozen=True, slots=True)
class ActingFirst:
    """Records decisions; the respond process follows them."""

    records: Records
    clock: Clock
    audit: Audit
    settings: PlaybookSettings

    def permit(
        self, taker: str, start: datetime, end: datetime, reason: str, *, actor: str, roles: Sequence[str]
    ) -> Record:
        """An office holder lets somebody who works on incidents act first, from when to when and why."""
        self._counter.any_office(actor, roles, "first_permit", taker)
        if not may_approve(held_roles(self.records, actor), RANKS[0]):
            self._counter.refuse(
                actor,
                "first_permit",
                taker,
                "role",
                "許可できるのは、承認の役割を自分で持つ人だけです。",
                "only who holds an approving office can give this permit",
            )
        taker = kept_as(taker)
        if not may_work(held_roles(self.records, taker)):
            raise InputError(
                "許可を受ける人を、監視担当から選んでください。", "choose an account that works on incidents"
            )
        most = authority.permit_days()
        if not start < end or (end - start).days > most:
            raise InputError(f"期間は {most} 日までです。", f"from before to, at most {most} days")
        body = {
            "giver": kept_as(actor),
            "taker": taker,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "reason": self._counter.reason(reason),
            "state": "open",
        }
        self.audit.append(actor=actor, action="first_permit", target=taker, details=body)
        return self.records.put(
            KIND, digest("first_permit", actor, taker, start.isoformat(), end.isoformat()), body
        )

    def end_permit(self, identity: str, *, actor: str, roles: Sequence[str]) -> None:
        """Take a permit back early. Any office holder may."""
        self._counter.any_office(actor, roles, "first_permit.end", identity)
        held = self.records.get(KIND, identity)
        if held is None:
            raise InputError("この許可はありません。", "there is no such permit")
        self.audit.append(actor=actor, action="first_permit.end", target=identity)
        self.records.put(KIND, identity, {**held.body, "state": "ended"}, expect=held.version)

    def act(
        self, run_id: str, index: int, reason: str, *, actor: str, roles: Sequence[str], plan: str = ""
    ) -> Record:
        """Do a step before its approval, now. plan: the `plan_hash` that the person was shown.

        Raises Refused, audited, for whoever has no permit, within office hours, for a step that is not marked, and the
        second time.
        """
        self._counter.worker(actor, roles, "playbook.act_first", run_id)
        run = self._run(run_id)
        if why := self.why_not(run, index, actor, plan):
            self._refuse(actor, run_id, why)
        body = {
            "run_id": run_id,
            "index": index,
            "by": actor,
            "at": self.clock.now().isoformat(),
            "reason": self._counter.reason(reason),
            "state": "asked",
        }
        details = {"step": index, "plan": run.plan_hash, "reason": body["reason"]}
        entry = self.audit.append(actor=actor, action="playbook.act_first", target=run_id, details=details)
        try:
            kept = self.records.put(FIRST, first_id(run_id, index), {**body, "entry": entry}, expect=0)
        except Conflict:
            self._refuse(actor, run_id, "decided")
        nudge(self.records, run_id)
        return kept

    def why_not(self, run: Run, index: int, actor: str, plan: str = "") -> str:
        """Why the person may not do the step first, as a word; empty if they may and nobody did. plan: as in `act`."""
        step, now = next((one for one in run.steps if one.index == index), None), self.clock.now()
        if Permits(self.records).of(actor, now) is None:
            return "no_permit"
        if run.state is not RunState.PROPOSED:
            return "state"
        if step is None or step.state is not StepState.PLANNED or not eligible(run, step):
            return "not_marked"
        if switch.stopped(self.records, self.settings):
            return "stopped"
        if plan and plan != run.plan_hash:
            return "plan_changed"
        if authority.at_the_office(now):
            return "office_hours"
        return "decided" if self.records.get(FIRST, first_id(run.id, index)) is not None else ""

    def _run(self, run_id: str) -> Run:
        held = self.records.get(RUN, run_id)
        if held is None:
            raise InputError("この実行はありません。", "there is no such run")
        return held.read_as(Run)

    def _refuse(self, actor: str, run_id: str, why: str) -> NoReturn:
        self._counter.refuse(actor, "playbook.act_first", run_id, why, *_REFUSALS[why])

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)
