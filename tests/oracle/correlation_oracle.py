"""Correlations by their definition: slow, short, with no state and no order of arrival.

A window ends at a moment at which something happened and holds everything of its group from a timespan before that
moment to the moment, both included. Windows that hold, with no more than a timespan between one and the next, are
one burst; its events are all of its group from its first to its last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import nan
from operator import eq, ge, gt, le, lt, ne
from statistics import fmean, median, quantiles

_OPERATORS = {"gte": ge, "gt": gt, "lte": le, "lt": lt, "eq": eq, "neq": ne}


@dataclass(frozen=True, slots=True)
class Event:
    """time: seconds; rule: which rule matched it; fields: each with its value, or with several in a list."""

    time: int
    id: str
    rule: str
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A correlation as written: rules in order, the condition, the fields counted.

    below: the second bound of a range; some: how many of the rules a temporal one is compared with, 0 where it wants all.
    """

    kind: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan: int
    operator: str = "gte"
    bound: int = 1
    counted: str = ""
    percentile: int = 0
    expression: str = ""
    below: int = 0
    some: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One burst: its group, first and last second, events, and the highest figure of its windows."""

    group: tuple[str, ...]
    first: int
    last: int
    n: int
    peak: float


def bursts(asked: Asked, events: Sequence[Event]) -> list[Found]:
    """Every burst that the events hold, by group and time."""
    own = [event for event in events if event.rule in asked.rules]
    groups = {key for event in own for key in _keys(asked, event)}
    return [one for group in sorted(groups) for one in _of_group(asked, group, own)]


def _keys(asked: Asked, event: Event) -> set[tuple[str, ...]]:
    """An event is in the group of each value that it has."""
    return set(product(*(_values(event, name) for name in asked.group_by)))


def _values(event: Event, name: str) -> list[str]:
    held = event.fields.get(name, [])
    return held if isinstance(held, list) else [held]


def _of_group(asked: Asked, group: tuple[str, ...], events: Sequence[Event]) -> Iterator[Found]:
    own = [event for event in events if group in _keys(asked, event)]
    spans: list[tuple[int, int, float]] = []
    for moment in sorted({event.time for event in own}):
        window = [event for event in own if moment - asked.timespan <= event.time <= moment]
        figure = _figure(asked, window)
        if _holds(asked, figure):
            spans.append((min(event.time for event in window), moment, figure))
    for first, last, peak in _joined(spans, asked.timespan):
        yield Found(group, first, last, sum(first <= event.time <= last for event in own), peak)


def _joined(spans: Sequence[tuple[int, int, float]], gap: int) -> list[tuple[int, int, float]]:
    joined: list[tuple[int, int, float]] = []
    for first, last, peak in spans:
        if joined and first - joined[-1][1] <= gap:
            before = joined.pop()
            first, peak = min(before[0], first), max(before[2], peak)
        joined.append((first, last, peak))
    return joined


def _figure(asked: Asked, window: Sequence[Event]) -> float:
    values = [value for event in window for value in _values(event, asked.counted)]
    match asked.kind:
        case "event_count":
            return len(window)
        case "value_count":
            return len(set(values))
        case "value_sum":
            return sum(float(value) for value in values)
        case "value_avg":
            return fmean(map(float, values)) if values else nan
        case "value_median":
            return median(map(float, values)) if values else nan
        case "value_percentile":
            return _percentile(sorted(map(float, values)), asked.percentile) if values else nan
        case "temporal" if asked.expression:
            return float(eval(asked.expression, {}, {r: r in {e.rule for e in window} for r in asked.rules}))
        case "temporal" if asked.some:
            return len({event.rule for event in window})
        case "temporal":
            return float({event.rule for event in window} >= set(asked.rules))
        case "temporal_ordered":
            return float(_in_order(asked.rules, window, float("-inf")))
    raise AssertionError(asked.kind)


def _percentile(values: Sequence[float], share: int) -> float:
    """By `statistics.quantiles`, which knows the inner ones of a hundred parts."""
    if len(values) == 1 or share in (0, 100):
        return values[0] if share == 0 else values[-1]
    return quantiles(values, n=100, method="inclusive")[share - 1]


def _in_order(rules: Sequence[str], window: Sequence[Event], since: float) -> bool:
    """Whether each rule in turn finds an event of its own, none before the one taken last."""
    if not rules:
        return True
    fitting = [event for event in window if event.rule == rules[0] and event.time >= since]
    return any(
        _in_order(rules[1:], [one for one in window if one is not event], event.time) for event in fitting
    )


def _holds(asked: Asked, figure: float) -> bool:
    if asked.some:
        return bool(_OPERATORS[asked.operator](figure, asked.some))
    if asked.kind.startswith("temporal"):
        return figure >= 1
    if asked.below and not figure < asked.below:
        return False
    return figure == figure and bool(_OPERATORS[asked.operator](figure, asked.bound))
