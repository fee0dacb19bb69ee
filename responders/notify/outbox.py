"""The outbox: every message is a record before it is sent, so a crash forgets nothing and repeats one message at most.

States: planned → sending → sent | failed (a day long) | folded (told in a digest) | moot (somebody had it in hand before
it went) | unknown (the process died while sending, twice: it may have gone out). A message that may come twice says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import Conflict, HinomiError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.notify import recent
from responders.notify.digest import Digests
from responders.notify.message import Message
from responders.notify.sending import Sending
from responders.notify.settings import NotifySettings
from responders.notify.waiting import KIND, Waiting
from responders.oncall.settings import Contact

__all__ = ["KIND", "Outbox"]


@dataclass(slots=True)
class Outbox:
    """Sends planned messages, within limits, with backoff and a second channel."""

    records: Records
    clock: Clock
    settings: NotifySettings
    people: Mapping[str, Contact]
    audit: Audit
    waiting: Waiting = field(init=False)
    sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.records, self.clock)
        self.sending = Sending(self.records, self.clock, self.settings, self.people, self.audit, self.waiting)

    @staticmethod
    def id_of(key: str, person: str) -> str:
        """The id of a message: the same matter to the same person is the same message."""
        return digest("notification", key, person)

    def plan(
        self,
        person: str,
        message: Message,
        *,
        key: str,
        incident_id: str,
        link: str = "",
        ack: str = "",
        asks: bool = False,
        decides: str = "",
    ) -> bool:
        """Put a message in the outbox once; False when this very message was planned before.

        link, ack: for a digest; asks: it asks somebody to take the incident, and is idle once somebody has; decides: the approval that
        it asks for, idle once that is decided.
        """
        identity = self.id_of(key, person)
        now = self.clock.now().isoformat()
        body: dict[str, Any] = {
            "person": person,
            "incident_id": incident_id,
            **message.as_body(),
            "link": link or message.link,
            "ack": ack or message.ack,
            "asks": asks,
            "decides": decides,
            "state": "planned",
            "attempts": 0,
            "channel": 0,
            "created": now,
            "due": now,
            "history": [],
        }
        try:
            self.waiting.note(self.records.put(KIND, identity, body, expect=0))
        except Conflict:
            return False
        return True

    def recover(self) -> int:
        """After a start: messages that were being sent may have gone out; they go once more and say so."""
        self.waiting.forget()
        return self.sending.recover()

    def deliver(self) -> int:
        """Send what is due, what waits for one person as one digest; returns how many went out."""
        try:
            self.sending.round()
            waiting = self.waiting.due()
            sent = self._deliver(waiting) if waiting else 0
            self.waiting.settle()
            return sent
        except HinomiError:
            self.waiting.forget()  # what is written may differ from what we know
            raise

    def _deliver(self, waiting: Sequence[Record]) -> int:
        now, sent = self.clock.now(), 0
        lately = self._lately(now)
        full = recent.full(self.settings, lately, now)
        free = [record for record in waiting if not full(record)]
        for record in Digests(self.records, self.settings, self.audit, self.waiting).due(free, lately, now):
            if not recent.full(self.settings, lately, now)(record) and self.sending.send(record):
                lately.append(self.records.get(KIND, record.id) or record)
                sent += 1
        return sent

    def _lately(self, now: datetime) -> list[Record]:
        """What went out within the hour, or the time by which a storm is told. A test message holds up none that calls people."""
        window = max(timedelta(hours=1), timedelta(minutes=self.settings.storm_minutes))
        sent = recent.since(self.records, KIND, now - window)
        return [one for one in sent if one.body["stands_for"]]
