"""One group of one correlation: the entries that can still change a window, and the bursts already told."""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Any

from rules.correlation.burst import Burst
from rules.entry import Entry

MOST = 20_000
"""Entries kept of a group; the oldest go beyond it, counted as `correlation_overflow`."""


@dataclass(slots=True)
class Group:
    """entries: ordered by (time, id), each signal once.

    marks: entry id → how far event time had come when it arrived. An entry is kept by its mark, not by its own time,
    so that a collector that was cut off and catches up is correlated in its own time. forgotten: the time of the
    newest entry that is gone; told: bursts that have an alert, in the order of telling.
    """

    entries: list[Entry] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    told: list[Burst] = field(default_factory=list)
    forgotten: int | None = None

    def add(self, entry: Entry, mark: int) -> bool:
        """Put the entry in its place in time; False when it is there already."""
        if entry.id in self.marks:
            return False
        self.marks[entry.id] = mark
        if not self.entries or entry[:2] >= self.entries[-1][:2]:
            self.entries.append(entry)
        else:
            insort(self.entries, entry, key=lambda one: one[:2])
        return True

    def settled(self, entry: Entry) -> bool:
        """Whether it falls where a burst's entries are forgotten already: it cannot be told from a repeated one."""
        return any(burst.first <= entry.time <= burst.forgotten for burst in self.told)

    def between(self, first: int, last: int) -> list[Entry]:
        """Entries from one time to another, both included."""
        start = bisect_left(self.entries, first, key=lambda one: one.time)
        return self.entries[start : bisect_right(self.entries, last, key=lambda one: one.time)]

    def oldest(self) -> int:
        """The mark of what came first and is still kept."""
        return next(iter(self.marks.values()), 0)

    def newest(self) -> int:
        """The mark of what came last."""
        return next(reversed(self.marks.values()), 0)

    def evict(self, before: int) -> int:
        """Forget what came before that mark, and what is over MOST; returns how many were over."""
        if self.oldest() < before:
            self._keep([entry for entry in self.entries if self.marks[entry.id] >= before])
        over = max(0, len(self.entries) - MOST)
        if over:
            self._keep(self.entries[over:])
        self.told = [burst for burst in self.told if burst.mark >= before]
        return over

    def _keep(self, kept: list[Entry]) -> None:
        ids = {entry.id for entry in kept}
        for entry in self.entries:
            if entry.id in ids:
                continue
            del self.marks[entry.id]
            self.forgotten = max(entry.time, self.forgotten or entry.time)
            for burst in self.told:
                burst.forget(entry.time)
        self.entries = kept

    def as_json(self) -> dict[str, Any]:
        """For the state that outlives the process."""
        return {
            "entries": [list(entry) for entry in self.entries],
            "marks": list(self.marks.items()),
            "told": [burst.as_json() for burst in self.told],
            "forgotten": self.forgotten,
        }

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> "Group":
        """What `as_json` gave."""
        return cls(
            [Entry(*entry) for entry in body["entries"]],
            dict(body["marks"]),
            [Burst.of_json(burst) for burst in body["told"]],
            body["forgotten"],
        )
