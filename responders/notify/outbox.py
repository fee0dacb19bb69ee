"""The outbox: every message is a record before it is sent, so a crash sends nothing twice and forgets nothing.

States: planned → sending → sent | failed | folded (told in a digest) | moot (somebody had it in hand before it went) |
unknown (the process died while sending: it may have gone out, so it is not repeated on that channel by itself; the next
channel is tried and the record says so).
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import Conflict, HinomiError
from hinomi.identity import digest
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.notify import recent
from responders.notify.digest import Digests
from responders.notify.kinds import kinds
from responders.notify.message import Message, of_body
from responders.notify.settings import NotifySettings
from responders.notify.storm import SERIOUS
from responders.notify.waiting import KIND, Waiting
from responders.oncall.settings import Contact

__all__ = ["KIND", "Outbox"]
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(slots=True)
class Outbox:
    """Sends planned messages, within limits, with backoff and a second channel."""

    records: Records
    clock: Clock
    settings: NotifySettings
    people: Mapping[str, Contact]
    audit: Audit
    chance: random.Random = field(default_factory=random.Random)  # jitter, not a secret
    waiting: Waiting = field(init=False)

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.records, self.clock)

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
    ) -> bool:
        """Put a message in the outbox once; False when this very message was planned before.

        link, ack: for a digest; asks: it asks somebody to take the incident, and is idle once somebody has.
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
        """After a start: messages that were being sent may have gone out; they are marked so."""
        self.waiting.forget()
        stuck = self.records.find(KIND, {"state": "sending"}, limit=100_000)
        for record in stuck:
            self._fail(record, "unknown", "送信中に停止しました / stopped while sending", certain=False)
        return len(stuck)

    def deliver(self) -> int:
        """Send what is due, what waits for one person as one digest; returns how many went out."""
        try:
            waiting = self.waiting.due()
            sent = self._deliver(waiting) if waiting else 0
            self.waiting.settle()
            return sent
        except Conflict:
            self.waiting.forget()  # another process wrote over what we knew
            raise

    def _deliver(self, waiting: Sequence[Record]) -> int:
        now, sent = self.clock.now(), 0
        lately = self._lately(now)
        full = self._full(lately)
        free = [record for record in waiting if not full(record)]
        for record in Digests(self.records, self.settings, self.audit, self.waiting).due(free, lately, now):
            if not self._full(lately)(record) and self._send(record):
                lately.append(self.records.get(KIND, record.id) or record)
                sent += 1
        return sent

    def _lately(self, now: datetime) -> list[Record]:
        """What went out within the hour, or the time by which a storm is told."""
        window = max(timedelta(hours=1), timedelta(minutes=self.settings.storm_minutes))
        return recent.since(self.records, KIND, now - window)

    def _full(self, lately: Sequence[Record]) -> Callable[[Record], bool]:
        """Whether the limits of the hour hold a message back. What is serious never is."""
        since = (self.clock.now() - timedelta(hours=1)).isoformat()
        told = Counter(str(one.body["person"]) for one in lately if one.body["sent"] >= since)
        all_told = told.total() >= self.settings.an_hour

        def full(message: Record) -> bool:
            if int(message.body.get("grade", 0)) >= SERIOUS:
                return False
            return all_told or told[message.body["person"]] >= self.settings.per_person_an_hour

        return full

    def _send(self, record: Record) -> bool:
        contact = self.people.get(record.body["person"])
        if contact is None:
            self._close(record, "failed", "連絡先がありません / no such contact")
            return False
        name = contact.channels[int(record.body["channel"]) % len(contact.channels)]
        channel = self.settings.channels.get(name)
        if channel is None:
            self._fail(record, name, f"通知先 {name} がありません / no such channel")
            return False
        marked = self._mark(record, {"state": "sending", "attempts": int(record.body["attempts"]) + 1})
        message = of_body(record.body).for_channel(inside=channel.inside)
        if self.settings.label:
            message = replace(message, subject=f"【{self.settings.label}】{message.subject}")
        try:
            kinds()[channel.kind].send(channel, contact, message, record.id)
        except HinomiError as error:
            self._fail(marked, name, error.ja)
            return False
        except Exception as error:  # a channel's own mistake must not stop the others
            self._fail(marked, name, f"{type(error).__name__}")
            return False
        self._close(marked, "sent", name)
        return True

    def _fail(self, record: Record, channel: str, reason: str, *, certain: bool = True) -> None:
        """Try the next channel after a pause that grows; give up after so many attempts, and say so."""
        attempts = int(record.body["attempts"])
        history = [
            *record.body["history"],
            {"at": self.clock.now().isoformat(), "channel": channel, "problem": reason, "certain": certain},
        ]
        contact = self.people.get(record.body["person"])
        if not certain and (contact is None or len(contact.channels) < 2):
            self._mark(
                record, {"state": "unknown", "history": history}
            )  # there is no other way to ask; not twice
            self.audit.append(
                actor="hinomi", action="notify.unknown", target=record.id, details={"reason": reason}
            )
            return
        if attempts >= self.settings.attempts:
            self._mark(record, {"state": "failed", "history": history})
            self.audit.append(
                actor="hinomi", action="notify.failed", target=record.id, details={"reason": reason}
            )
            return
        pause = min(_FIRST * 2 ** max(attempts - 1, 0), _LONGEST) * (1 + self.chance.random() / 4)
        due = (self.clock.now() + pause).isoformat()
        self._mark(
            record,
            {"state": "planned", "channel": int(record.body["channel"]) + 1, "due": due, "history": history},
        )

    def _close(self, record: Record, state: str, how: str) -> None:
        now = self.clock.now().isoformat()
        history = [*record.body["history"], {"at": now, "channel": how}]
        closed = self._mark(record, {"state": state, "sent": now, "history": history})
        if state == "sent":
            recent.note(self.records, closed, self.clock.now())
        self.audit.append(
            actor="hinomi",
            action=f"notify.{state}",
            target=record.body["incident_id"],
            details={"to": record.body["person"], "how": how},
        )

    def _mark(self, record: Record, changes: Mapping[str, Any]) -> Record:
        marked = self.records.put(KIND, record.id, {**record.body, **changes}, expect=record.version)
        self.waiting.note(marked)
        return marked
