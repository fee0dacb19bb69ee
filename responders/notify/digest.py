"""A storm over several incidents is one message: what waits for one person is told together, the gravest first.

A digest is a message of its own whose `members` are the messages it stands for; they are `folded`. It is written before
they are marked and sent after, so a crash in between neither forgets one nor tells it twice. What somebody has taken in
hand or closed in the meantime is told to nobody any more (`moot`). What is about no incident (a hand-over, channels that
fail) goes by itself: of a member only the subject is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hinomi.errors import Conflict, InputError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.incidents import casefile
from responders.notify.message import Brief, of_body, of_several
from responders.notify.settings import NotifySettings
from responders.notify.storm import Storm, grade
from responders.notify.waiting import KIND, Waiting
from responders.playbooks.run import APPROVAL


@dataclass(slots=True)
class Digests:
    """Folds messages that wait for the same person, and says which messages must wait for others."""

    records: Records
    settings: NotifySettings
    audit: Audit
    waiting: Waiting

    def due(self, waiting: Sequence[Record], sent: Sequence[Record], now: datetime) -> list[Record]:
        """What is to be sent now, of messages `waiting` whose time has come. sent: what went out lately."""
        told: set[str] = set()
        for record in waiting:
            if record.body.get("members"):
                self.waiting.cover(record)  # a crash may have come before its members were marked
                told.update(record.body["members"])
        fresh: dict[str, list[Record]] = {}
        due: list[Record] = []
        for record in waiting:
            if record.body["attempts"] or record.body.get("members") or not record.body["incident_id"]:
                due.append(record)
            elif record.id not in told:
                fresh.setdefault(record.body["person"], []).append(record)
        due = [one for record in due if (one := self._wanted(record)) is not None]
        return due + [one for person, new in fresh.items() if (one := self._of(person, new, sent, now))]

    def _of(self, person: str, fresh: list[Record], sent: Sequence[Record], now: datetime) -> Record | None:
        """The one message that goes to the person now, if any does."""
        told = [one for one in sent if one.body["person"] == person]
        if not Storm(self.settings).go(fresh, told, now):
            return None
        records = [one for one in fresh if self._wanted(one) is not None]
        if not records or (len(records) < len(fresh) and not Storm(self.settings).go(records, told, now)):
            return None  # what could not wait is in somebody's hands
        return records[0] if len(records) == 1 else self._fold(person, records, now)

    def _fold(self, person: str, records: Sequence[Record], now: datetime) -> Record:
        """One message in place of these."""
        identity = digest("digest", person, *sorted(one.id for one in records))
        stamp = now.isoformat()
        ordered = sorted(records, key=lambda one: (-grade(one), one.body["created"]))
        body = {
            **ordered[0].body,
            **_said(ordered),
            "members": [one.id for one in ordered],
            "asks": False,
            "decides": "",
            "created": stamp,
            "due": stamp,
            "folding": True,
        }
        try:
            record = self.records.put(KIND, identity, body, expect=0)
        except Conflict:
            held = self.records.get(KIND, identity)
            assert held is not None
            record = held
        self.waiting.note(record)
        self.waiting.cover(record)
        self.audit.append(
            actor="hinomi",
            action="notify.digest",
            target=identity,
            details={"to": person, "messages": len(records)},
        )
        return record

    def _wanted(self, record: Record) -> Record | None:
        """The message as far as it still asks for somebody; one that does not any more is marked and None."""
        if not any(record.body.get(name) for name in ("members", "asks", "decides")):
            return record
        members = [held for one in record.body.get("members", ()) if (held := self.records.get(KIND, one))]
        left = [one for one in members or [record] if self._asks(one)]
        if len(left) == len(members or [record]):
            return record
        if left:
            changed = {**record.body, **_said(left)}
            kept = self.records.put(KIND, record.id, changed, expect=record.version)
            self.waiting.note(kept)
            return kept
        self.audit.append(
            actor="hinomi",
            action="notify.moot",
            target=record.body["incident_id"],
            details={"to": record.body["person"]},
        )
        moot = {**record.body, "state": "moot"}
        self.waiting.note(self.records.put(KIND, record.id, moot, expect=record.version))
        return None

    def _asks(self, record: Record) -> bool:
        """Whether the incident still waits for a person, or the request for a decision; any other message always does."""
        if identity := record.body.get("decides"):
            approval = self.records.get(APPROVAL, str(identity))
            return approval is not None and approval.body["state"] == "open"
        if not record.body.get("asks"):
            return True
        try:
            incident = casefile.read(self.records, str(record.body["incident_id"]))
        except InputError:
            return True
        return casefile.needs_a_person(incident)


def _said(records: Sequence[Record]) -> dict[str, Any]:
    """What a digest of these says: once that an incident asks for somebody, and everything else (deadlines, words to an office)."""
    once: dict[str, Record] = {}
    for one in records:
        once.setdefault((one.body.get("asks") and one.body["incident_id"]) or one.id, one)
    briefs = [_brief(one) for one in once.values()]
    message = of_several(briefs) if len(briefs) > 1 else briefs[0].message
    lead = next((one.body for one in once.values() if one.body.get("ack")), next(iter(once.values())).body)
    about = {name: lead[name] for name in ("incident_id", "link", "ack")}
    return {**message.as_body(), **about, "stands_for": len(briefs)}


def _brief(record: Record) -> Brief:
    body = record.body
    return Brief(of_body(body), body.get("link", ""), body.get("ack", ""))
