"""Sliding windows over one group's entries: in which of them the condition holds.

A window ends at an event and reaches back by the timespan, both ends included. Windows that hold and overlap are one
burst: one thing that happened, one alert.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Protocol

from rules.correlation.entry import Entry

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "gte": ge,
    "gt": gt,
    "lte": le,
    "lt": lt,
    "eq": eq,
    "neq": ne,
}


class Measure(Protocol):
    """A figure kept up to date while entries enter and leave the window."""

    def enter(self, entry: Entry) -> None:
        """An entry comes into the window at its late end."""
        ...

    def leave(self, entry: Entry) -> None:
        """The oldest entry goes out."""
        ...

    def value(self) -> float:
        """The figure now."""
        ...


class EventCount:
    """How many events."""

    def __init__(self) -> None:
        self.n = 0

    def enter(self, entry: Entry) -> None:
        """One more."""
        self.n += 1

    def leave(self, entry: Entry) -> None:
        """One less."""
        self.n -= 1

    def value(self) -> float:
        """Events in the window."""
        return self.n


class ValueCount:
    """How many distinct values of the fields; entries that lack one do not count."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.counts: Counter[tuple[str, ...]] = Counter()

    def _key(self, entry: Entry) -> tuple[str, ...] | None:
        values = [entry.value(field) for field in self.fields]
        return None if None in values else tuple(value.lower() for value in values if value is not None)

    def enter(self, entry: Entry) -> None:
        """Count its value."""
        if (key := self._key(entry)) is not None:
            self.counts[key] += 1

    def leave(self, entry: Entry) -> None:
        """Forget one of its value."""
        if (key := self._key(entry)) is not None:
            self.counts[key] -= 1
            if not self.counts[key]:
                del self.counts[key]

    def value(self) -> float:
        """Distinct values in the window."""
        return len(self.counts)


class ValueSum:
    """The sum of a numeric field; text that is no number counts as nothing."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.total = 0.0

    def _number(self, entry: Entry) -> float:
        try:
            return float(entry.value(self.field) or 0)
        except ValueError:
            return 0.0

    def enter(self, entry: Entry) -> None:
        """Add."""
        self.total += self._number(entry)

    def leave(self, entry: Entry) -> None:
        """Subtract."""
        self.total -= self._number(entry)

    def value(self) -> float:
        """The sum in the window."""
        return self.total


class Temporal:
    """1 when each of the rules has an event in the window, else 0."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.wanted = frozenset(rules)
        self.counts: Counter[str] = Counter()

    def enter(self, entry: Entry) -> None:
        """Count its rule."""
        self.counts[entry.rule] += 1

    def leave(self, entry: Entry) -> None:
        """Forget one of its rule."""
        self.counts[entry.rule] -= 1

    def value(self) -> float:
        """Whether all rules are there."""
        return float(all(self.counts[rule] > 0 for rule in self.wanted))


class TemporalOrdered:
    """1 when the rules' events come in the rules' order within the window, else 0."""

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self.window: list[Entry] = []

    def enter(self, entry: Entry) -> None:
        """Keep it."""
        self.window.append(entry)

    def leave(self, entry: Entry) -> None:
        """Drop the oldest."""
        self.window.pop(0)

    def value(self) -> float:
        """Whether the order is there: for each rule in turn the first event not before the last one taken."""
        wanted, since = 0, None
        for entry in self.window:
            if entry.rule == self.rules[wanted] and (since is None or entry.time >= since):
                since, wanted = entry.time, wanted + 1
                if wanted == len(self.rules):
                    return 1.0
        return 0.0


def bursts(
    ordered: Sequence[Entry], timespan: int, measure: Measure, holds: Callable[[float], bool]
) -> Iterator[tuple[int, int, float]]:
    """(first, last, highest figure): index ranges of the bursts of entries ordered by time; timespan in ns."""
    left = 0
    start: int | None = None
    end, peak = -1, 0.0
    for right, entry in enumerate(ordered):
        measure.enter(entry)
        while entry.time - ordered[left].time > timespan:
            measure.leave(ordered[left])
            left += 1
        value = measure.value()
        if not holds(value):
            continue
        if start is not None and left > end:
            yield start, end, peak
            start = None
        if start is None:
            start, peak = left, value
        end, peak = right, max(peak, value)
    if start is not None:
        yield start, end, peak
