"""How many events match: in all, by time, by the values of a field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hinomi.store import asked
from hinomi.store.embedded.duck import Duck
from hinomi.store.embedded.manifest import nanoseconds
from hinomi.store.embedded.plan import TIME, Plan, Planning
from hinomi.store.embedded.sql import each, quoted, told
from hinomi.store.protocols import Bucket, Span

_Counts = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Counting:
    """Questions by the search language whose answers are numbers."""

    planning: Planning
    duck: Duck

    def count(self, query: str, datasets: Sequence[str], span: Span | None) -> int:
        """See `Events.count`."""
        return self.planning.over(query, datasets, span, self.of, 0)

    def of(self, plan: Plan) -> int:
        """How many match."""
        sql = f"select count(*) from {plan.source} where {plan.where}"
        return int(self.duck.rows(sql, plan.values)[0][0])

    def histogram(
        self, query: str, datasets: Sequence[str], span: Span, interval: timedelta, by: str | None
    ) -> list[Bucket]:
        """See `Events.histogram`."""
        starts, (bar, values) = asked.bars(span, interval), bars(span, interval)
        totals: dict[int, int] = {}
        counts: dict[int, dict[str, int]] = {}

        def rows(plan: Plan) -> _Counts:
            split, value = _split(by, plan.kinds)
            return self.duck.timed(
                f"with found(bar, part, n) as materialized (select {bar}, {split}, count(*)"
                f" from {plan.source} where {plan.where} group by 1, 2)"
                " select bar, null, sum(n) from found group by 1 union all"
                f" select bar, value, sum(n) from (select bar, {value} as value, n from found) group by 1, 2",
                [*values, *plan.values],
            )

        for place, part, number in self.planning.over(query, datasets, span, rows, _Counts()):
            if part is None:
                totals[int(place)] = int(number)
            elif by is not None:
                counts.setdefault(int(place), {})[str(part)] = int(number)
        return [Bucket(start, totals.get(n, 0), counts.get(n, {})) for n, start in enumerate(starts)]

    def top(
        self, field: str, query: str, datasets: Sequence[str], span: Span | None, limit: int
    ) -> list[tuple[str, int]]:
        """See `Events.top`."""

        def rows(plan: Plan) -> _Counts:
            kind = plan.kinds.get(field)
            if kind is None:
                return []
            column = quoted(field)
            if (several := each(column, field, kind)) is not None:
                column = f"unnest(list_distinct({several}))"
            return self.duck.rows(
                f"select {told('v', kind)}, count(*), min(v) from (select {column} from {plan.source}"
                f" where {plan.where}) as found(v) where v is not null group by 1 order by 2 desc, 3 limit ?",
                [*plan.values, limit],
            )

        found = self.planning.over(query, datasets, span, rows, _Counts())
        return [(str(value), int(number)) for value, number, _ in found]


def bars(span: Span, interval: timedelta) -> tuple[str, list[int]]:
    """SQL for the number of the bar that an event counts in, from 0, with its values. Raises QueryError as `asked.bars`."""
    first = asked.bars(span, interval)[0]
    return f"(epoch_ns({TIME}) - ?) // ?", [nanoseconds(first), int(interval.total_seconds() * 1e9)]


def _split(by: str | None, kinds: Mapping[str, str]) -> tuple[str, str]:
    """What of an event names the texts that it is counted under (each once; '' where it has no value), and each of these
    as of a column `part`."""
    if by is None or (kind := kinds.get(by)) is None:
        return "''", "part"
    several = each(quoted(by), by, kind)
    if several is None:
        return f"coalesce({told(quoted(by), kind)}, '')", "part"
    texts = f"list_sort(list_distinct(list_transform({several}, lambda x: {told('x', kind)})))"
    return f"case when len({texts}) > 0 then {texts} else [''] end", "unnest(part)"
