"""A storm over several incidents is one message: what waits for one person is told together, the gravest first.

A digest is a message of its own whose `members` are the messages it stands for; they are `folded`. It is written before
they are marked and sent after, so a crash in between neither forgets one nor tells it twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hinomi.errors import Conflict
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.notify.message import Brief, of_body, of_several
from responders.notify.settings import NotifySettings

KIND = "notification"


@dataclass(slots=True)
class Digests:
    """Folds messages that wait for the same person, and says which messages must wait for others."""

    records: Records
    settings: NotifySettings
    audit: Audit

    def due(self, waiting: Sequence[Record], sent: Sequence[Record], now: datetime) -> list[Record]:
        """What is to be sent now, of messages `waiting` whose time has come. sent: what went out lately."""
        self._finish(waiting)
        fresh: dict[str, list[Record]] = {}
        due = []
        for record in waiting:
            if record.body["attempts"] or record.body.get("members"):
                due.append(record)
            elif not self._folded(record, waiting):
                fresh.setdefault(record.body["person"], []).append(record)
        for person, records in fresh.items():
            told = [one for one in sent if one.body["person"] == person]
            if self._go(records, told, now):
                due.append(records[0] if len(records) == 1 else self._fold(person, records, now))
        return due

    def _go(self, fresh: Sequence[Record], told: Sequence[Record], now: datetime) -> bool:
        """Whether these go now: not in a storm, graver than all told in it, or they have waited long enough."""
        window = timedelta(minutes=self.settings.storm_minutes)
        lately = [one for one in told if datetime.fromisoformat(one.body["sent"]) > now - window]
        if len(lately) < self.settings.storm_messages:
            return True
        if max(map(_grade, fresh)) > max(map(_grade, lately)):
            return True
        return min(datetime.fromisoformat(one.body["created"]) for one in fresh) + window <= now

    def _fold(self, person: str, records: Sequence[Record], now: datetime) -> Record:
        """One message in place of these."""
        ordered = sorted(records, key=lambda one: (-_grade(one), one.body["created"]))
        message = of_several([_brief(one) for one in ordered])
        identity = digest("digest", person, *sorted(one.id for one in records))
        stamp = now.isoformat()
        body = {
            **ordered[0].body,
            **message.as_body(),
            "members": [one.id for one in ordered],
            "created": stamp,
            "due": stamp,
        }
        try:
            record = self.records.put(KIND, identity, body, expect=0)
        except Conflict:
            held = self.records.get(KIND, identity)
            assert held is not None
            record = held
        self._mark(record, {one.id: one for one in records})
        self.audit.append(
            actor="hinomi",
            action="notify.digest",
            target=identity,
            details={"to": person, "messages": len(ordered)},
        )
        return record

    def _finish(self, waiting: Sequence[Record]) -> None:
        """Mark what a digest already stands for; a crash may have come in between."""
        by_id = {one.id: one for one in waiting}
        for record in waiting:
            self._mark(record, by_id)

    def _mark(self, digest_: Record, known: Mapping[str, Record]) -> None:
        for identity in digest_.body.get("members", ()):
            member = known.get(identity)
            if member is not None:
                body = {**member.body, "state": "folded", "into": digest_.id}
                self.records.put(KIND, identity, body, expect=member.version)

    def _folded(self, record: Record, waiting: Sequence[Record]) -> bool:
        return any(record.id in one.body.get("members", ()) for one in waiting)


def _grade(record: Record) -> int:
    return int(record.body.get("grade", 0))


def _brief(record: Record) -> Brief:
    body = record.body
    return Brief(of_body(body), body.get("link", ""), body.get("ack", ""))
