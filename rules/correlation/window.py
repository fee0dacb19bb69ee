"""Sliding windows over one group's entries: in which of them the condition holds.

A window ends at a moment at which something happened and holds everything from a timespan before that moment to the
moment, both included. Windows that hold, with no more than a timespan between one and the next, are one stretch: one
thing that went on, one alert.
"""

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


def stretches(
    ordered: Sequence[Entry],
    timespan: int,
    measure: Measure,
    holds: Callable[[float], bool],
    whole_after: int | None = None,
) -> Iterator[Stretch]:
    """Stretches of entries ordered by time; timespan in ns.

    whole_after: entries up to this time may be forgotten already; windows that reach back to it are left out.
    """
    found: Stretch | None = None
    for left, right, value in _windows(ordered, timespan, measure):
        if not holds(value):
            continue
        end = ordered[right].time
        if whole_after is not None and end - timespan <= whole_after:
            continue
        if found is not None and ordered[left].time - ordered[found.last].time > timespan:
            yield found
            found = None
        if found is None:
            found = Stretch(left, right, value)
        found.last, found.peak = right, max(found.peak, value)
        found.ends.append(right)
    if found is not None:
        yield found


def _windows(ordered: Sequence[Entry], timespan: int, measure: Measure) -> Iterator[tuple[int, int, float]]:
    """(left, right, figure) of each window; of entries at one moment only the last ends one."""
    left, n = 0, len(ordered)
    for right, entry in enumerate(ordered):
        measure.enter(entry)
        while entry.time - ordered[left].time > timespan:
            measure.leave(ordered[left])
            left += 1
        if right + 1 == n or ordered[right + 1].time != entry.time:
            yield left, right, measure.value()
