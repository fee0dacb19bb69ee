"""Requests for a decision on a plan, and the decisions: records that change by compare-and-set. Nothing here acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError, Refused
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.playbooks.run import APPROVAL, KIND, Run, RunState
from responders.roles import may_approve

_DECIDED = ("approved", "denied")
_REFUSALS = {
    "role": ("この承認に必要な役割がありません。", "you do not hold the role that this approval needs"),
    "self": (
        "求めた本人は承認できません。別の人が承認してください。",
        "the requester cannot approve; another person must",
    ),
    "decided": ("この依頼は既に決まっています。", "this request has been decided already"),
    "expired": (
        "承認の期限が過ぎています。計画を作り直してください。",
        "the time for approval is over; propose the plan again",
    ),
    "plan_changed": (
        "計画が変わりました。新しい計画を確かめてください。",
        "the plan has changed; look at the new one",
    ),
    "state": ("この実行は元に戻せる状態ではありません。", "this run is not in a state that can be undone"),
}


@dataclass(frozen=True, slots=True)
class Approvals:
    """Asks, checks who may decide, audits, records."""

    records: Records
    clock: Clock
    audit: Audit

    def ask(self, run: Run, *, void: Record | None = None) -> bool:
        """Put the request for a decision: what would happen, who may decide, until when, and on which plan.

        False when a person decided on the request that it would replace: their decision stands, unless it is `void`.
        """
        body = {
            "incident_id": run.incident_id,
            "run_id": run.id,
            "plan_hash": run.plan_hash,
            "approver": run.approver,
            "shows_ja": run.impact_ja,
            "shows_en": run.impact_en,
            "requested_by": run.requested_by,
            "expires": run.expires.isoformat(),
            "state": "open",
        }
        while True:
            held = self.records.get(APPROVAL, run.id)
            if held is not None and held.body["state"] in _DECIDED and held != void:
                return False
            try:
                self.records.put(APPROVAL, run.id, body, expect=held.version if held else 0)
            except Conflict:
                continue  # decided in this very moment: look again
            return True

    def withdraw(self, run: Run) -> bool:
        """Take the request back. False when a person decided on it: their decision stands."""
        while True:
            held = self.records.get(APPROVAL, run.id)
            if held is None or held.body["state"] == "withdrawn":
                return True
            if held.body["state"] in _DECIDED:
                return False
            try:
                self.records.put(APPROVAL, run.id, {**held.body, "state": "withdrawn"}, expect=held.version)
            except Conflict:
                continue  # decided in this very moment: look again
            return True

    def decide(
        self, approval_id: str, state: str, actor: str, roles: Sequence[str], note: str, plan: str = ""
    ) -> Record:
        """Record a person's decision, on the plan that they saw where `plan` says which.

        Raises Refused for whoever may not, and when another was first or the plan is another one by now.
        """
        approval = self.records.get(APPROVAL, approval_id)
        if approval is None:
            raise InputError("この承認の依頼はありません。", "there is no such approval")
        self._check(approval, state, actor, roles)
        if plan and plan != approval.body["plan_hash"]:
            self._refuse(actor, f"playbook.{state}", approval_id, "plan_changed")
        self.audit.append(
            actor=actor,
            action=f"playbook.{state}",
            target=approval_id,
            details={"note": note, "plan": approval.body["plan_hash"]},
        )
        at = self.clock.now().isoformat()
        decided = {**approval.body, "state": state, "by": actor, "at": at, "note": note}
        try:
            return self.records.put(APPROVAL, approval_id, decided, expect=approval.version)
        except Conflict:
            now = self.records.get(APPROVAL, approval_id)
            self._refuse(
                actor,
                f"playbook.{state}",
                approval_id,
                "plan_changed" if now and now.body["state"] == "open" else "decided",
            )

    def ask_undo(self, run_id: str, actor: str, roles: Sequence[str], note: str) -> None:
        """Record that a finished run is to be put back. Raises Refused for whoever may not, and the second time."""
        record = self.records.get(KIND, run_id)
        if record is None:
            raise InputError("この実行はありません。", "there is no such run")
        run = Run.model_validate(record.body)
        if not may_approve(roles, run.approver):
            self._refuse(actor, "playbook.undo", run_id, "role")
        if not run.undoable:
            self._refuse(actor, "playbook.undo", run_id, "state")
        self.audit.append(actor=actor, action="playbook.undo_asked", target=run_id, details={"note": note})
        fresh = [step.model_copy(update={"attempts": 0, "again_at": None}) for step in run.steps]
        undoing = {"state": RunState.UNDOING, "decided_by": actor, "steps": fresh}
        moved = run.model_copy(update=undoing)
        try:
            self.records.put(KIND, run_id, moved.model_dump(mode="json"), expect=record.version)
        except Conflict:
            self._refuse(actor, "playbook.undo", run_id, "state")

    def _check(self, approval: Record, state: str, actor: str, roles: Sequence[str]) -> None:
        body, action = approval.body, f"playbook.{state}"
        if not may_approve(roles, body["approver"]):
            self._refuse(actor, action, approval.id, "role")
        if actor == body["requested_by"]:
            self._refuse(actor, action, approval.id, "self")
        if body["state"] != "open":
            self._refuse(actor, action, approval.id, "decided")
        if self.clock.now() >= datetime.fromisoformat(body["expires"]):
            self._refuse(actor, action, approval.id, "expired")
        held = self.records.get(KIND, body["run_id"])
        if held is None or Run.model_validate(held.body).plan_hash != body["plan_hash"]:
            self._refuse(actor, action, approval.id, "plan_changed")

    def _refuse(self, actor: str, action: str, target: str, why: str) -> NoReturn:
        ja, en = _REFUSALS[why]
        self.audit.append(actor=actor, action=f"{action}.refused", target=target, details={"why": why})
        raise Refused(ja, en)
