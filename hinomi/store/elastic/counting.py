"""How many events match: by time, by the values of a field. Every count is exact.

Elasticsearch's `terms` sees of each index only its most frequent values: what an index left out is missing from the sum,
and it says by how much at most. Where that could matter, what may be among the first is counted again, value by value;
and where that still does not decide it, every value is (`composite`). Source: Elasticsearch reference, "Terms aggregation"
(document counts are approximate), "Composite aggregation".
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hinomi.store import asked
from hinomi.store.elastic import dsl
from hinomi.store.elastic.asking import Asking, condition
from hinomi.store.elastic.holdings import EPOCH
from hinomi.store.protocols import Bucket, Span

_LIKELY = 1_000
"""So many values of an index are looked at first."""
_Counts = list[tuple[Any, int]]


@dataclass(frozen=True, slots=True)
class Counting:
    """Questions by the search language whose answers are numbers by time or value."""

    asking: Asking

    def histogram(
        self, query: str, datasets: Sequence[str], span: Span, interval: timedelta, by: str | None
    ) -> list[Bucket]:
        """See `Events.histogram`."""
        starts = asked.bars(span, interval)
        width = int(interval.total_seconds() * 1000)
        first = (starts[0] - EPOCH) // timedelta(milliseconds=1)
        bars = {"field": "@timestamp", "fixed_interval": f"{width}ms", "offset": f"{first % width}ms"}
        whole = {"bars": {"date_histogram": {**bars, "min_doc_count": 1}}}
        totals, parts = Counter[int](), dict[int, Counter[str]]()
        for page in self._pages(condition(query, span), datasets, bars, whole, by):
            for bar in page.get("bars", {}).get("buckets", []):
                totals[int(bar["key"])] = bar["doc_count"]
            for part in page.get("parts", {}).get("buckets", []):
                value = _text(by or "", part["key"]["part"])
                parts.setdefault(int(part["key"]["bar"]), Counter())[value] += part["doc_count"]
        if by is not None and not dsl.is_of_events(by):
            parts = {bar: Counter({"": number}) for bar, number in totals.items()}
        keys = [first + width * number for number in range(len(starts))]
        return [
            Bucket(at, totals[key], dict(parts.get(key, {}))) for at, key in zip(starts, keys, strict=True)
        ]

    def _pages(
        self,
        query: Mapping[str, Any],
        datasets: Sequence[str],
        bars: Mapping[str, Any],
        whole: Mapping[str, Any],
        by: str | None,
    ) -> Iterator[Mapping[str, Any]]:
        """Aggregations: the bars, and how many events of each have which value."""
        if by is None or not dsl.is_of_events(by):
            return iter(
                [self.asking.search(datasets, query=query, size=0, aggs=whole).get("aggregations", {})]
            )
        part = {"terms": {"field": dsl.text_of(by), "missing_bucket": True}}
        return self.asking.composed(
            datasets, query, [{"bar": {"date_histogram": dict(bars)}}, {"part": part}], whole
        )

    def top(
        self, field: str, query: str, datasets: Sequence[str], span: Span | None, limit: int
    ) -> list[tuple[str, int]]:
        """See `Events.top`."""
        if not dsl.is_of_events(field):
            return []
        asked_for = condition(query, span)
        size = max(_LIKELY, limit)
        likely, missed = self._terms(field, asked_for, datasets, {"size": size, "shard_size": size})
        found = likely
        if missed:
            only = {"size": size, "include": [value for value, _ in likely]}
            found, _ = self._terms(field, asked_for, datasets, only)
            most_of_others = likely[-1][1] + missed
            if len(found) < limit or found[limit - 1][1] <= most_of_others:
                found = self._all(field, asked_for, datasets)
        return [(_text(field, value), number) for value, number in found[:limit]]

    def _terms(
        self, field: str, query: Mapping[str, Any], datasets: Sequence[str], how: Mapping[str, Any]
    ) -> tuple[_Counts, int]:
        """Values with how many events have each, the most frequent first, and how many events at most were not counted of
        a value."""
        order = [{"_count": "desc"}, {"_key": "asc"}]
        terms = {"field": dsl.text_of(field), "order": order, **how}
        answer = self.asking.search(datasets, query=query, size=0, aggs={"top": {"terms": terms}})
        found = answer.get("aggregations", {}).get("top", {})
        counts = [(bucket["key"], int(bucket["doc_count"])) for bucket in found.get("buckets", [])]
        return counts, int(found.get("doc_count_error_upper_bound", 0))

    def _all(self, field: str, query: Mapping[str, Any], datasets: Sequence[str]) -> _Counts:
        """Every value with how many events have it, the most frequent first."""
        part = [{"part": {"terms": {"field": dsl.text_of(field)}}}]
        counts = [
            (bucket["key"]["part"], int(bucket["doc_count"]))
            for page in self.asking.composed(datasets, query, part, {})
            for bucket in page.get("parts", {}).get("buckets", [])
        ]
        return sorted(counts, key=lambda one: -one[1])  # equals stay in the order of their values


def _text(field: str, value: Any) -> str:
    """A value as text; none is ''."""
    if value is None:
        return ""
    match dsl.kind(field):
        case "boolean":
            return "true" if value else "false"
        case "date":
            moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(value))
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
