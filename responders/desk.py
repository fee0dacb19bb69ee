"""The desk: what people decide, recorded and audited. It never acts; the respond process does.

Used by the console and the command line. Every method writes the audit log before the decision takes effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError, Refused
from hinomi.incident import Happening, Incident, Status, Verdict
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.notify import links
from responders.playbooks.run import APPROVAL, KIND, Run, RunState

RANKS = (
    "information_system_manager",
    "information_security_manager",
    "chief_information_security_manager",
    "ciso",
)
"""Who approves, lowest first (roles of the MIC guideline): a higher office may decide for a lower one."""
_INCIDENT = "incident"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class AckLinks:
    """Reads the links of notifications; a link works until its incident is acknowledged."""

    key: bytes
    clock: Clock

    def read(self, token: str) -> tuple[str, str]:
        """(incident id, person). Raises Refused for a token that is wrong or too old."""
        ticket = links.verify(self.key, token, self.clock.now())
        return ticket.incident_id, ticket.person


@dataclass(frozen=True, slots=True)
class Desk:
    """Decisions of people on incidents and playbook runs."""

    records: Records
    clock: Clock
    audit: Audit
    links: AckLinks

    def acknowledge(self, incident_id: str, *, actor: str) -> Incident:
        """The person takes the incident; escalation stops. A second acknowledgement changes nothing."""
        incident = self._incident(incident_id)
        if incident.acknowledged_by and not graver_since(incident):
            return incident
        now = self.clock.now()
        fields = {**incident.fields, "acknowledged_grade": incident.grade}
        changes: dict[str, Any] = {"acknowledged_by": actor, "acknowledged_at": now, "fields": fields}
        if incident.status is Status.NEW:
            changes["status"] = Status.ACKNOWLEDGED
        return self._change(incident_id, actor, "ack", "対応を始めました。", "took the incident", changes)

    def assign(self, incident_id: str, assignee: str, *, actor: str) -> Incident:
        """Give the incident to a person."""
        changes = {"assignee": assignee, "status": Status.IN_PROGRESS}
        return self._change(
            incident_id, actor, "assign", f"担当: {assignee}", f"assigned to {assignee}", changes
        )

    def comment(self, incident_id: str, text: str, *, actor: str) -> Incident:
        """Add a note to the timeline."""
        return self._change(incident_id, actor, "comment", text, text, {})

    def regrade(self, incident_id: str, grade: int, reason: str, *, actor: str) -> Incident:
        """Change the grade, with a reason; it then no longer follows the alerts."""
        if not 0 <= grade <= 3 or not reason.strip():
            raise InputError("段階は 0〜3 で、理由が要ります。", "a grade is 0 to 3 and needs a reason")
        fields = {**self._incident(incident_id).fields, "grade_by": actor}
        changes = {"grade": grade, "grade_reason_ja": reason, "grade_reason_en": reason, "fields": fields}
        return self._change(
            incident_id,
            actor,
            "level",
            f"段階を {grade} に変更: {reason}",
            f"grade {grade}: {reason}",
            changes,
        )

    def close(self, incident_id: str, verdict: Verdict, reason: str, *, actor: str) -> Incident:
        """Close with a verdict and its reason."""
        changes = {"status": Status.CLOSED, "verdict": verdict}
        return self._change(
            incident_id,
            actor,
            "status",
            f"終了({verdict}): {reason}",
            f"closed ({verdict}): {reason}",
            changes,
        )

    def approve(self, approval_id: str, *, actor: str, roles: Sequence[str], note: str = "") -> Record:
        """Approve a plan. Raises Refused for the wrong role, the requester, a changed or expired plan."""
        return self._decide(approval_id, "approved", actor, roles, note)

    def deny(self, approval_id: str, *, actor: str, roles: Sequence[str], note: str = "") -> Record:
        """Deny a plan."""
        return self._decide(approval_id, "denied", actor, roles, note)

    def undo(self, run_id: str, *, actor: str, roles: Sequence[str], note: str = "") -> None:
        """Ask for a finished run to be put back, in reverse order."""
        record = self.records.get(KIND, run_id)
        if record is None:
            raise InputError("この実行はありません。", "there is no such run")
        run = Run.model_validate(record.body)
        if not may_approve(roles, run.approver):
            self._refuse(actor, "playbook.undo", run_id, "role")
        if run.dry_run or run.state not in (RunState.DONE, RunState.FAILED):
            self._refuse(actor, "playbook.undo", run_id, "state")
        self.audit.append(actor=actor, action="playbook.undo_asked", target=run_id, details={"note": note})
        moved = run.model_copy(update={"state": RunState.UNDOING, "decided_by": actor})
        self.records.put(KIND, run_id, moved.model_dump(mode="json"), expect=record.version)

    def _decide(self, approval_id: str, state: str, actor: str, roles: Sequence[str], note: str) -> Record:
        approval = self.records.get(APPROVAL, approval_id)
        if approval is None:
            raise InputError("この承認の依頼はありません。", "there is no such approval")
        self._check(approval, state, actor, roles)
        self.audit.append(
            actor=actor,
            action=f"playbook.{state}",
            target=approval_id,
            details={"note": note, "plan": approval.body["plan_hash"]},
        )
        decided = {
            **approval.body,
            "state": state,
            "by": actor,
            "at": self.clock.now().isoformat(),
            "note": note,
        }
        try:
            return self.records.put(APPROVAL, approval_id, decided, expect=approval.version)
        except Conflict:
            self._refuse(actor, f"playbook.{state}", approval_id, "decided")
            raise

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

    def _refuse(self, actor: str, action: str, target: str, why: str) -> None:
        ja, en = _REFUSALS[why]
        self.audit.append(actor=actor, action=f"{action}.refused", target=target, details={"why": why})
        raise Refused(ja, en)

    def _incident(self, incident_id: str) -> Incident:
        held = self.records.get(_INCIDENT, incident_id)
        if held is None:
            raise InputError("このインシデントはありません。", "there is no such incident")
        return Incident.model_validate(held.body)

    def _change(
        self, incident_id: str, actor: str, kind: str, ja: str, en: str, changes: Mapping[str, Any]
    ) -> Incident:
        """Audit, then change by compare-and-set; another writer's change is taken in and ours put on top."""
        self.audit.append(actor=actor, action=f"incident.{kind}", target=incident_id, details={"text": en})
        line = Happening.model_validate(
            {"time": self.clock.now(), "kind": kind, "actor": actor, "ja": ja, "en": en}
        )
        for _ in range(_TRIES):
            held = self.records.get(_INCIDENT, incident_id)
            if held is None:
                break
            incident = Incident.model_validate(held.body)
            update = {**changes, "updated": self.clock.now(), "timeline": [*incident.timeline, line]}
            changed = incident.model_copy(update=update)
            try:
                self.records.put(_INCIDENT, incident_id, changed.model_dump(mode="json"), expect=held.version)
            except Conflict:
                continue
            return changed
        raise Conflict(
            "ほかの人の変更と重なりました。もう一度お試しください。",
            "others changed it at the same time; try again",
        )


def graver_since(incident: Incident) -> bool:
    """Whether the incident has become graver since somebody took it: then people are called again."""
    return incident.grade > int(incident.fields.get("acknowledged_grade", incident.grade))


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


def may_approve(roles: Sequence[str], approver: str) -> bool:
    """Whether one of the roles is the approver's office or above it."""
    needed = RANKS.index(approver)
    return any(role in RANKS and RANKS.index(role) >= needed for role in roles)
