"""A correlation ready to run: which signals it takes, how it groups them, what must hold."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from types import MappingProxyType
from typing import Any

from sigma.correlations import SigmaExtendedCorrelationCondition

from hinomi.errors import ContentError, Where
from hinomi.organization import FIELD
from rules.correlation import boolean
from rules.correlation.group import MOST
from rules.correlation.measure import (
    EventCount,
    Measure,
    Temporal,
    TemporalExpression,
    TemporalOrdered,
    ValueAverage,
    ValueCount,
    ValuePercentile,
    ValueSum,
)
from rules.correlation.window import GROWING, OPERATORS
from rules.correlation.wording import Figure
from rules.engine import Correlation, correlations
from rules.entry import MOST_VALUES, Entry
from rules.meta import Meta

SECOND = 1_000_000_000
JOIN = 3600 * SECOND
"""Detections of one rule about the same entity are one alert while no more than an hour lies between them."""
_TEMPORAL = frozenset({"temporal", "temporal_ordered"})
_COUNTING = frozenset({"event_count", "value_count", "value_sum"})
_OF_THINGS = frozenset({"event_count", "value_count"})
"""Kinds whose figure is a number of things that are kept."""


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """takes: ids of the rules whose signals it reads, in order; timespan in ns; group_by: fields, each with the name
    that it has in a rule's own events where an alias says so; figure: how it is said to people; grows: more events
    never end what holds; feeds: other correlations take it; speaks: its bursts are alerts of their own."""

    meta: Meta
    kind: str
    takes: tuple[str, ...]
    timespan: int
    group_by: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    measure: Callable[[], Measure]
    holds: Callable[[float], bool]
    figure: Figure
    grows: bool = True
    feeds: bool = False
    speaks: bool = True
    first_of: tuple[str, ...] = ()

    @property
    def alert_kind(self) -> str:
        """What its alerts are called."""
        return "detection" if self.kind == "detection" else "correlation"

    @property
    def takes_once(self) -> tuple[str, ...]:
        """What it takes, each once (a rule may be asked for twice)."""
        return tuple(dict.fromkeys(self.takes))

    def about(self, fields: Sequence[str]) -> "CorrelationRule":
        """Grouped by the first of these fields that an entry has."""
        return replace(self, first_of=tuple(fields))

    def groups(self, entry: Entry) -> Sequence[tuple[str, ...]]:
        """The keys of the groups that the entry is in, whose it is at their end: several where a field to group by is a list,
        one more than `MOST_VALUES` at most; none where one is missing (the event then counts nowhere). What two organisations saw
        is never one group: both may have a 10.0.0.1."""
        keys, whose = self._groups(entry), entry.value(FIELD)
        return [(*key, whose) for key in keys] if whose else keys

    def _groups(self, entry: Entry) -> Sequence[tuple[str, ...]]:
        if self.first_of:
            return [next(((name, value) for name in self.first_of if (value := entry.who(name))), ("", ""))]
        names = self._names(entry.rule)
        if (one := entry.one_of_each(names)) is not None:
            return [one]
        most = MOST_VALUES + 1
        return list(islice(product(*(entry.whos(name, most) for name in names)), most))

    def _names(self, rule: str) -> Sequence[str]:
        """The fields to group by as that rule's events call them."""
        if not self.aliases:
            return self.group_by
        return [self.aliases.get(field, {}).get(rule, field) for field in self.group_by]

    def fields(self, key: tuple[str, ...]) -> dict[str, str]:
        """What the group is about: field → value."""
        about = 2 if self.first_of else len(self.group_by)
        whose = {FIELD: key[-1]} if len(key) > about else {}
        if self.first_of:
            return {key[0]: key[1], **whose} if key[0] else whose
        return {**dict(zip(self.group_by, key[:about], strict=True)), **whose}


def joining(meta: Meta) -> CorrelationRule:
    """A plain detection as a correlation: one event is enough, an hour joins those about the same entity."""
    return CorrelationRule(
        meta=meta,
        kind="detection",
        takes=(meta.id,),
        timespan=JOIN,
        group_by=(),
        aliases={},
        measure=EventCount,
        holds=lambda n: n >= 1,
        figure=Figure("detection", JOIN),
    ).about(meta.main)


def compiled(
    correlation: Correlation,
    ids: Mapping[str, str],
    titles: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> CorrelationRule:
    """The correlation made ready. Raises ContentError where it cannot run.

    ids: name or id of every rule → its id; titles: id → what it is called in Japanese and English.
    """
    rule = correlation.rule
    takes = tuple(_resolved(correlation, ids, reference.reference) for reference in rule.rules or [])
    aliases: dict[str, dict[str, str]] = {}
    for alias in rule.aliases or []:
        aliases[alias.alias] = {
            ids.get(ref.reference, ref.reference): name for ref, name in alias.mapping.items()
        }
    kind, span = rule.type.name.lower(), int(rule.timespan.seconds) * SECOND
    return CorrelationRule(
        meta=Meta.of_document(correlation.document),
        kind=kind,
        takes=takes,
        timespan=span,
        group_by=tuple(rule.group_by or ()),
        aliases=aliases,
        measure=_measure(correlation, takes, ids),
        holds=_holds(correlation, takes),
        figure=Figure(
            kind,
            span,
            _counted(correlation),
            tuple(titles[one] for one in takes if one in titles),
            some=kind == "temporal" and bool(correlations.bounds(correlation.document)),
        ),
        grows=_grows(correlation, kind),
    )


def _resolved(correlation: Correlation, ids: Mapping[str, str], reference: str) -> str:
    if reference not in ids:
        raise ContentError(
            f"相関が参照するルール「{reference}」がありません。",
            f'the correlation refers to "{reference}", which no rule is named',
            where=Where(correlation.path),
        )
    return ids[reference]


def _grows(correlation: Correlation, kind: str) -> bool:
    """Whether more events can never end what holds."""
    if isinstance(correlation.rule.condition, SigmaExtendedCorrelationCondition):
        return False
    return (kind in _COUNTING or kind in _TEMPORAL) and correlations.bounds(
        correlation.document
    ).keys() <= GROWING


def _measure(correlation: Correlation, takes: Sequence[str], ids: Mapping[str, str]) -> Callable[[], Measure]:
    kind, condition = correlation.rule.type.name.lower(), correlation.rule.condition
    fields = _counted(correlation)
    if isinstance(condition, SigmaExtendedCorrelationCondition) and kind == "temporal":
        expression = boolean.compiled(condition.parsed, ids)
        return lambda: TemporalExpression(takes, expression)
    match kind:
        case "event_count":
            return EventCount
        case "value_count" if fields:
            return lambda: ValueCount(fields)
        case "value_sum" if fields:
            return lambda: ValueSum(fields[0])
        case "value_avg" if fields:
            return lambda: ValueAverage(fields[0])
        case "value_median" if fields:
            return lambda: ValuePercentile(fields[0], 50)
        case "value_percentile" if fields:
            share = _percentile(correlation)
            return lambda: ValuePercentile(fields[0], share)
        case "temporal":
            return lambda: Temporal(takes)
        case "temporal_ordered":
            return lambda: TemporalOrdered(takes)
    raise ContentError(
        f"相関の種類「{kind}」には condition に field が必要です。",
        f'correlation type "{kind}" needs a `field` in its condition',
        where=Where(correlation.path, None, "correlation.condition.field"),
    )


def _percentile(correlation: Correlation) -> float:
    share = getattr(correlation.rule.condition, "percentile", None)
    if isinstance(share, int) and 0 <= share <= 100:
        return share
    raise ContentError(
        "value_percentile には 0 から 100 までの percentile が必要です。",
        "value_percentile needs a `percentile` from 0 to 100",
        where=Where(correlation.path, None, "correlation.condition.percentile"),
    )


def _counted(correlation: Correlation) -> tuple[str, ...]:
    """Fields that the condition counts or adds up."""
    counted: Any = getattr(correlation.rule.condition, "fieldref", None)
    return (counted,) if isinstance(counted, str) else tuple(counted or ())


def _holds(correlation: Correlation, takes: Sequence[str]) -> Callable[[float], bool]:
    kind, condition = correlation.rule.type.name.lower(), correlation.rule.condition
    extended = isinstance(condition, SigmaExtendedCorrelationCondition)
    if extended and kind != "temporal":
        raise _wrong(
            correlation,
            "and、or、not の条件は temporal の相関だけに書けます。",
            "a condition of and, or, not belongs to a temporal correlation",
        )
    bounds = correlations.bounds(correlation.document)
    if kind == "temporal_ordered":
        _whole_order(correlation, bounds, len(takes))
    if extended or kind == "temporal_ordered":
        return lambda value: value >= 1
    found = _within(correlation, bounds or {"gte": len(set(takes))})
    _not_never(correlation, found, bounds, range(1, len(set(takes)) + 1) if kind == "temporal" else None)
    return found


def _not_never(
    correlation: Correlation,
    holds: Callable[[float], bool],
    bounds: Mapping[str, float],
    counts: range | None,
) -> None:
    """Refuse bounds that no figure keeps to. counts: the only figures there are; None: any, whole ones where things are counted."""
    if counts is None:
        whole = correlation.rule.type.name.lower() in _OF_THINGS
        each = [math.floor(bound) if whole else bound for bound in bounds.values()]
        between = [] if whole else [(one + other) / 2 for one in each for other in each]
        figures = [*between, *(one + step for one in each for step in (-1, 0, 1))]
    else:
        figures = [*counts]
    if not any(map(holds, figures)):
        said = ", ".join(f"{name}: {bound:g}" for name, bound in bounds.items())
        most = "" if counts is None else f"(ルールは {len(figures)} 件)"
        raise _wrong(
            correlation,
            f"「{said}」を満たす数はない{most}ので、成り立つことがありません。",
            f'no number keeps to "{said}"'
            + ("" if counts is None else f" of {len(figures)} rules")
            + ": it would never hold",
        )


def _within(correlation: Correlation, bounds: Mapping[str, float]) -> Callable[[float], bool]:
    """Whether a figure keeps to every bound, as written: pySigma cuts 0.5 down to 0, which the specification allows of an average."""
    most = max((bound for name, bound in bounds.items() if name in GROWING or name == "eq"), default=0)
    if most > MOST and correlation.rule.type.name.lower() in _OF_THINGS:
        raise _wrong(
            correlation,
            f"{most:,} は、一つのまとまりで保つ {MOST:,} 件を超えるので、成り立つことがありません。",
            f"{most:,} is more than the {MOST:,} entries kept of a group: it would never hold",
        )
    tests = [(OPERATORS[name], bound) for name, bound in bounds.items()]
    if len(tests) == 1 and "neq" not in bounds:  # what is no number keeps to none of the others
        [(operator, bound)] = tests
        return lambda value: operator(value, bound)
    return lambda value: not math.isnan(value) and all(operator(value, bound) for operator, bound in tests)


def _whole_order(correlation: Correlation, bounds: Mapping[str, float], wanted: int) -> None:
    """An order is there or not: how many of its rules, Sigma does not say which ones could be left out."""
    if bounds and bounds not in ({"gte": wanted}, {"eq": wanted}):
        raise _wrong(
            correlation,
            f"temporal_ordered は rules のすべて({wanted})が順に起きたときだけ成り立ちます。condition を消すか、rules を減らしてください。",
            f"a temporal_ordered correlation holds when all its {wanted} rules come in order; remove the condition, or name fewer rules",
        )


def _wrong(correlation: Correlation, ja: str, en: str) -> ContentError:
    return ContentError(ja, en, where=Where(correlation.path, None, "correlation.condition"))
