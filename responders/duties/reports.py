"""Report drafts: versions of one text, checked by another person before it may be called sent. A person sends it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hinomi.clock import JST, Clock
from hinomi.errors import Conflict, InputError
from hinomi.incident import Incident
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.duties import drafting
from responders.duties.clocks import KIND as CLOCK
from responders.duties.clocks import Clocks
from responders.duties.docx import docx
from responders.duties.duty import Duty, duty
from responders.duties.printed import pdf
from responders.incidents import casefile
from responders.roles import same_person

KIND = "duty_report"
APPROVER = "information_security_manager"


@dataclass(frozen=True, slots=True)
class Written:
    """One version as documents. blanks: items that are still to be filled in."""

    docx: bytes
    pdf: bytes
    blanks: list[str]


@dataclass(frozen=True, slots=True)
class Reports:
    """Drafts of one incident's reports. Versions are never changed, only followed by others.

    body: who reports, by whose the incident is (empty: the tower's).
    """

    records: Records
    clock: Clock
    audit: Audit
    body: Callable[[str], str] = lambda _: ""

    def draft(self, clock_id: str, *, actor: str, roles: Sequence[str]) -> Record:
        """The first version, filled from the incident; a later call fills a new one from what is known now."""
        held, incident, kind = self._about(clock_id)
        self._counter.worker(actor, roles, "report.draft", incident.id)
        return self._version(
            held, drafting.filled(kind, incident, held, self.body(incident.organization)), actor
        )

    def edit(
        self, clock_id: str, changes: Mapping[str, str], *, base: int, actor: str, roles: Sequence[str]
    ) -> Record:
        """A new version with these items changed. base: the newest version when the writer began, 0 where there was none.

        Raises Conflict where another version has come since: what it says would be written over unseen."""
        held, incident, kind = self._about(clock_id)
        self._counter.worker(actor, roles, "report.edit", incident.id)
        last = self.latest(clock_id)
        so_far = last.body["fields"] if last else {}
        unknown = set(changes) - {item.key for item in drafting.asked(kind, so_far)}
        if unknown:
            raise InputError(
                f"知らない項目です: {', '.join(sorted(unknown))}",
                f"unknown items: {', '.join(sorted(unknown))}",
            )
        if base != (last.body["version"] if last else 0):
            raise Conflict(
                "書いている間に、ほかの人が新しい版を保存しました。見比べてから保存してください。",
                "somebody saved a newer version meanwhile; compare both, then save",
            )
        before = so_far or drafting.filled(kind, incident, held, self.body(incident.organization))
        return self._version(held, {**before, **{key: text[:20_000] for key, text in changes.items()}}, actor)

    def approve(self, clock_id: str, version: int, *, actor: str, roles: Sequence[str]) -> Record:
        """An office that did not write it says that this version may go out. Blanks must be gone, and the items be those that the
        duty asks for now: one of before may hold what this body is not to read."""
        report = self._of(clock_id, version)
        self._counter.office(actor, roles, APPROVER, "report.approve", report.id)
        if same_person(actor, report.body["by"]):
            self._counter.refuse(
                actor,
                "report.approve",
                report.id,
                "self",
                "書いた本人は承認できません。別の人が確かめてください。",
                "another person must approve it",
            )
        latest = self.latest(clock_id)
        if latest is None or latest.id != report.id:
            raise InputError(
                "新しい版があります。それを確かめてください。", "there is a newer version; look at it"
            )
        if drafting.of_another_form(duty(report.body["duty"]), report.body["fields"]):
            raise InputError(
                "この版を書いた後に、報告の項目が変わりました。記録から作り直し、要る内容を写してください。",
                "the items of this report have changed since this version was written; fill it anew, then copy what is needed",
            )
        if left := drafting.blanks(report.body["fields"]):
            raise InputError(
                f"まだ記入していない項目があります: {', '.join(left)}", f"blanks are left: {', '.join(left)}"
            )
        details = {"version": version, "sha256": report.body["sha256"]}
        self.audit.append(
            actor=actor, action="report.approved", target=report.body["incident_id"], details=details
        )
        body = {**report.body, "state": "approved", "approved_by": actor, "approved_at": self._now}
        return self.records.put(KIND, report.id, body, expect=report.version)

    def sent(
        self, clock_id: str, version: int, how: str, at: datetime, *, actor: str, roles: Sequence[str]
    ) -> Record:
        """A person sent the approved version: when and by which way (form, telephone, receipt number)."""
        report = self._of(clock_id, version)
        self._counter.worker(actor, roles, "report.sent", report.id)
        if report.body["state"] != "approved":
            self._counter.refuse(
                actor,
                "report.sent",
                report.id,
                "not_approved",
                "承認された版だけを、送ったと記録できます。",
                "only an approved version can be called sent",
            )
        how = self._counter.reason(how)
        if at > self.clock.now():
            raise InputError("送った時刻が先になっています。", "the time of sending lies ahead")
        details = {"version": version, "how": how, "at": at.isoformat(), "sha256": report.body["sha256"]}
        self.audit.append(
            actor=actor, action="report.sent", target=report.body["incident_id"], details=details
        )
        Clocks(self.records, self.clock, self.audit).sent(clock_id, by=actor, how=how, at=at)
        body = {**report.body, "state": "sent", "sent_by": actor, "sent_at": at.isoformat(), "how": how}
        return self.records.put(KIND, report.id, body, expect=report.version)

    def versions(self, clock_id: str) -> list[Record]:
        """All versions, oldest first."""
        found = self.records.find(KIND, {"clock_id": clock_id}, limit=1000)
        return sorted(found, key=lambda one: int(one.body["version"]))

    def latest(self, clock_id: str) -> Record | None:
        """The newest version."""
        found = self.versions(clock_id)
        return found[-1] if found else None

    def written(self, clock_id: str, version: int) -> Written:
        """The version as Word file and PDF."""
        held, incident, kind = self._about(clock_id)
        report = self._of(clock_id, version)
        made = datetime.fromisoformat(report.body["at"])
        state = {"draft": "下書き", "approved": "承認済み", "sent": "送付済み"}[report.body["state"]]
        title, fields = f"{kind.what.ja}({kind.to.ja})", report.body["fields"]
        lead = [
            f"インシデント #{incident.number} 第{version}版({state}) 作成 {made.astimezone(JST):%Y-%m-%d %H:%M} {report.body['by']}",
            *drafting.heading(kind, held.body, self.body(incident.organization)),
        ]
        table = drafting.rows(kind, fields)
        return Written(
            docx(title, lead, table),
            pdf(title, lead, table, made=made, footer=f"火の見 {title} 第{version}版"),
            drafting.blanks(fields),
        )

    def _version(self, held: Record, fields: Mapping[str, str], actor: str) -> Record:
        number = len(self.versions(held.id)) + 1
        text = "\n".join(f"{key}: {value}" for key, value in sorted(fields.items()))
        body = {
            "clock_id": held.id,
            "incident_id": held.body["incident_id"],
            "duty": held.body["duty"],
            "version": number,
            "fields": dict(fields),
            "state": "draft",
            "by": actor,
            "at": self._now,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        details = {"version": number, "duty": body["duty"], "sha256": body["sha256"]}
        self.audit.append(
            actor=actor, action="report.version", target=held.body["incident_id"], details=details
        )
        return self.records.put(KIND, f"{held.id}.{number:04d}", body, expect=0)

    def _of(self, clock_id: str, version: int) -> Record:
        held = self.records.get(KIND, f"{clock_id}.{version:04d}")
        if held is None:
            raise InputError("この版はありません。", "there is no such version")
        return held

    def _about(self, clock_id: str) -> tuple[Record, Incident, Duty]:
        held = self.records.get(CLOCK, clock_id)
        if held is None:
            raise InputError("この報告期限はありません。", "there is no such clock")
        return held, casefile.read(self.records, held.body["incident_id"]), duty(held.body["duty"])

    @property
    def _now(self) -> str:
        return self.clock.now().isoformat()

    @property
    def _counter(self) -> Counter:
        return Counter(self.records, self.clock, self.audit)
