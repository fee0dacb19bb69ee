"""Requests for a decision on a plan, and the decisions: records that change by compare-and-set. Nothing here acts.

A decision names the audit entry that was written before it; one without its entry is a forgery and counts for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError, Refused
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.delegation import with_lent
from responders.playbooks.offices import over_undo
from responders.playbooks.permits import actors
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep
from responders.playbooks.turns import nudge
from responders.roles import kept_as, may_approve, same_person

STALE = timedelta(hours=12)
"""So long behind the end of its request a decision still carries acts: a person's task or a target that is away may take hours. Behind
that nothing acts on it; what was not begun is asked for again."""
DECIDED = ("approved", "denied")
"""States of a request on which people have decided."""
_REFUSALS = {
    "role": ("この承認に必要な役割がありません。", "you do not hold the role that this approval needs"),
    "self": (
        "求めた本人は承認できません。別の人が承認してください。",
        "the requester cannot approve; another person must",
    ),
    "self_undo": (
        "求めた本人は元に戻せません。別の人が行ってください。",
        "the requester cannot undo it; another person must",
    ),
    "acted_first": (
        "先に行った本人は承認できません。別の人が確かめて承認してください。",
        "who acted first cannot approve it; another person must",
    ),
    "decided": ("この依頼は既に決まっています。", "this request has been decided already"),
    "twice": (
        "既に承認しています。もう一人、別の人の承認が要ります。",
        "you have approved it already; another person must, too",
    ),
    "expired": (
        "承認の期限が過ぎています。計画を作り直してください。",
        "the time for approval is over; propose the plan again",
    ),
    "plan_changed": (
        "計画が変わりました。新しい計画を確かめてください。",
        "the plan has changed; look at the new one",
    ),
    "asked_anew": (
        "この承認は、画面を開いたあとに求め直されました。開き直して、今の内容を確かめてください。",
        "it was asked anew since the page was opened: open it again and look at what it says now",
    ),
    "not_asked": ("この承認は、まだ求められていません。", "this approval has not been asked for"),
    "state": ("この実行は元に戻せる状態ではありません。", "this run is not in a state that can be undone"),
}


def too_old(approval: Record, now: datetime) -> bool:
    """Whether nothing acts on the decision any more; nor on one that was given so long after now: it is from before the clock was set
    back, and would hold as long as that clock was ahead."""
    if now >= datetime.fromisoformat(approval.body["expires"]) + STALE:
        return True
    given = approval.body.get("at")
    return given is not None and now + STALE < datetime.fromisoformat(given)


def whole(body: dict[str, Any], run: Run) -> dict[str, Any]:
    """The request with all that its run says of it: one that was put before 30 November 2026 says neither since when and for how
    long it is asked nor whether it is a rehearsal's."""
    if "dry_run" in body:
        return body
    gate = next((step for step in run.steps if step.index == body["gate"]), None)
    asked = _request(run, gate)
    since = datetime.fromisoformat(body["expires"]) - timedelta(minutes=asked["minutes"])
    return {**asked, "since": since.isoformat(), **body}


def approval_id(run: Run, gate: RunStep | None = None) -> str:
    """The id of the request: the run's own, or that of a gate in the middle of it."""
    return run.id if gate is None else f"{run.id}.{gate.index}"


@dataclass(frozen=True, slots=True)
class Approvals:
    """Asks, checks who may decide, audits, records."""

    records: Records
    clock: Clock
    audit: Audit

    def ask(self, run: Run, *, gate: RunStep | None = None, void: Record | None = None) -> bool:
        """Put the request for a decision: what would happen, who may decide, until when, and on which plan.

        False when a person decided on the request that it would replace: their decision stands, unless it is `void`.
        """
        identity, body = approval_id(run, gate), _request(run, gate)
        while True:
            held = self.records.get(APPROVAL, identity)
            if held is not None and held.body["state"] in DECIDED and held != void:
                return False
            body["since"] = self._waits_since(held)
            try:
                self.records.put(APPROVAL, identity, body, expect=held.version if held else 0)
            except Conflict:
                continue  # decided in this very moment: look again
            return True

    def _waits_since(self, held: Record | None) -> str:
        """From when people are asked: put once more while nobody has decided, it is the same question."""
        waits = held is not None and held.body["state"] == "open" and held.body.get("since")
        return str(waits) if waits else self.clock.now().isoformat()

    def withdraw(self, run: Run, gate: RunStep | None = None) -> bool:
        """Take the request back. False when a person decided on it: their decision stands."""
        identity = approval_id(run, gate)
        while True:
            held = self.records.get(APPROVAL, identity)
            if held is None or held.body["state"] == "withdrawn":
                return True
            if held.body["state"] in DECIDED:
                return False
            try:
                self.records.put(APPROVAL, identity, {**held.body, "state": "withdrawn"}, expect=held.version)
            except Conflict:
                continue  # decided in this very moment: look again
            return True

    def decide(
        self,
        approval_id: str,
        state: str,
        actor: str,
        roles: Sequence[str],
        note: str,
        plan: str = "",
        until: str = "",
    ) -> Record:
        """Record a person's decision, on the plan and the request that they saw where `plan` and `until`, its end, say which: what is
        put anew may cover more than a page that was opened before shows.

        Of several people that must approve, each is recorded; the last one's makes it approved. Raises Refused for
        whoever may not, and when another was first or the plan or the request is another one by now.
        """
        approval = self.records.get(APPROVAL, approval_id)
        if approval is None:
            self._note_refusal(actor, f"playbook.{state}", approval_id, "not_asked")
            raise InputError("この承認の依頼はありません。", "there is no such approval")
        self._check(approval, state, actor, roles)
        if plan and plan != approval.body["plan_hash"]:
            self._refuse(actor, f"playbook.{state}", approval_id, "plan_changed")
        if until and until != approval.body["expires"]:
            self._refuse(actor, f"playbook.{state}", approval_id, "asked_anew")
        entry = self.audit.append(
            actor=actor,
            action=f"playbook.{state}",
            target=approval_id,
            details={
                "note": note,
                "plan": approval.body["plan_hash"],
                "until": approval.body["expires"],
            },
        )
        decided = _decided(approval.body, state, actor, note, self.clock.now().isoformat(), entry)
        try:
            kept = self.records.put(APPROVAL, approval_id, decided, expect=approval.version)
        except Conflict:
            now = self.records.get(APPROVAL, approval_id)
            if now and now.body["state"] == "open":  # another of several was first, or it is put anew
                on = str(approval.body["plan_hash"]), str(approval.body["expires"])
                return self.decide(approval_id, state, actor, roles, note, *on)
            self._refuse(actor, f"playbook.{state}", approval_id, "decided")
        nudge(self.records, str(approval.body["run_id"]))
        return kept

    def stands(self, run: Run, gate: RunStep | None = None) -> bool:
        """Whether the plan, as it is written now, is the one that people approved; at the gate where one is given."""
        held = self.records.get(APPROVAL, approval_id(run, gate))
        same = (
            held is not None and held.body["state"] == "approved" and held.body["plan_hash"] == run.plan_hash
        )
        return held is not None and same and self.genuine(held)

    def genuine(self, approval: Record) -> bool:
        """Whether each decision in the record was written to the audit log by who decided, on this very request."""
        body = approval.body
        given: list[dict[str, Any]] = body.get("given", [])
        if body["state"] == "denied" or not given:
            given = [{"by": body.get("by", ""), "entry": body.get("entry", "")}]
        return all(self._in_audit(approval, one) for one in given)

    def _in_audit(self, approval: Record, one: dict[str, Any]) -> bool:
        body = approval.body
        states = DECIDED if body["state"] == "open" else {body["state"]} & set(DECIDED)
        return self.audit.says(
            str(one.get("entry", "")),
            actor=str(one["by"]),
            actions=[f"playbook.{state}" for state in states],
            target=approval.id,
            details={"plan": body["plan_hash"], "until": body["expires"]},
        )

    def ask_undo(self, run_id: str, actor: str, roles: Sequence[str], note: str) -> None:
        """Record that a run is to be put back, and stopped first where it is under way: by who holds the highest office that let anything
        of it be done, and did not ask for it. Raises Refused for everybody else, and the second time."""
        run, _ = self._undoable(run_id, actor, roles)
        self.audit.append(actor=actor, action="playbook.undo_asked", target=run_id, details={"note": note})
        while True:
            run, record = self._undoable(run_id, actor, roles)
            try:
                self.records.put(
                    KIND, run_id, _undoing(run, actor).model_dump(mode="json"), expect=record.version
                )
            except Conflict:
                continue  # it went one step further in this very moment: look again
            nudge(self.records, run_id)
            return

    def _undoable(self, run_id: str, actor: str, roles: Sequence[str]) -> tuple[Run, Record]:
        record = self.records.get(KIND, run_id)
        if record is None:
            raise InputError("この実行はありません。", "there is no such run")
        run = record.read_as(Run)
        if not may_approve(with_lent(self.records, actor, roles, self.clock.now()), over_undo(run).who):
            self._refuse(actor, "playbook.undo", run_id, "role")
        if same_person(actor, run.requested_by):
            self._refuse(actor, "playbook.undo", run_id, "self_undo")
        if not run.undoable:
            self._refuse(actor, "playbook.undo", run_id, "state")
        return run, record

    def _check(self, approval: Record, state: str, actor: str, roles: Sequence[str]) -> None:
        body, action, now = approval.body, f"playbook.{state}", self.clock.now()
        if not may_approve(with_lent(self.records, actor, roles, now), body["approver"]):
            self._refuse(actor, action, approval.id, "role")
        if same_person(actor, body["requested_by"]):
            self._refuse(actor, action, approval.id, "self")
        if body["state"] != "open":
            self._refuse(actor, action, approval.id, "decided")
        held = self.records.get(KIND, body["run_id"])
        run = held.read_as(Run) if held else None
        if state == "approved" and run and kept_as(actor) in actors(self.records, run):
            self._refuse(actor, action, approval.id, "acted_first")
        if state == "approved" and any(same_person(actor, one["by"]) for one in body.get("given", [])):
            self._refuse(actor, action, approval.id, "twice")
        if now >= datetime.fromisoformat(body["expires"]):
            self._refuse(actor, action, approval.id, "expired")
        if run is None or run.plan_hash != body["plan_hash"]:
            self._refuse(actor, action, approval.id, "plan_changed")

    def _refuse(self, actor: str, action: str, target: str, why: str) -> NoReturn:
        self._note_refusal(actor, action, target, why)
        raise Refused(*_REFUSALS[why])

    def _note_refusal(self, actor: str, action: str, target: str, why: str) -> None:
        self.audit.append(actor=actor, action=f"{action}.refused", target=target, details={"why": why})


def _undoing(run: Run, actor: str) -> Run:
    """Each step may be tried anew; one that is begun keeps its pause, as what it made may not be found sooner."""
    fresh = [
        step.model_copy(update={"attempts": 0, "again_at": None if step.settled else step.again_at})
        for step in run.steps
    ]
    return run.model_copy(
        update={
            "state": RunState.UNDOING,
            "decided_by": actor,
            "steps": fresh,
            "undo_because": "person",
            "halted": run.state is RunState.RUNNING,
        }
    )


def _request(run: Run, gate: RunStep | None) -> dict[str, Any]:
    return {
        "incident_id": run.incident_id,
        "run_id": run.id,
        "gate": gate.index if gate else None,
        "plan_hash": run.plan_hash,
        "approver": gate.role if gate else run.approver,
        "people": gate.people if gate else run.people,
        "shows_ja": gate.title_ja if gate else run.impact_ja,
        "shows_en": gate.title_en if gate else run.impact_en,
        "warned_ja": gate.result_ja if gate else run.warned_ja,
        "warned_en": gate.result_en if gate else run.warned_en,
        "requested_by": run.requested_by,
        "dry_run": run.dry_run,
        "minutes": gate.stands_minutes if gate else run.decided_within,
        "renewed": gate.renewed if gate else 0,
        "expires": (gate.expires if gate and gate.expires else run.expires).isoformat(),
        "state": "open",
        "given": [],
    }


def _decided(body: dict[str, Any], state: str, actor: str, note: str, at: str, entry: str) -> dict[str, Any]:
    """The request after one more decision: one denial ends it, approval needs as many people as it says."""
    given = [*body.get("given", [])]
    if state == "approved":
        given.append({"by": actor, "at": at, "note": note, "entry": entry})
        if len(given) < int(body.get("people", 1)):
            return {**body, "given": given}
    return {**body, "state": state, "by": actor, "at": at, "note": note, "entry": entry, "given": given}
