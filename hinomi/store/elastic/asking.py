"""How a cluster is asked for events: of which indices, on what condition, at once or page by page."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from hinomi.errors import QueryError, StoreError
from hinomi.store import asked, values
from hinomi.store.elastic import dsl, schema
from hinomi.store.elastic.connection import patiently, said
from hinomi.store.protocols import Span

SEARCH = ("検索できませんでした", "the search failed")
_INTRICATE = ("automaton", "Determinizing", "too_many_clauses", "too many clauses", "maxClauseCount")
"""What Lucene says of a pattern or a number of conditions that is beyond what it takes."""
_AT_ONCE = 1_000
_KEYS, _MOST = 10_000, 20


@dataclass(frozen=True, slots=True)
class Asking:
    """The events of a namespace. Every question raises StoreError where it is refused or answered in part only."""

    client: Elasticsearch
    namespace: str

    def pattern(self, datasets: Sequence[str]) -> str:
        """The indices of these datasets; of all where none is named."""
        return (
            ",".join(schema.pattern(one, self.namespace) for one in datasets) or f"logs-*-{self.namespace}-*"
        )

    def search(self, datasets: Sequence[str], **body: Any) -> Mapping[str, Any]:
        """One search request's answer."""
        with _searching():
            return patiently(
                lambda: (
                    self.client.search(
                        index=self.pattern(datasets),
                        ignore_unavailable=True,
                        allow_no_indices=True,
                        allow_partial_search_results=False,  # some of it is no answer
                        **body,
                    ).body
                )
            )

    def count(self, datasets: Sequence[str], query: Mapping[str, Any]) -> int:
        """How many match."""
        with _searching():
            found = patiently(
                lambda: self.client.count(index=self.pattern(datasets), query=query, ignore_unavailable=True)
            )
        if found["_shards"]["failed"]:
            raise StoreError(
                f"{SEARCH[0]}(応答しないシャードがあります)。", f"{SEARCH[1]}: some shards do not answer"
            )
        return int(found["count"])

    def walk(
        self,
        datasets: Sequence[str],
        query: Mapping[str, Any],
        sort: list[dict[str, str]],
        size: int,
        columns: Sequence[str] | None = None,
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Documents as they are at this call, whatever is written or dropped meanwhile, a page at a time."""
        return self._pages(self.open(self.pattern(datasets)), query, sort, size, columns)

    def composed(
        self,
        datasets: Sequence[str],
        query: Mapping[str, Any],
        sources: list[dict[str, Any]],
        beside: Mapping[str, Any],
    ) -> Iterator[Mapping[str, Any]]:
        """Aggregations of one moment: `parts`, how many events each composite key of these sources has, a page of keys at a
        time, every one of them; with the first page what else is counted (`beside`). Raises QueryError where there are more than
        `_MOST` pages of them: some of the counts are no answer."""
        place, after = self.open(self.pattern(datasets)), None
        try:
            for _ in range(_MOST):
                parts = {"size": _KEYS, "sources": sources, **({"after": after} if after else {})}
                aggs = {"parts": {"composite": parts}, **({} if after else beside)}
                answer = self.of_moment(place, query=query, aggs=aggs, size=0)
                found = answer.get("aggregations", {})
                yield found
                place, parts_found = answer["pit_id"], found.get("parts", {})
                after = parts_found.get("after_key")
                if after is None or len(parts_found["buckets"]) < _KEYS:
                    return
            raise QueryError(
                f"値の種類が多すぎて、数え切れません({_MOST * _KEYS:,} まで)。期間や条件を絞ってください。",
                f"there are too many values to count them all ({_MOST * _KEYS:,} at most); narrow the span or the query",
            )
        finally:
            self.close(place)

    def of_moment(self, place: str, **body: Any) -> Mapping[str, Any]:
        """The answer to one search request about a point in time."""
        with _searching():
            return patiently(
                lambda: (
                    self.client.search(
                        pit={"id": place, "keep_alive": "5m"},
                        allow_partial_search_results=False,
                        **{"track_total_hits": False, **body},
                    ).body
                )
            )

    def open(self, pattern: str) -> str:
        """A point in time of these indices, for five minutes beyond each question about it."""
        with said(*SEARCH):
            return str(
                patiently(
                    lambda: self.client.open_point_in_time(
                        index=pattern, keep_alive="5m", ignore_unavailable=True
                    )
                )["id"]
            )

    def close(self, place: str) -> None:
        """A point in time. One that cannot be closed ends by itself, and must not hide why a question failed."""
        with suppress(ApiError, TransportError):
            self.client.close_point_in_time(id=place)

    def _pages(
        self,
        place: str,
        query: Mapping[str, Any],
        sort: list[dict[str, str]],
        size: int,
        columns: Sequence[str] | None,
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Of a point in time, which is closed at the end."""
        source = {"includes": list(columns)} if columns is not None else True
        after = None
        try:
            while True:
                answer = self.of_moment(
                    place, query=query, sort=sort, size=size, search_after=after, source=source
                )
                hits, place = answer["hits"]["hits"], answer["pit_id"]
                if hits:
                    yield [hit["_source"] for hit in hits]
                if len(hits) < size:
                    return
                after = hits[-1]["sort"]
        finally:
            self.close(place)

    def fetched(self, places: Sequence[tuple[str, str]]) -> list[Mapping[str, Any]]:
        """Documents at their places (index, id), in that order; those that retention took meanwhile are left out. Raises
        StoreError where one cannot be read now: left out it would never be asked for again."""
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(places), _AT_ONCE):
            wanted = [{"_index": index, "_id": one} for index, one in places[start : start + _AT_ONCE]]
            with said(*SEARCH):
                told = patiently(lambda wanted=wanted: self.client.mget(docs=wanted))["docs"]  # type: ignore[misc]
            for document in told:
                error = document.get("error", {}).get("type", "index_not_found_exception")
                if error != "index_not_found_exception":
                    raise StoreError(f"{SEARCH[0]}({error})。", f"{SEARCH[1]}: {error}")
            found += [document["_source"] for document in told if document.get("found")]
        return found

    def stats(self, datasets: Sequence[str], *metrics: str) -> Mapping[str, Mapping[str, Any]]:
        """What each index says of itself, by its name."""
        with said(*SEARCH):
            answer = self.client.indices.stats(index=self.pattern(datasets), metric=list(metrics))
        indices: Mapping[str, Mapping[str, Any]] = answer["indices"]
        return indices


@contextmanager
def _searching() -> Iterator[None]:
    """What the cluster refuses, as a StoreError; as a QueryError what it cannot make a machine of: the value is why."""
    try:
        with said(*SEARCH):
            yield
    except StoreError as error:
        whole = str(getattr(error.__cause__, "body", ""))  # what a person is told is cut behind a long query
        if any(word in whole for word in _INTRICATE):
            raise QueryError(*dsl.TOO_MUCH) from error
        raise


def condition(text: str, span: Span | None) -> dict[str, Any]:
    """The query of a text of the search language within a span. Raises QueryError."""
    filters = [dsl.of(asked.parsed(text))]
    if span is not None and span.start is not None:
        filters.append(dsl.since("@timestamp", ">=", values.within(span.start)))
    if span is not None and span.end is not None:
        filters.append(dsl.since("@timestamp", "<", values.within(span.end)))
    return {"bool": {"filter": filters}}
