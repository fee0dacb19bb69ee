"""One group of one correlation: its entries of the last timespan and more, and the bursts already told."""

from bisect import insort
from dataclasses import dataclass, field
from typing import Any

from rules.correlation.entry import Entry

MOST = 20_000
"""Entries kept of a group; the oldest go beyond it, counted as `correlation_overflow`."""


@dataclass(slots=True)
class Burst:
    """One alert's stretch of time: its id stays while late or further events widen it."""

    alert_id: str
    first: int
    last: int
    detected: str


@dataclass(slots=True)
class Group:
    """entries: ordered by (time, id), each signal once; told: bursts that have an alert."""

    entries: list[Entry] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    told: list[Burst] = field(default_factory=list)

    def add(self, entry: Entry) -> bool:
        """Put the entry in its place in time; False when it is there already."""
        if entry.id in self.ids:
            return False
        self.ids.add(entry.id)
        if not self.entries or (entry.time, entry.id) >= self.entries[-1][:2]:
            self.entries.append(entry)
        else:
            insort(self.entries, entry, key=lambda one: one[:2])
        return True

    def evict(self, before: int) -> int:
        """Forget entries older than the time, and what is over MOST; returns how many were over."""
        over = max(0, len(self.entries) - MOST)
        keep = next((i for i, entry in enumerate(self.entries) if entry.time >= before), len(self.entries))
        gone = max(keep, over)
        for entry in self.entries[:gone]:
            self.ids.discard(entry.id)
        del self.entries[:gone]
        self.told = [burst for burst in self.told if burst.last >= before]
        return max(0, over - keep)

    def as_json(self) -> dict[str, Any]:
        """For the state that outlives the process."""
        return {
            "entries": [list(entry) for entry in self.entries],
            "told": [[burst.alert_id, burst.first, burst.last, burst.detected] for burst in self.told],
        }

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> "Group":
        """What `as_json` gave."""
        kept = [Entry(*entry) for entry in body["entries"]]
        return cls(kept, {entry.id for entry in kept}, [Burst(*burst) for burst in body["told"]])
