"""The desk: what people decide, recorded and audited. It never acts; the respond process does.

Used by the console and the command line. Every method checks the role and writes the audit log before the decision
takes effect; what is refused is audited, too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError
from hinomi.incident import (
    CLOSED_AT,
    NO_THREAT,
    OPENED_FROM,
    Happening,
    Incident,
    Status,
    Verdict,
    closed_at,
    taken_at,
)
from hinomi.store import Record, Records
from responders.acting_first import ActingFirst
from responders.audit import Audit
from responders.automation import Automation
from responders.cases import Cases
from responders.counter import Counter
from responders.duties.clocks import Clocks
from responders.duties.contacts import Contacts
from responders.duties.drafting import BLANK
from responders.duties.reports import Reports
from responders.exercises import Exercises
from responders.incidents import casefile
from responders.incidents.shelf import Shelf
from responders.notify.door import Door
from responders.notify.links import Ticket
from responders.oncall.standins import Roster
from responders.opening import Opening
from responders.playbooks.approvals import Approvals
from responders.playbooks.settings import PlaybookSettings
from responders.replays import Replays
from responders.starting import Starting

Changes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AckLinks:
    """What signs the links of notifications."""

    key: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """Decisions of people on incidents and playbook runs. organization: who runs the tower; organizations: names of those
    it watches, who report what is theirs."""

    records: Records
    clock: Clock
    audit: Audit
    links: AckLinks
    evidence: Shelf | None = None
    organization: str = ""
    organizations: Mapping[str, str] = field(default_factory=dict)
    playbooks: PlaybookSettings = field(default_factory=PlaybookSettings)

    def acknowledge(self, incident_id: str, *, actor: str, roles: Sequence[str]) -> Incident:
        """The person takes the incident; escalation stops. A second acknowledgement changes nothing, unless the
        incident has become graver since."""
        self._worker(actor, roles, "incident.ack", incident_id)
        return self._acknowledge(incident_id, actor)

    def acknowledge_by_link(self, token: str) -> Incident:
        """The person whom the link was sent to takes the incident: the token is the permission, for one use.

        Raises Refused for a token that is wrong, too old or used up.
        """
        ticket = self.door.ticket(token)
        incident = self._of_link(ticket)
        used = casefile.link_used(incident, ticket.nonce)
        if used and casefile.needs_a_person(incident):
            self._refuse(
                ticket.person,
                "incident.ack",
                incident.id,
                "link_used",
                "このリンクは一度使われています。新しい通知のリンクか画面から対応してください。",
                "this link was used before; use the newest message or the console",
            )
        if used:
            return incident  # the button was pressed twice
        return self._acknowledge(ticket.incident_id, ticket.person, ticket.nonce)

    def open_link(self, token: str) -> tuple[Ticket, Incident]:
        """What a link is for: looking decides nothing, whoever or whatever opened it. Raises Refused as above."""
        ticket = self.door.shown(token)
        return ticket, self._of_link(ticket)

    def assign(
        self,
        incident_id: str,
        assignee: str,
        *,
        actor: str,
        roles: Sequence[str],
        before: str | None = None,
    ) -> Incident:
        """Give the incident to a person; work on an open one has then begun. before: whose it was when that was decided, where it is
        asked: raises Conflict where it is another's since."""
        self._worker(actor, roles, "incident.assign", incident_id)

        def given(now: Incident) -> Changes:
            if before not in (None, now.assignee):
                raise self._overtaken(actor, "incident.assign", incident_id)
            begun = now.status in (Status.NEW, Status.ACKNOWLEDGED)
            return {"assignee": assignee, "status": Status.IN_PROGRESS if begun else now.status}

        given(casefile.read(self.records, incident_id))
        words = f"担当: {assignee}", f"assigned to {assignee}"
        return self._change(incident_id, actor, "assign", *words, given)

    def comment(self, incident_id: str, text: str, *, actor: str, roles: Sequence[str]) -> Incident:
        """Add a note to the timeline."""
        self._worker(actor, roles, "incident.comment", incident_id)
        return self._change(incident_id, actor, "comment", text, text, lambda _: {})

    def regrade(
        self,
        incident_id: str,
        grade: int,
        reason: str,
        *,
        actor: str,
        roles: Sequence[str],
        before: str | None = None,
    ) -> Incident:
        """Change the grade, with a reason; it then no longer follows the alerts. before: the grade on which that was decided, where it is
        asked: raises Conflict where it is another since."""
        self._worker(actor, roles, "incident.level", incident_id)
        if not 0 <= grade <= 3 or not reason.strip():
            raise InputError("段階は 0〜3 で、理由が要ります。", "a grade is 0 to 3 and needs a reason")

        def graded(now: Incident) -> Changes:
            if before not in (None, str(now.grade)):
                raise self._overtaken(actor, "incident.level", incident_id)
            fields = {**now.fields, "grade_by": actor, "graded_at": self.clock.now().isoformat()}
            if now.acknowledged_by == actor:
                fields["acknowledged_grade"] = grade  # who raises it knows it
            return {"grade": grade, "grade_reason_ja": reason, "grade_reason_en": reason, "fields": fields}

        graded(casefile.read(self.records, incident_id))
        words = f"段階を {grade} に変更: {reason}", f"grade {grade}: {reason}"
        return self._change(incident_id, actor, "level", *words, graded)

    def close(
        self, incident_id: str, verdict: Verdict, reason: str, *, actor: str, roles: Sequence[str]
    ) -> Incident:
        """Close with a verdict and its reason; whoever judges it has taken it, unless somebody had before. One that is
        closed gets another verdict and keeps the day of its closing."""
        self._worker(actor, roles, "incident.status", incident_id)

        def closed(now: Incident) -> Changes:
            self._not_merged(now, incident_id, actor)
            since = closed_at(now) if now.status is Status.CLOSED else self.clock.now()
            was_none = now.verdict in NO_THREAT and verdict not in NO_THREAT  # what was called off goes on
            wrong = {"propose_again": True, OPENED_FROM: now.verdict} if was_none else {}
            known = {"acknowledged_grade": now.grade, **now.fields, CLOSED_AT: since.isoformat()}
            return {
                "status": Status.CLOSED,
                "verdict": verdict,
                "acknowledged_by": now.acknowledged_by or actor,
                "acknowledged_at": now.acknowledged_at or since,
                "fields": {**known, **wrong},
            }

        closed(casefile.read(self.records, incident_id))
        words = f"終了({verdict.words.ja}): {reason}", f"closed ({verdict.words.en}): {reason}"
        return self._change(incident_id, actor, "status", *words, closed)

    def reopen(self, incident_id: str, reason: str, *, actor: str, roles: Sequence[str]) -> Incident:
        """Open a closed incident again, with a reason; whoever does so has it, unless somebody had it before."""
        self._worker(actor, roles, "incident.status", incident_id)
        if not reason.strip():
            raise InputError("再開には理由が要ります。", "opening again needs a reason")
        incident = casefile.read(self.records, incident_id)
        self._not_merged(incident, incident_id, actor)
        if incident.status is not Status.CLOSED:
            raise InputError("このインシデントは終了していません。", "this incident is not closed")

        def opened(now: Incident) -> Changes | None:
            if now.status is not Status.CLOSED:
                return None  # somebody else was first, a moment ago
            again = int(now.fields.get("reopened", 0)) + 1
            known = {
                "reopened": again,
                "propose_again": True,
                "acknowledged_grade": now.grade,
                OPENED_FROM: now.verdict,
            }
            by_closing = now.acknowledged_at == closed_at(now)  # nobody had it before that
            had = "" if by_closing else now.acknowledged_by
            return {
                "status": Status.IN_PROGRESS,
                "verdict": None,
                "acknowledged_by": had or actor,
                "acknowledged_at": taken_at(now),  # closing it had been taking it
                "fields": {**now.fields, **known},
            }

        return self._change(
            incident_id, actor, "status", f"再開: {reason}", f"opened again: {reason}", opened
        )

    def approve(
        self,
        approval_id: str,
        *,
        actor: str,
        roles: Sequence[str],
        note: str = "",
        plan: str = "",
        until: str = "",
    ) -> Record:
        """Approve a plan. plan, until: the `plan_hash` and the end of the request that the person was shown, where a page showed them.

        Raises Refused for the wrong role, the requester, a changed or expired plan, a request that was put anew since.
        """
        return self._approvals.decide(approval_id, "approved", actor, roles, note, plan, until)

    def deny(self, approval_id: str, *, actor: str, roles: Sequence[str], note: str = "") -> Record:
        """Deny a plan."""
        return self._approvals.decide(approval_id, "denied", actor, roles, note)

    def undo(self, run_id: str, *, actor: str, roles: Sequence[str], note: str = "") -> None:
        """Ask for a run to be put back, in reverse order; one that is under way goes no further."""
        self._approvals.ask_undo(run_id, actor, roles, note)

    @property
    def automation(self) -> Automation:
        """Decisions about automation: kill switch, delegation, tasks of runs, acts with an end."""
        return Automation(self.records, self.clock, self.audit)

    @property
    def acting_first(self) -> ActingFirst:
        """Decisions about acting before the approval: who may, and that it is done now."""
        return ActingFirst(self.records, self.clock, self.audit, self.playbooks)

    @property
    def starting(self) -> Starting:
        """Playbooks that people start by hand."""
        return Starting(self.records, self.clock, self.audit, self.playbooks)

    @property
    def opening(self) -> Opening:
        """Incidents that people open for what no log told."""
        return Opening(self.records, self.clock, self.audit, self.starting)

    @property
    def cases(self) -> Cases:
        """Work on a case: tasks, evidence, merging, splitting, filters that come of a verdict."""
        return Cases(self.records, self.clock, self.audit, self.evidence)

    @property
    def clocks(self) -> Clocks:
        """Reporting clocks: from when the city knew, who decided, what is due to whom."""
        return Clocks(self.records, self.clock, self.audit)

    @property
    def reports(self) -> Reports:
        """Drafts of reports: versions, approval, what was sent by whom."""
        return Reports(self.records, self.clock, self.audit, self._body)

    def _body(self, whose: str) -> str:
        """Who reports an incident of this organisation, as far as it is known: the town itself, not the centre that
        watches it; one that the configuration no longer names stays a blank."""
        name = self.organizations.get(whose, "") if whose else self.organization
        return f"{name}\n{BLANK} 担当課・氏名・電話・メール" if name else ""

    @property
    def contacts(self) -> Contacts:
        """Who was told what, when, by whom."""
        return Contacts(self.records, self.clock, self.audit)

    @property
    def replays(self) -> Replays:
        """Dead letters that are to be read again."""
        return Replays(self.records, self.clock, self.audit)

    @property
    def exercises(self) -> Exercises:
        """Drills and trainings that took place."""
        return Exercises(self.records, self.clock, self.audit)

    @property
    def roster(self) -> Roster:
        """Who stands in, hand-over notes, maintenance planned ahead."""
        return Roster(self.records, self.clock, self.audit)

    @property
    def _approvals(self) -> Approvals:
        return Approvals(self.records, self.clock, self.audit)

    @property
    def door(self) -> Door:
        """What comes by link, without signing in."""
        return Door(self.records, self.clock, self.audit, self.links.key)

    def _of_link(self, ticket: Ticket) -> Incident:
        """The incident of a genuine link, which retention may have dropped since."""
        try:
            return casefile.read(self.records, ticket.incident_id)
        except InputError:
            self._refuse(
                ticket.person,
                "incident.ack",
                ticket.incident_id,
                "gone",
                "このリンクの件は残っていません。",
                "the incident of this link is gone",
            )

    def _worker(self, actor: str, roles: Sequence[str], action: str, target: str) -> None:
        self._counter.worker(actor, roles, action, target)

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)

    def _not_merged(self, now: Incident, incident_id: str, actor: str) -> None:
        """Closing and opening again are meant for what the person saw, not for the one that took it in."""
        if now.id != incident_id:
            self._refuse(
                actor,
                "incident.status",
                incident_id,
                "merged",
                f"このインシデントは #{now.number} にまとめられました。#{now.number} の画面で判断してください。",
                f"this incident was joined into #{now.number}; decide on that one",
            )

    def _refuse(self, actor: str, action: str, target: str, why: str, ja: str, en: str) -> NoReturn:
        self._counter.refuse(actor, action, target, why, ja, en)

    def _acknowledge(self, incident_id: str, actor: str, nonce: str = "") -> Incident:
        """nonce: the link's, which is then used up in the same write."""
        if not casefile.needs_a_person(casefile.read(self.records, incident_id)):
            return casefile.change(self.records, incident_id, lambda now: casefile.with_link_used(now, nonce))

        def taken(now: Incident) -> Changes | None:
            if not casefile.needs_a_person(now) or casefile.link_used(now, nonce):
                return None  # somebody else was first, a moment ago
            used = casefile.with_link_used(now, nonce).fields
            return {
                "acknowledged_by": actor,
                "acknowledged_at": self.clock.now(),
                "status": Status.ACKNOWLEDGED if now.status is Status.NEW else now.status,
                "fields": {**used, "acknowledged_grade": now.grade},
            }

        return self._change(incident_id, actor, "ack", "対応を始めました。", "took the incident", taken)

    def _overtaken(self, actor: str, action: str, target: str) -> Conflict:
        """Somebody else has decided the same thing since; that it was tried is in the audit log."""
        self.audit.append(
            actor=actor, action=f"{action}.refused", target=target, details={"why": "overtaken"}
        )
        return Conflict(
            "ほかの人が先に決めました。見直してください。", "somebody else has decided it since; look again"
        )

    def _change(
        self,
        incident_id: str,
        actor: str,
        kind: str,
        ja: str,
        en: str,
        changes: Callable[[Incident], Changes | None],
    ) -> Incident:
        """Audit, then change by compare-and-set: `changes` sees the incident as it is, also after another's write.

        None from `changes`: there is nothing left to decide.
        """
        casefile.read(self.records, incident_id)
        self.audit.append(actor=actor, action=f"incident.{kind}", target=incident_id, details={"text": en})
        line = Happening.model_validate(
            {"time": self.clock.now(), "kind": kind, "actor": actor, "ja": ja, "en": en}
        )

        def edited(incident: Incident) -> Incident:
            found = changes(incident)
            if found is None:
                return incident
            return casefile.with_line(incident, line).model_copy(update=dict(found))

        return casefile.change(self.records, incident_id, edited)
