"""Sliding windows over one group's entries: in which of them the condition holds.

A window ends at a moment at which something happened and holds everything from a timespan before that moment to the
moment, both included. Windows that hold, with no more than a timespan between one and the next, are one stretch: one
thing that went on, one alert.

Only windows that end at or after the earliest fresh entry can have changed, so only those are looked at; where everything
new came at the end, the window that ended there last (the tail) is carried on.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne

from rules.correlation.measure import Measure
from rules.entry import Entry

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "gte": ge,
    "gt": gt,
    "lte": le,
    "lt": lt,
    "eq": eq,
    "neq": ne,
}
GROWING = frozenset({"gte", "gt"})
"""Operators under which a window that holds goes on holding whatever more comes into it."""


@dataclass(slots=True)
class Stretch:
    """first, last: index of its first and last entry; peak: the highest figure; ends: where windows that hold end."""

    first: int
    last: int
    peak: float
    ends: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Tail:
    """A window in the making: entries from index `left` up to, not including, `right` are in the measure."""

    measure: Measure
    left: int
    right: int

    @classmethod
    def before(cls, ordered: Sequence[Entry], moment: int, timespan: int, measure: Measure) -> "Tail":
        """The window as it stands before the entries of that moment come in."""
        right = bisect_left(ordered, moment, key=lambda one: one.time)
        left = bisect_left(ordered, moment - timespan, hi=right, key=lambda one: one.time)
        for entry in ordered[left:right]:
            measure.enter(entry)
        return cls(measure, left, right)

    def windows(self, ordered: Sequence[Entry], timespan: int) -> Iterator[tuple[int, int, float]]:
        """(left, right, figure) of each further window; of entries at one moment only the last ends one."""
        measure, left, n = self.measure, self.left, len(ordered)
        for right in range(self.right, n):
            entry = ordered[right]
            measure.enter(entry)
            time, oldest = entry.time, entry.time - timespan
            while ordered[left].time < oldest:
                measure.leave(ordered[left])
                left += 1
            if right + 1 == n or ordered[right + 1].time != time:
                yield left, right, measure.value()
        self.left, self.right = left, n


def stretches(
    ordered: Sequence[Entry],
    timespan: int,
    tail: Tail,
    holds: Callable[[float], bool],
    whole_after: int | None = None,
) -> list[Stretch]:
    """Stretches of entries ordered by time, of the windows that end behind the tail; timespan in ns.

    whole_after: entries up to this time may be forgotten already; windows that reach back to it are left out.
    """
    found: list[Stretch] = []
    for left, right, value in tail.windows(ordered, timespan):
        if not holds(value) or (whole_after is not None and ordered[right].time - timespan <= whole_after):
            continue
        if not found or ordered[left].time - ordered[found[-1].last].time > timespan:
            found.append(Stretch(left, right, value))
        one = found[-1]
        one.last, one.peak = right, max(one.peak, value)
        one.ends.append(right)
    return found
