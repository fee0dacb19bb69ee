"""A correlation ready to run: which signals it takes, how it groups them, what must hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sigma.correlations import SigmaCorrelationCondition

from hinomi.errors import ContentError, Where
from rules.correlation.entry import Entry
from rules.correlation.window import (
    OPERATORS,
    EventCount,
    Measure,
    Temporal,
    TemporalOrdered,
    ValueCount,
    ValueSum,
)
from rules.engine import Correlation
from rules.meta import Meta

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """takes: ids of the rules whose signals it reads, in order; timespan in ns; group_by: fields, each with the name
    that it has in a rule's own events where an alias says so; figure: how the count is said to people."""

    meta: Meta
    kind: str
    takes: tuple[str, ...]
    timespan: int
    group_by: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    measure: Callable[[], Measure]
    holds: Callable[[float], bool]
    first_of: tuple[str, ...] = ()

    def about(self, fields: Sequence[str]) -> "CorrelationRule":
        """Grouped by the first of these fields that an entry has."""
        return replace(self, first_of=tuple(fields))

    def group(self, entry: Entry) -> tuple[str, ...] | None:
        """The entry's group key; None when a field to group by is missing (the event then counts nowhere)."""
        if self.first_of:
            return next(((name, value) for name in self.first_of if (value := entry.who(name))), ("", ""))
        values = [entry.who(self.aliases.get(field, {}).get(entry.rule, field)) for field in self.group_by]
        return None if None in values else tuple(value for value in values if value is not None)

    def fields(self, key: tuple[str, ...]) -> dict[str, str]:
        """What the group is about: field → value."""
        if self.first_of:
            return {key[0]: key[1]} if key[0] else {}
        return dict(zip(self.group_by, key, strict=True))

    def words(self, n: int, peak: float) -> tuple[str, str]:
        """The figures in words."""
        minutes = self.timespan // (60 * SECOND)
        span_ja = f"{minutes}分" if minutes < 120 else f"{minutes // 60}時間"
        span_en = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
        figure = int(peak)
        if self.kind == "value_count":
            return f"{span_ja}に{figure}種類({n}件)", f"{figure} distinct values in {span_en} ({n} events)"
        if self.kind == "value_sum":
            return f"{span_ja}の合計{figure}({n}件)", f"a sum of {figure} in {span_en} ({n} events)"
        if self.kind == "detection":
            return (f"{n}件", f"{n} events") if n > 1 else ("", "")
        if self.kind.startswith("temporal"):
            return f"{span_ja}以内に続けて起きた({n}件)", f"one after another within {span_en} ({n} events)"
        return f"{span_ja}に{figure}件(全{n}件)", f"{figure} in {span_en} ({n} in all)"


def compiled(correlation: Correlation, ids: Mapping[str, str]) -> CorrelationRule:
    """The correlation made ready. ids: name or id of every rule → its id. Raises ContentError where it cannot run."""
    rule = correlation.rule
    takes = tuple(_resolved(correlation, ids, reference.reference) for reference in rule.rules or [])
    aliases: dict[str, dict[str, str]] = {}
    for alias in rule.aliases or []:
        aliases[alias.alias] = {
            ids.get(ref.reference, ref.reference): name for ref, name in alias.mapping.items()
        }
    return CorrelationRule(
        meta=Meta.of_document(correlation.document),
        kind=rule.type.name.lower(),
        takes=takes,
        timespan=int(rule.timespan.seconds) * SECOND,
        group_by=tuple(rule.group_by or ()),
        aliases=aliases,
        measure=_measure(correlation, takes),
        holds=_holds(correlation),
    )


def _resolved(correlation: Correlation, ids: Mapping[str, str], reference: str) -> str:
    if reference not in ids:
        raise ContentError(
            f"相関が参照するルール「{reference}」がありません。",
            f'the correlation refers to "{reference}", which no rule is named',
            where=Where(correlation.path),
        )
    return ids[reference]


def _measure(correlation: Correlation, takes: Sequence[str]) -> Callable[[], Measure]:
    kind = correlation.rule.type.name.lower()
    counted: Any = getattr(correlation.rule.condition, "fieldref", None)
    fields = [counted] if isinstance(counted, str) else list(counted or [])
    match kind:
        case "event_count":
            return EventCount
        case "value_count" if fields:
            return lambda: ValueCount(fields)
        case "value_sum" if fields:
            return lambda: ValueSum(fields[0])
        case "temporal":
            return lambda: Temporal(takes)
        case "temporal_ordered":
            return lambda: TemporalOrdered(takes)
    raise ContentError(
        f"相関の種類「{kind}」はまだ動きません。",
        f'correlation type "{kind}" does not run yet',
        where=Where(correlation.path),
    )


def _holds(correlation: Correlation) -> Callable[[float], bool]:
    rule = correlation.rule
    if rule.type.name.lower().startswith("temporal"):
        return lambda value: value >= 1
    if not isinstance(rule.condition, SigmaCorrelationCondition):
        raise ContentError(
            "拡張された相関条件はまだ動きません。",
            "extended correlation conditions do not run yet",
            where=Where(correlation.path),
        )
    operator, bound = OPERATORS[rule.condition.op.name.lower()], rule.condition.count
    return lambda value: operator(value, bound)
