"""An incident that a person opens, for what no log told. The respond process opens it at its next round, gives it its number and
calls whoever is on call, as for any other."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from collectors.enrich.settings import Zone
from hinomi.clock import Clock
from hinomi.errors import Conflict, InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.counter import Counter
from responders.incidents import reported
from responders.playbooks.named import Named
from responders.roles import kept_as
from responders.starting import Starting

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says. known: when it became known, from which reporting deadlines may count; grade: 0 to 3; zone: one of
    the network's, empty where it is not known; targets: whom and what it is about, by ECS field; playbook: one to start at
    once, or none; organization: whose it is, empty for the tower's own; key: the same key again is the same report."""

    title: str
    what: str
    known: datetime
    grade: int
    zone: str
    targets: Named
    playbook: str = ""
    organization: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """Records what people report."""

    records: Records
    clock: Clock
    audit: Audit
    starting: Starting

    def open(self, report: Report, *, actor: str, roles: Sequence[str]) -> Record:
        """Take a report in. Given twice under one key it is one.

        Raises Refused for whoever does not work on incidents (and, with a playbook, has no account), InputError for a report
        that cannot be: no title, a moment that lies ahead, a grade, zone, playbook or target that there is not.
        """
        counter = Counter(self.records, self.clock, self.audit)
        counter.worker(actor, roles, "incident.open", report.title[:_LONGEST])
        if report.playbook:
            self.starting.allowed(actor, roles, report.playbook)
            self.starting.known(report.playbook)
        by = kept_as(actor)
        identity = digest("report", by, report.key or secrets.token_hex(16))
        if (held := self.records.get(reported.KIND, identity)) is not None:
            return held
        body = {**self._body(report), "what": counter.reason(report.what), "by": by}
        entry = self.audit.append(
            actor=by,
            action="incident.open",
            target=reported.incident_id(identity),
            details=reported.said(body),
        )
        try:
            return self.records.put(reported.KIND, identity, {**body, "entry": entry}, expect=0)
        except Conflict:  # sent twice in one moment
            held = self.records.get(reported.KIND, identity)
            assert held is not None
            return held

    def waiting(self) -> list[Record]:
        """Reports that the respond process has not taken up yet, oldest first."""
        return self.records.find(reported.KIND, {"state": "asked"}, order="at", limit=100)

    def _body(self, report: Report) -> dict[str, object]:
        title = " ".join(report.title.split())
        if not title or len(title) > _LONGEST or not title.isprintable():
            raise InputError(
                f"題名を 1〜{_LONGEST} 字で書いてください。",
                f"a title of 1 to {_LONGEST} characters is needed",
            )
        if report.known.tzinfo is None or report.known > self.clock.now():
            raise InputError(
                "知った時刻は、今より前の時刻にしてください。", "the moment of knowledge must lie behind"
            )
        if not 0 <= report.grade < len(reported.LEVELS):
            raise InputError("段階は 0〜3 です。", "a grade is 0 to 3")
        if report.zone and report.zone not in set(Zone):
            raise InputError(f"網は {', '.join(Zone)} のどれかです。", f"a zone is one of {', '.join(Zone)}")
        return {
            "title": title,
            "known": report.known.astimezone(UTC).isoformat(),
            "grade": report.grade,
            "zone": report.zone,
            "targets": self.starting.named(report.targets),
            "playbook": report.playbook,
            "organization": report.organization,
            "at": self.clock.now().isoformat(),
            "state": "asked",
        }
