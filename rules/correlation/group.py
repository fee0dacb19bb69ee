"""One group of one correlation: the entries that can still change a window, and the bursts already told."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from rules.correlation.burst import Burst
from rules.correlation.window import Tail
from rules.entry import Entry

MOST = 20_000
"""Entries kept of a group; the oldest go beyond it, counted as `correlation_overflow`."""


@dataclass(slots=True)
class Group:
    """entries: ordered by (time, event, rule), each signal once.

    An entry is kept by its mark, not by its own time, so that a collector that was cut off and catches up is correlated
    in its own time. forgotten: the time of the newest entry that is gone; told: bursts that have an alert, in the order
    of telling; reckoned: bytes that those took when last asked; tail: the window at the end of the entries, for as long as
    nothing came before it.
    """

    entries: list[Entry] = field(default_factory=list)
    told: list[Burst] = field(default_factory=list)
    forgotten: int | None = None
    tail: Tail | None = None
    reckoned: int = 0

    def add(self, entry: Entry) -> bool:
        """Put the entry in its place in time; False when it is there already."""
        kept = self.entries
        if not kept or entry.time > kept[-1].time or entry[:3] > kept[-1][:3]:
            kept.append(entry)
            return True
        identity = entry[:3]
        at = bisect_left(kept, identity, key=lambda one: one[:3])
        if kept[at][:3] == identity:
            return False
        kept.insert(at, entry)
        if self.tail is not None and at < self.tail.right:
            self.tail = None
        return True

    def has(self, entry: Entry) -> bool:
        """Whether that signal is there already."""
        at = bisect_left(self.entries, entry[:3], key=lambda one: one[:3])
        return at < len(self.entries) and self.entries[at][:3] == entry[:3]

    def settled(self, entry: Entry) -> bool:
        """Whether it falls where a burst's entries are forgotten already: it cannot be told from a repeated one."""
        return any(burst.first <= entry.time <= burst.forgotten for burst in self.told)

    def gaps(self, first: int, last: int, known: Sequence[tuple[int, int]]) -> Iterator[Entry]:
        """Entries from one time to another, both included, that lie in none of the known stretches of time."""
        start = first
        for begins, ends in sorted(known):
            yield from self._between(start, begins - 1)
            start = max(start, ends + 1)
        yield from self._between(start, last)

    def _between(self, first: int, last: int) -> list[Entry]:
        if first > last:
            return []
        start = bisect_left(self.entries, first, key=_time)
        return self.entries[start : bisect_right(self.entries, last, key=_time)]

    def grew(self) -> int:
        """By how many bytes what was told grew since the last asking."""
        before, self.reckoned = self.reckoned, sum(burst.weight for burst in self.told)
        return self.reckoned - before

    def newest(self) -> int:
        """The mark of what came last."""
        return max((entry.mark for entry in self.entries), default=0)

    def evict(self, before: int) -> int:
        """Forget what came before that mark, and what is over MOST; returns how many were over."""
        if min(map(_mark, self.entries), default=before) < before:
            self._forget([entry for entry in self.entries if entry.mark < before])
            self.entries = [entry for entry in self.entries if entry.mark >= before]
        over = max(0, len(self.entries) - MOST)
        if over:
            self._forget(self.entries[:over])
            self.entries = self.entries[over:]
        if self.told:
            self.told = [burst for burst in self.told if burst.mark >= before]
        return over

    def _forget(self, gone: Sequence[Entry]) -> None:
        for entry in gone:
            self.forgotten = max(entry.time, self.forgotten or entry.time)
            for burst in self.told:
                burst.forget(entry.time)
        self.tail = None

    def as_json(self) -> dict[str, Any]:
        """For the state that outlives the process."""
        return {
            "entries": [list(entry) for entry in self.entries],
            "told": [burst.as_json() for burst in self.told],
            "forgotten": self.forgotten,
        }

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> "Group":
        """What `as_json` gave."""
        return cls(
            [Entry.loaded(entry) for entry in body["entries"]],
            [Burst.of_json(burst) for burst in body["told"]],
            body["forgotten"],
        )


_time, _mark = attrgetter("time"), attrgetter("mark")
