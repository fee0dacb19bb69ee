"""Messages that wait to be sent, kept in memory: a round in a storm costs what is due, not what was ever planned.

The records are the truth: they are read at a start, after somebody else wrote over what we know, and every minute. What a
digest stands for is marked a portion a round: thousands of writes at once would hold up a grave message.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hinomi.clock import Clock
from hinomi.store import Record, Records

KIND = "notification"
_AGAIN = timedelta(minutes=1)
_PORTION = 100


@dataclass(slots=True)
class Waiting:
    """What is planned, by id. One process sends."""

    records: Records
    clock: Clock
    _known: dict[str, Record] = field(default_factory=dict)
    _folding: dict[str, str] = field(default_factory=dict)
    _read: datetime | None = None

    def note(self, record: Record) -> None:
        """The record was written so."""
        if record.body["state"] == "planned" and record.id not in self._folding:
            self._known[record.id] = record
        else:
            self._known.pop(record.id, None)

    def forget(self) -> None:
        """What we know may be old: read anew before the next use."""
        self._read = None

    def cover(self, record: Record) -> None:
        """A digest stands for its members: they wait no more, and are marked so bit by bit."""
        for member in record.body["members"]:
            self._folding[member] = record.id
            self._known.pop(member, None)

    def due(self) -> list[Record]:
        """What is to be sent by now, the oldest first."""
        now = self.clock.now()
        if self._read is None or now - self._read >= _AGAIN:
            self._read_anew(now)
        due = [one for one in self._known.values() if datetime.fromisoformat(one.body["due"]) <= now]
        return sorted(due, key=lambda one: (one.body["created"], one.id))

    def settle(self) -> None:
        """Mark a portion of what digests stand for."""
        for member, into in list(self._folding.items())[:_PORTION]:
            held = self.records.get(KIND, member)
            if held is not None and held.body["state"] == "planned":
                folded = {**held.body, "state": "folded", "into": into}
                self.records.put(KIND, member, folded, expect=held.version)
            del self._folding[member]
            if into not in self._folding.values():
                self._settled(into)

    def _settled(self, into: str) -> None:
        held = self.records.get(KIND, into)
        if held is not None and held.body.get("folding"):
            done = {**held.body, "folding": False}
            self.note(self.records.put(KIND, into, done, expect=held.version))

    def _read_anew(self, now: datetime) -> None:
        if self._read is None:
            for unfinished in self.records.find(KIND, {"folding": True}, limit=1_000):
                self.cover(unfinished)
        found = self.records.find(KIND, {"state": "planned"}, limit=100_000)
        self._known = {one.id: one for one in found if one.id not in self._folding}
        self._read = now
