"""Figures kept up to date while entries enter a window at its late end and leave it at its early end."""

import math
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product
from typing import Protocol

from rules.entry import MOST_VALUES, Entry


class Measure(Protocol):
    """What a condition compares with its bound."""

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
    """How many events; of a correlation's windows, how many alerts they belong to."""

    def __init__(self) -> None:
        self.n = 0
        self.alerts: dict[str, int] = {}

    def enter(self, entry: Entry) -> None:
        """One more."""
        if entry.of:
            self.alerts[entry.of] = self.alerts.get(entry.of, 0) + 1
        else:
            self.n += 1

    def leave(self, entry: Entry) -> None:
        """One less."""
        if not entry.of:
            self.n -= 1
        elif self.alerts[entry.of] > 1:
            self.alerts[entry.of] -= 1
        else:
            del self.alerts[entry.of]

    def value(self) -> float:
        """Events in the window."""
        return self.n + len(self.alerts)


class ValueCount:
    """How many distinct values of the fields; entries that lack one do not count. Of a list each value counts, of several
    fields each combination, as where Elasticsearch counts."""

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        self.counts: dict[str | tuple[str, ...], int] = {}

    def _keys(self, entry: Entry) -> Iterable[str | tuple[str, ...]]:
        if len(self.fields) == 1:
            values = entry.whos(self.fields[0])
            return (values[0].lower(),) if len(values) == 1 else {value.lower() for value in values}
        each = [{value.lower(): None for value in entry.whos(field)} for field in self.fields]
        return islice(product(*each), MOST_VALUES)

    def enter(self, entry: Entry) -> None:
        """Count its values."""
        for key in self._keys(entry):
            self.counts[key] = self.counts.get(key, 0) + 1

    def leave(self, entry: Entry) -> None:
        """Forget one of each of its values."""
        for key in self._keys(entry):
            if self.counts[key] == 1:
                del self.counts[key]
            else:
                self.counts[key] -= 1

    def value(self) -> float:
        """Distinct values in the window."""
        return len(self.counts)


def _numbers(entry: Entry, field: str) -> list[float]:
    """The field's values as numbers, of a list each; without what is no number, or too large to be reckoned with (also nan,
    inf)."""
    found = []
    for value in entry.values(field):
        try:
            number = float(value)
        except ValueError:
            continue
        if abs(number) < 1e18:
            found.append(number)
    return found


class ValueSum:
    """The sum of a numeric field; text that is no finite number counts as nothing.

    The sum is exact, as a whole number of the finest part of 2 that came (`bits` behind the point): every float is one.
    """

    def __init__(self, field: str) -> None:
        self.field = field
        self.total = 0
        self.bits = 0
        self.n = 0

    def enter(self, entry: Entry) -> None:
        """Add."""
        for number in _numbers(entry, self.field):
            whole = self._whole(number)  # which may make the total finer
            self.total += whole
            self.n += 1

    def leave(self, entry: Entry) -> None:
        """Subtract: exactly, so that a huge number leaves nothing behind and takes nothing with it."""
        for number in _numbers(entry, self.field):
            whole = self._whole(number)
            self.total -= whole
            self.n -= 1

    def _whole(self, number: float) -> int:
        """The number in parts of 2 ** -bits; finer parts make all finer."""
        if not self.bits and number.is_integer():
            return int(number)
        above, below = number.as_integer_ratio()
        bits = below.bit_length() - 1
        if bits > self.bits:
            self.total <<= bits - self.bits
            self.bits = bits
        return above << (self.bits - bits)

    def value(self) -> float:
        """The sum in the window."""
        return self.total / (1 << self.bits)


class ValueAverage(ValueSum):
    """The mean of a numeric field over all numbers that stand there."""

    def value(self) -> float:
        """The mean; nan where no entry has a number."""
        return self.total / (self.n << self.bits) if self.n else math.nan


class ValuePercentile:
    """The value under which that share of a numeric field's values lies, between neighbours by straight line
    (what SQL calls percentile_cont). share: 0 to 100; the median is 50."""

    def __init__(self, field: str, share: float) -> None:
        self.field, self.share = field, share / 100
        self.ordered: list[float] = []

    def enter(self, entry: Entry) -> None:
        """Put its number in its place."""
        for number in _numbers(entry, self.field):
            insort(self.ordered, number)

    def leave(self, entry: Entry) -> None:
        """Take one such number out."""
        for number in _numbers(entry, self.field):
            del self.ordered[bisect_left(self.ordered, number)]

    def value(self) -> float:
        """The percentile; nan where no entry has a number."""
        if not self.ordered:
            return math.nan
        place = self.share * (len(self.ordered) - 1)
        below = self.ordered[math.floor(place)]
        return below + (self.ordered[math.ceil(place)] - below) * (place % 1)


class Temporal:
    """How many of the rules have an event in the window."""

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
        """Rules that are there, each once."""
        return sum(self.counts[rule] > 0 for rule in self.wanted)


class TemporalExpression(Temporal):
    """1 when `and`, `or`, `not` over which of the rules have an event in the window hold, else 0."""

    def __init__(self, rules: Sequence[str], holds: Callable[[Mapping[str, int]], bool]) -> None:
        super().__init__(rules)
        self.condition = holds

    def value(self) -> float:
        """Whether the expression holds."""
        return float(self.condition(self.counts))


class TemporalOrdered:
    """1 when the rules' events come in the rules' order within the window, else 0.

    Events at one moment count in any order: many logs know no more than the second. Kept are, for the first one, two,
    three … rules, the latest moment at which events in their order can have begun.
    """

    def __init__(self, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self.distinct = len(set(rules)) == len(self.rules)
        self.began: list[int | None] = [None] * len(self.rules)
        self.moment: int | None = None
        self.now: Counter[str] = Counter()
        self.gone: int | None = None

    def enter(self, entry: Entry) -> None:
        """Add it to its moment; a new moment settles the one before."""
        if entry.time != self.moment:
            self.began = self._with_moment()
            self.moment = entry.time
            self.now.clear()
        self.now[entry.rule] += 1

    def leave(self, entry: Entry) -> None:
        """What began no later than this is out of the window."""
        self.gone = entry.time

    def value(self) -> float:
        """Whether the order is there."""
        began = self._with_moment()[-1]
        return float(began is not None and (self.gone is None or began > self.gone))

    def _with_moment(self) -> list[int | None]:
        """`began` with the moment's events: they can carry on what stood before at any rule."""
        if not self.now:
            return self.began
        return self._carried() if self.distinct else self._carried_once_each()

    def _carried(self) -> list[int | None]:
        began: list[int | None] = []
        for known, rule in zip(self.began, self.rules, strict=True):
            origin = began[-1] if began else self.moment
            began.append(_later(known, origin) if rule in self.now else known)
        return began

    def _carried_once_each(self) -> list[int | None]:
        """The same where a rule is asked for twice: one event may not stand for both."""
        began = list(self.began)
        for start in range(len(self.rules)):
            origin = self.began[start - 1] if start else self.moment
            left = Counter(self.now)
            for reached in range(start, len(self.rules)):
                left[self.rules[reached]] -= 1
                if left[self.rules[reached]] < 0:
                    break
                began[reached] = _later(began[reached], origin)
        return began


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
