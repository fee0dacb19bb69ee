"""What people decide about automation: the kill switch, standing in for an office, tasks of a run, acts with an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders import delegation
from responders.audit import Audit
from responders.counter import Counter
from responders.playbooks import standing, switch
from responders.playbooks.offices import over_act
from responders.playbooks.run import KIND, Run
from responders.playbooks.tasks import Tasks
from responders.roles import RANKS, held_roles, kept_as, same_person

_LONGEST_DAYS = 31
_OWN_REQUEST = (
    "求めた本人は延長できません。別の人が延長してください。",
    "the requester cannot prolong it; another person must",
)


@dataclass(frozen=True, slots=True)
class Automation:
    """Records decisions; the respond process follows them."""

    records: Records
    clock: Clock
    audit: Audit

    def stop(self, reason: str, *, actor: str, roles: Sequence[str]) -> None:
        """Throw the kill switch: no playbook acts from now on. Whoever works on incidents may."""
        self._counter.worker(actor, roles, "automation.stop", switch.ID)
        self._set(True, self._counter.reason(reason), actor)

    def resume(self, reason: str, *, actor: str, roles: Sequence[str]) -> None:
        """Let playbooks act again. It takes one of the offices that approve."""
        self._counter.any_office(actor, roles, "automation.resume", switch.ID)
        self._set(False, self._counter.reason(reason), actor)

    def stopped(self) -> dict[str, Any] | None:
        """Who threw the switch when and why; None while automation runs."""
        held = self.records.get(switch.KIND, switch.ID)
        return held.body if held and held.body["stopped"] else None

    def finish_task(
        self,
        run_id: str,
        index: int,
        *,
        actor: str,
        roles: Sequence[str],
        answer: str = "",
        note: str = "",
    ) -> Record:
        """A person has done a task of a run, with the answer that it asks for."""
        self._counter.worker(actor, roles, "playbook.task", run_id)
        tasks = Tasks(self.records)
        run, step = tasks.step_for(run_id, index)
        details = {"step": index, "answer": answer, "note": note[:1000]}
        self.audit.append(actor=actor, action="playbook.task", target=run_id, details=details)
        at = self.clock.now().isoformat()
        return tasks.done(run, step, by=actor, answer=answer, note=note[:1000], at=at)

    def extend(
        self, run_id: str, index: int, until: datetime, reason: str, *, actor: str, roles: Sequence[str]
    ) -> bool:
        """An act that ends by itself stands until another time (at most 31 days from now). It takes what the act itself
        took: the office that approved it, at the gate before it where there is one, not whoever asked for it, and as many people as were
        wanted there, each naming the same time. False while another one has to say so, too."""
        held = standing.standing(self.records, run_id, index)
        run = self.records.get(KIND, run_id)
        if held is None or run is None or held.body["state"] != "open":
            raise InputError("期限のある操作はありません。", "no act with an end stands here")
        plan = run.read_as(Run)
        took = over_act(plan, plan.step(index))
        self._counter.office(actor, roles, took.who, "playbook.extend", run_id)
        if same_person(actor, plan.requested_by):
            self._counter.refuse(actor, "playbook.extend", run_id, "self", *_OWN_REQUEST)
        if not timedelta(0) < until - self.clock.now() <= timedelta(days=_LONGEST_DAYS):
            raise InputError(
                f"期限は今より後、{_LONGEST_DAYS} 日以内にしてください。",
                f"the end must lie ahead, at most {_LONGEST_DAYS} days",
            )
        details = {"step": index, "until": until.isoformat(), "reason": self._counter.reason(reason)}
        self.audit.append(actor=actor, action="playbook.extend", target=run_id, details=details)
        body = standing.prolonged(held.body, until, actor, took.people)
        self.records.put(standing.KIND, held.id, body, expect=held.version)
        return body["asked"] is None

    def delegate(
        self,
        taker: str,
        start: datetime,
        end: datetime,
        reason: str,
        *,
        actor: str,
        roles: Sequence[str],
    ) -> Record:
        """Lend one's own office to somebody for a while (at most 31 days). Nobody lends what was lent to them."""
        own = [role for role in held_roles(self.records, actor) if role in RANKS]
        if not own or not set(own) & set(roles):
            self._counter.refuse(
                actor,
                "delegation",
                taker,
                "role",
                "代わりを頼めるのは、承認の役割を自分で持つ人だけです。",
                "only who holds an approving office can lend it",
            )
        taker = kept_as(taker)
        if not held_roles(self.records, taker) or taker == kept_as(actor):
            raise InputError(
                "代わりの人を利用者から選んでください。", "choose another account that is not locked"
            )
        if not start < end or (end - start).days > _LONGEST_DAYS:
            raise InputError(
                f"期間は {_LONGEST_DAYS} 日までです。", f"from before to, at most {_LONGEST_DAYS} days"
            )
        body = {
            "giver": kept_as(actor),
            "taker": taker,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "reason": self._counter.reason(reason),
            "offices": own,
            "state": "open",
        }
        self.audit.append(actor=actor, action="delegation", target=taker, details=body)
        identity = digest("delegation", actor, taker, start.isoformat(), end.isoformat())
        return self.records.put(delegation.KIND, identity, body)

    def end_delegation(self, identity: str, *, actor: str, roles: Sequence[str]) -> None:
        """Take it back early: who lent it, or a CISO."""
        held = self.records.get(delegation.KIND, identity)
        if held is None:
            raise InputError("この代理はありません。", "there is no such delegation")
        if held.body["giver"] != kept_as(actor):
            self._counter.office(actor, roles, "ciso", "delegation.end", identity)
        self.audit.append(actor=actor, action="delegation.end", target=identity)
        self.records.put(delegation.KIND, identity, {**held.body, "state": "ended"}, expect=held.version)

    def _set(self, stopped: bool, reason: str, actor: str) -> None:
        action = "automation.stop" if stopped else "automation.resume"
        self.audit.append(actor=actor, action=action, target=switch.ID, details={"reason": reason})
        at = self.clock.now().isoformat()
        body = {"stopped": stopped, "by": actor, "reason": reason, "at": at}
        self.records.put(switch.KIND, switch.ID, body)

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)
