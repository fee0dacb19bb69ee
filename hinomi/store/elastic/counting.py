"""How many events match: by time, by the values of a field. Every count is exact.

Elasticsearch's `terms` sees of each index only its most frequent values: what an index left out is missing from the sum,
and it says by how much at most. Where that could matter, what may be among the most frequent is counted again, value by
value; where that still does not decide it, and where a bar has more values than are told of it, every value is (`composite`,
which costs two to five times as much). Source: Elasticsearch reference, "Terms aggregation"
(document counts are approximate), "Composite aggregation".
"""

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from hinomi.store import asked
from hinomi.store.asked import kind
from hinomi.store.elastic import dsl
from hinomi.store.elastic.asking import Asking, condition
from hinomi.store.elastic.holdings import EPOCH
from hinomi.store.protocols import Bucket, Span

_LIKELY, _BUCKETS = 1_000, 60_000
"""So many values of an index, or of a bar, are looked at first; and so many of all bars together: 65,536 are what a cluster gives
of one question (`search.max_buckets`)."""
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
        asking = _Bars(self.asking, condition(query, span), datasets, bars, by)
        found = asking.split(len(starts)) if by is not None and dsl.is_of_events(by) else asking.counted()
        if found is None:
            found = asking.split_whole()
        nothing = _Bar(0, Counter())
        at = [(start, found.get(first + width * number, nothing)) for number, start in enumerate(starts)]
        return [Bucket(start, bar.events, dict(bar.parts)) for start, bar in at]

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
                found = self._all(field, asked_for, datasets, limit)
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

    def _all(self, field: str, query: Mapping[str, Any], datasets: Sequence[str], limit: int) -> _Counts:
        """Of every value, the most frequent with how many events have them; only those are held."""
        part = [{"part": {"terms": {"field": dsl.text_of(field)}}}]
        counts = (
            (bucket["key"]["part"], int(bucket["doc_count"]))
            for page in self.asking.composed(datasets, query, part, {})
            for bucket in page.get("parts", {}).get("buckets", [])
        )
        return heapq.nlargest(limit, counts, key=lambda one: one[1])  # equals in the order of their values


class _Bar(NamedTuple):
    """How many events there are in a bar, and of which value how many."""

    events: int
    parts: Counter[str]


@dataclass(frozen=True, slots=True)
class _Bars:
    """Bars by when they start (milliseconds since 1970). bars: of the `date_histogram`; by: the field that splits them."""

    asking: Asking
    query: Mapping[str, Any]
    datasets: Sequence[str]
    bars: Mapping[str, Any]
    by: str | None

    def counted(self) -> dict[int, _Bar]:
        """Not split; where a field was asked for, it is one that no event has."""
        found = self._asked({})
        return {int(bar["key"]): self._bar(bar["doc_count"], [], bar["doc_count"]) for bar in found}

    def split(self, most: int) -> dict[int, _Bar] | None:
        """In one question, of so many bars at most, each itself one of the `_BUCKETS`. None: there are too many bars for that, or
        some bar has more values than are told of it."""
        field = dsl.text_of(self.by or "")
        size = min(_LIKELY, _BUCKETS // most - 1)
        if size < 1:
            return None
        parts = {"terms": {"field": field, "size": size, "shard_size": size}}
        found = self._asked({"aggs": {"parts": parts, "none": {"missing": {"field": field}}}})
        told = [bar["parts"] for bar in found]
        if any(one["sum_other_doc_count"] or one["doc_count_error_upper_bound"] for one in told):
            return None
        return {
            int(bar["key"]): self._bar(
                bar["doc_count"],
                [(part["key"], part["doc_count"]) for part in bar["parts"]["buckets"]],
                bar["none"]["doc_count"],
            )
            for bar in found
        }

    def split_whole(self) -> dict[int, _Bar]:
        """Every value of every bar, however many there are."""
        part = {"terms": {"field": dsl.text_of(self.by or ""), "missing_bucket": True}}
        sources = [{"bar": {"date_histogram": dict(self.bars)}}, {"part": part}]
        bars: dict[int, _Bar] = {}
        for page in self.asking.composed(self.datasets, self.query, sources, {"bars": self._histogram()}):
            for bar in page.get("bars", {}).get("buckets", []):
                bars[int(bar["key"])] = self._bar(bar["doc_count"], [], 0)
            for one in page.get("parts", {}).get("buckets", []):
                value = _text(self.by or "", one["key"]["part"])
                bars[int(one["key"]["bar"])].parts[value] += one["doc_count"]
        return bars

    def _histogram(self) -> dict[str, Any]:
        return {"date_histogram": {**self.bars, "min_doc_count": 1}}

    def _asked(self, inside: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        aggs = {"bars": {**self._histogram(), **inside}}
        answer = self.asking.search(self.datasets, query=self.query, size=0, aggs=aggs)
        buckets: list[Mapping[str, Any]] = answer.get("aggregations", {}).get("bars", {}).get("buckets", [])
        return buckets

    def _bar(self, count: int, told: _Counts, none: int) -> _Bar:
        """none: how many have no value, told under '' where a field was asked for."""
        parts = Counter[str]()
        if self.by is not None:
            for value, number in [*told, *([(None, none)] if none else [])]:
                parts[_text(self.by, value)] += number
        return _Bar(int(count), parts)


def _text(field: str, value: Any) -> str:
    """A value as text; none is ''."""
    if value is None:
        return ""
    match kind(field):
        case "boolean":
            return "true" if value else "false"
        case "date":
            moment = EPOCH + timedelta(milliseconds=int(value))
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)
