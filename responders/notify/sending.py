"""One message to one person: sent at least once, on the next channel where one fails, marked where it may come twice.

What a channel took is known in memory before it is written. Where the store does not answer just then, it is written in
the next round, so that only the death of the process itself leaves a doubt. A doubtful message is sent once more, and
says so; a second doubt ends it (`unknown`): twice is the most that anybody gets. One that fails again and again goes on
being tried every two minutes: for a day, or as long as it asks for somebody. Either way the incident is looked at again,
as somebody else may have to be called (`responders.reach`): such a record is `lost`.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hinomi.clock import Clock
from hinomi.errors import HinomiError
from hinomi.pauses import growing
from hinomi.store import Record, Records
from responders.audit import Audit
from responders.incidents import casefile
from responders.notify import recent
from responders.notify.kinds import kinds
from responders.notify.message import Message, of_body
from responders.notify.settings import NotifySettings
from responders.notify.waiting import KIND, Waiting
from responders.oncall.settings import Contact

_FIRST, _LONGEST, _GIVEN_UP = timedelta(seconds=5), timedelta(minutes=2), timedelta(days=1)
_ASKED = timedelta(minutes=1)
"""So long a channel that asks for it (Retry-After) is left alone: somebody waits at the other end."""
_DOUBTS = 2
_SLOW = 5.0
"""Seconds: a channel that failed after so long is left alone for the rest of the round, or all others would wait for it."""
STOPPED = "unknown"
"""Stands in the history for the channel of a doubtful message."""
_AGAIN_JA = "送信の途中で停止したため、もう一度送ります。同じ通知が既に届いているかもしれません。"
_AGAIN_EN = "Sent once more, as Hinomi stopped while sending: you may have had this already."


@dataclass(slots=True)
class Sending:
    """Writes what became of each message. One process sends."""

    records: Records
    clock: Clock
    settings: NotifySettings
    people: Mapping[str, Contact]
    audit: Audit
    waiting: Waiting
    chance: random.Random = field(default_factory=random.Random)  # jitter, not a secret
    _begun: dict[str, str] = field(default_factory=dict)  # id → the channel that took it, "" while none has
    _slow: set[str] = field(default_factory=set)
    _busy: dict[str, datetime] = field(default_factory=dict)  # channel → until when it asked to be left alone

    def round(self) -> None:
        """A new round: write first what the store did not take in the last one."""
        self._slow.clear()
        for identity, channel in list(self._begun.items()):
            record = self.records.get(KIND, identity)
            if record is not None and channel:
                self._sent(record, channel)
            elif record is not None and record.body["state"] == "sending":
                self._mark(record, {"state": "planned"})  # it was not sent
            del self._begun[identity]

    def recover(self) -> int:
        """After a start: what was being sent by whoever died may have gone out."""
        self._begun = {identity: channel for identity, channel in self._begun.items() if channel}
        self.round()
        stuck = self.records.find(KIND, {"state": "sending"}, limit=100_000)
        for record in stuck:
            self._doubt(record)
        return len(stuck)

    def send(self, record: Record) -> bool:
        """Whether a channel took it."""
        contact = self.people.get(record.body["person"])
        if contact is None:
            self._lose(record, {"state": "failed"}, "—", "連絡先がありません / no such contact")
            return False
        name = self._channel(record, contact)
        if name is None:
            return False
        self._begun[record.id] = ""
        marked = self._mark(record, {"state": "sending", "attempts": int(record.body["attempts"]) + 1})
        if (problem := self._try(marked, contact, name)) is None:
            self._begun[record.id] = name
            self._sent(marked, name)
        else:
            self._fail(marked, name, problem)
        del self._begun[record.id]
        return problem is None

    def _channel(self, record: Record, contact: Contact) -> str | None:
        """Whose turn it is: of those that did not ask to be left alone; None while the one that it must be is slow or asked so."""
        now, turn = self.clock.now(), int(record.body["channel"])
        free = [one for one in contact.channels if self._busy.get(one, now) <= now]
        name = contact.channels[turn % len(contact.channels)]
        if name in free:
            return name if name not in self._slow else None
        quick = [one for one in free if one not in self._slow]
        return quick[turn % len(quick)] if quick else None

    def _try(self, record: Record, contact: Contact, name: str) -> str | None:
        """Hand it over; what went wrong, in words."""
        channel = self.settings.channels.get(name)
        if channel is None:
            return f"通知先 {name} がありません / no such channel"
        began = time.monotonic()
        try:
            message = self._message(record, inside=channel.inside)
            kinds()[channel.kind].send(channel, contact, message, record.id)
        except HinomiError as error:
            problem = error.ja
            asked = min(timedelta(seconds=getattr(error, "after", 0)), _ASKED)
            self._busy[name] = self.clock.now() + asked
        except Exception as error:  # a channel's own mistake must not stop the others
            problem = type(error).__name__
        else:
            return None
        if time.monotonic() - began > _SLOW:
            self._slow.add(name)
        return problem

    def _message(self, record: Record, *, inside: bool) -> Message:
        message = of_body(record.body).for_channel(inside=inside)
        if _doubts(record):
            text = f"{_AGAIN_JA}\n{_AGAIN_EN}\n\n{message.text}"
            message = replace(message, subject=f"【再送】{message.subject}", text=text)
        return message.labelled(self.settings.label)

    def _sent(self, record: Record, channel: str) -> None:
        """A channel took it. Done again after a failing write it does what is left."""
        if record.body["state"] != "sent":
            now = self.clock.now().isoformat()
            history = [*record.body["history"], {"at": now, "channel": channel}]
            record = self._mark(record, {"state": "sent", "sent": now, "history": history, "lost": False})
        recent.note(self.records, record, self.clock.now())
        details = {"to": record.body["person"], "how": channel}
        self.audit.append(
            actor="hinomi", action="notify.sent", target=record.body["incident_id"], details=details
        )

    def _doubt(self, record: Record) -> None:
        """It may have gone out: once more, where that was not so before."""
        reason = "送信中に停止しました / stopped while sending"
        if _doubts(record) + 1 >= _DOUBTS:
            self._lose(record, {"state": "unknown"}, STOPPED, reason, certain=False)
            return
        self._mark(record, self._later(record, STOPPED, reason, certain=False))
        self._log(record, "notify.unknown", reason)

    def _fail(self, record: Record, channel: str, reason: str) -> None:
        """The next channel after a pause that grows; after so many attempts others are to be called."""
        changes = self._later(record, channel, reason)
        asks = record.body.get("asks") or record.body.get("members")
        if not asks and self.clock.now() - datetime.fromisoformat(record.body["created"]) > _GIVEN_UP:
            self._lose(record, {"state": "failed"}, channel, reason)
        elif int(record.body["attempts"]) >= self.settings.attempts and not record.body.get("lost"):
            self._lose(record, changes, channel, reason)
        else:
            self._mark(record, changes)

    def _later(self, record: Record, channel: str, reason: str, *, certain: bool = True) -> dict[str, Any]:
        pause = growing(_FIRST, _LONGEST, int(record.body["attempts"]))
        due = self.clock.now() + pause * (1 + self.chance.random() / 4)
        history = self._history(record, channel, reason, certain=certain)
        step = {"channel": int(record.body["channel"]) + 1, "due": due.isoformat()}
        return {"state": "planned", **step, "history": history}

    def _history(
        self, record: Record, channel: str, reason: str, *, certain: bool
    ) -> list[dict[str, object]]:
        now = self.clock.now().isoformat()
        line = {"at": now, "channel": channel, "problem": reason, "certain": certain}
        return [*record.body["history"][-50:], line]

    def _lose(
        self, record: Record, changes: Mapping[str, Any], channel: str, reason: str, *, certain: bool = True
    ) -> None:
        """This person is not reached: written, and the incidents are looked at again."""
        history = self._history(record, channel, reason, certain=certain)
        for incident in self._about(record):
            self.records.put(casefile.NUDGE, incident, {})
        self._mark(record, {**changes, "history": history, "lost": True})
        self._log(record, "notify.failed" if certain else "notify.unknown", reason)

    def _about(self, record: Record) -> set[str]:
        """The incidents that the message is about."""
        members = [self.records.get(KIND, one) for one in record.body.get("members", ())]
        return {one.body["incident_id"] for one in (record, *members) if one} - {""}

    def _log(self, record: Record, action: str, reason: str) -> None:
        self.audit.append(actor="hinomi", action=action, target=record.id, details={"reason": reason})

    def _mark(self, record: Record, changes: Mapping[str, Any]) -> Record:
        marked = self.records.put(KIND, record.id, {**record.body, **changes}, expect=record.version)
        self.waiting.note(marked)
        return marked


def _doubts(record: Record) -> int:
    """How often the process died while sending it."""
    return sum(not line.get("certain", True) for line in record.body["history"])


def failing(record: Record) -> set[str]:
    """The channels on which it failed for certain."""
    lines = record.body["history"]
    return {str(line["channel"]) for line in lines if "problem" in line and line.get("certain", True)}
