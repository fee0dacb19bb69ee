"""Records in Elasticsearch: an index a kind, compare-and-set by sequence number and primary term."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from elasticsearch import BadRequestError, ConflictError, Elasticsearch, NotFoundError

from hinomi.clock import Clock, SystemClock
from hinomi.errors import Conflict, StoreError
from hinomi.store import body as stored
from hinomi.store.elastic import matching
from hinomi.store.elastic.bulk import Bulk, Item, Outcome
from hinomi.store.elastic.connection import PATIENCE, patiently, said
from hinomi.store.elastic.sightings import NOTHING, Sighting, Sightings, sighting
from hinomi.store.protocols import Record

_PAGE = 1_000
_WINDOW = 10_000
"""As far as Elasticsearch skips by itself (`index.max_result_window`)."""
_BY_ID = frozenset({"checkpoint", "lease", "state"})
"""Kinds that are written every second or two and only ever asked for by their id, which sees each write at once: a
refresh of every copy for each would keep a busy cluster from its work, and leaders from their leases."""
_READ = ("記録を読めません", "records cannot be read")
_WRITE = ("記録を書けません", "records cannot be written")


class ElasticRecords:
    """`hinomi.store.Records` on a cluster. What is written is found at once: each write refreshes its small index (but see
    `_BY_ID`). patience: seconds that a cluster which cannot answer is asked again for."""

    def __init__(
        self,
        client: Elasticsearch,
        namespace: str = "default",
        *,
        clock: Clock | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._client = client
        self._prefix = f"hinomi-{namespace}-"
        self._clock = clock or SystemClock()
        self._patience = patience
        self._next: dict[str, int] = {}
        self._seen = Sightings()
        self._unordered: set[str] = set()

    def _index(self, kind: str) -> str:
        safe = "".join(
            sign if sign.isascii() and (sign.islower() or sign.isdigit() or sign == "_") else "_"
            for sign in kind
        )
        return self._prefix + safe

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002
        """See `Records.get`."""
        found = self._held(kind, id)
        return _record(kind, found["_source"]) if found else None

    def _held(self, kind: str, identity: str) -> Mapping[str, Any] | None:
        with said(*_READ):
            try:
                found = patiently(
                    lambda: self._client.get(index=self._index(kind), id=_key(identity)), self._patience
                )
            except NotFoundError:
                self._seen.forget(kind, identity)
                return None
        self._seen.note(kind, identity, sighting(found["_source"]["version"], found.body))
        return dict(found.body)

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`. One request where this process read or wrote that version last, two otherwise."""
        text = _json(body)
        seen = NOTHING if expect == 0 else self._seen.of(kind, id)
        while True:
            asked = seen is None
            seen = seen or self._look(kind, id)
            if not asked and expect is not None and seen.version != expect:
                seen = None  # another version than the one we know of: is it the one of now?
                continue
            _check(kind, id, seen.version, expect)
            record = Record(kind, id, seen.version + 1, orjson.loads(text), self._clock.now())
            try:
                self._write(record, text, seen)
            except ConflictError as error:
                if expect is not None and (asked or expect == 0):
                    raise _changed(kind, id) from error
                seen = None
                continue
            return record

    def _look(self, kind: str, identity: str) -> Sighting:
        """Where the record stands now."""
        held = self._held(kind, identity)
        return sighting(held["_source"]["version"], held) if held else NOTHING

    def _write(self, record: Record, text: str, over: Sighting) -> None:
        """Write over what was seen, or where nothing was. Raises ConflictError when that is so no longer."""
        kind, identity = record.kind, record.id
        place: dict[str, Any] = {
            "index": self._index(kind),
            "id": _key(identity),
            "refresh": kind not in _BY_ID,
        }
        if over == NOTHING:
            place["op_type"] = "create"
        else:
            place |= {"if_seq_no": over.sequence, "if_primary_term": over.term}
        document, tries = _document(record, text), 0

        def send() -> Mapping[str, Any]:
            nonlocal tries
            tries += 1
            return dict(self._client.index(document=document, **place).body)

        with said(*_WRITE):
            try:
                told = patiently(send, self._patience)
            except ConflictError as error:
                self._seen.forget(kind, identity)
                conflict = error
            else:
                self._seen.note(kind, identity, sighting(record.version, told))
                return
        if tries == 1:
            raise conflict
        now = self._held(kind, identity)  # the answer to an earlier try may have been lost on the way
        if now is None or now["_source"].get("writing") != document["writing"]:
            raise conflict

    def load(self, records: Iterable[Record]) -> Outcome:
        """Create records as they are, with their versions; those that are there already stay. For migrations."""
        items = (
            Item(
                self._index(record.kind), _key(record.id), orjson.dumps(_document(record, _json(record.body)))
            )
            for record in records
        )
        outcome = Bulk(self._client, refresh=True).send(items)
        if outcome.refused:
            item, why = outcome.refused[0]
            raise StoreError(
                f"記録 {item.id} を移せません({why})。", f"record {item.id} cannot be moved: {why}"
            )
        return outcome

    def delete(self, kind: str, id: str, *, expect: int | None = None) -> bool:  # noqa: A002
        """See `Records.delete`."""
        held = self._held(kind, id)
        version = held["_source"]["version"] if held else 0
        _check(kind, id, version, expect)
        if held is None:
            return False
        with said(*_WRITE):
            try:
                self._client.delete(
                    index=self._index(kind),
                    id=_key(id),
                    if_seq_no=held["_seq_no"],
                    if_primary_term=held["_primary_term"],
                    refresh=True,
                )
            except NotFoundError:
                return False
            except ConflictError as error:
                if expect is None:
                    return self.delete(kind, id)
                raise _changed(kind, id) from error
            finally:
                self._seen.forget(kind, id)
        return True

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "",
        limit: int = 1000,
        offset: int = 0,
        after: str = "",
    ) -> list[Record]:
        """See `Records.find`. No more is read than asked for, but where the cluster cannot tell (a value of None, an
        index that an earlier release made and that is to be ordered): then all that match."""
        wanted = where or {}
        if matching.is_exact(wanted) and not (order and kind in self._unordered):
            try:
                return self._page(kind, wanted, order, limit, offset, after)
            except _NotTold:
                pass
        all_of_them = self._matching(kind, wanted, after)
        if not order:
            return list(islice(all_of_them, offset, offset + limit))
        found = sorted(all_of_them, key=matching.ordering(order.lstrip("-")), reverse=order.startswith("-"))
        return found[offset : offset + limit]

    def _page(
        self, kind: str, where: Mapping[str, Any], order: str, limit: int, offset: int, after: str
    ) -> list[Record]:
        """Raises _NotTold where the cluster cannot order, or gave what does not match."""
        holds, taken = matching.condition(where), list[Record]()
        pages = self._pages(kind, matching.candidates(where, after), order, skip=offset, most=limit)
        try:
            for hits in pages:
                taken += [self._of_hit(kind, hit) for hit in hits]
        except BadRequestError as error:
            self._unordered.add(kind)
            raise _NotTold from error
        if not all(holds(record.body) for record in taken):
            raise _NotTold
        return taken

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        wanted = where or {}
        if not matching.is_exact(wanted):
            return sum(1 for _ in self._matching(kind, wanted))
        with said(*_READ):
            answer = patiently(
                lambda: self._client.count(
                    index=self._index(kind), query=matching.candidates(wanted), ignore_unavailable=True
                ),
                self._patience,
            )
        if answer["_shards"]["failed"]:
            raise StoreError(f"{_READ[0]}。", f"{_READ[1]}: some shards do not answer")
        return int(answer["count"])

    def _matching(self, kind: str, where: Mapping[str, Any], after: str = "") -> Iterator[Record]:
        """By id. The cluster finds candidates by their words; that they match is seen in the body itself."""
        holds = matching.condition(where)
        for hits in self._pages(kind, matching.candidates(where, after)):
            for hit in hits:
                record = self._of_hit(kind, hit)
                if holds(record.body):
                    yield record

    def numbered(self, kind: str, after: int) -> Iterator[Record]:
        """Records that `append` added behind a number, in order."""
        for hits in self._pages(kind, {"match_all": {}}, after=[f"{after:012d}"]):
            yield from (self._of_hit(kind, hit) for hit in hits)

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        query = {"range": {"updated": {"gte": since.astimezone(UTC).isoformat()}}}
        sort = [{"updated": "asc"}, {"id": "asc"}]
        for hits in self._pages(kind, query, sort=sort):
            yield from (self._of_hit(kind, hit) for hit in hits)

    def _of_hit(self, kind: str, hit: Mapping[str, Any]) -> Record:
        record = _record(kind, hit["_source"])
        self._seen.note_older(kind, record.id, sighting(record.version, hit))
        return record

    def _pages(
        self,
        kind: str,
        query: dict[str, Any],
        order: str = "",
        *,
        sort: list[dict[str, Any]] | None = None,
        skip: int = 0,
        most: int | None = None,
        after: list[Any] | None = None,
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Hits in order, a page at a time, read as they are wanted. What is skipped is not read: near ones by the cluster,
        farther ones as bare ids."""
        body: dict[str, Any] = {"query": query, "sort": sort or matching.sorting(order)}
        left = most
        while True:
            hop = skip > 0 and (after is not None or skip + _PAGE > _WINDOW)
            size = min(skip, _WINDOW) if hop else _PAGE if left is None else min(left, _PAGE)
            if not size:
                return
            start = None if hop or not skip else skip
            told = {"size": size, "from_": start, "search_after": after, "source": not hop}
            hits = self._search(kind, **body, **told)["hits"]["hits"]
            if hop:
                skip -= size
            else:
                skip = 0
                left = None if left is None else left - len(hits)
                yield hits
            if len(hits) < size:
                return
            after = hits[-1]["sort"]

    def _search(self, kind: str, **body: Any) -> Mapping[str, Any]:
        with said(*_READ, but=BadRequestError if "sort" in body else ()):
            return patiently(
                lambda: (
                    self._client.search(
                        index=self._index(kind),
                        ignore_unavailable=True,
                        allow_partial_search_results=False,
                        track_total_hits=False,
                        seq_no_primary_term=True,
                        **body,
                    ).body
                ),
                self._patience,
            )

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`: the first number that is free is taken; who comes second takes the next."""
        text = _json(body)
        number = self._next.get(kind) or self._after_last(kind)
        refused = 0
        while True:
            record = Record(kind, f"{number:012d}", 1, orjson.loads(text), self._clock.now())
            number += 1
            try:
                self._write(record, text, NOTHING)
            except ConflictError:
                refused += 1
                if refused > 1:  # others have added many since: the end is looked for, not walked to
                    number = max(number, self._after_last(kind))
                continue
            self._next[kind] = number
            return record

    def _after_last(self, kind: str) -> int:
        last = self.last(kind)
        return int(last.id) + 1 if last else 1

    def last(self, kind: str) -> Record | None:
        """See `Records.last`."""
        answer = self._search(kind, sort=[{"id": "desc"}], size=1)
        hits = answer["hits"]["hits"]
        return _record(kind, hits[0]["_source"]) if hits else None

    def close(self) -> None:
        """Close connections."""
        self._client.close()


class _NotTold(Exception):
    """The cluster cannot tell by itself."""


def _key(identity: str) -> str:
    """The document's id: the record's own, or, where that is too long for Elasticsearch, its digest."""
    if 0 < len(identity.encode()) <= 512:
        return identity
    return sha256(identity.encode()).hexdigest()


def _document(record: Record, text: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "version": record.version,
        "updated": record.updated.isoformat(),
        "writing": uuid4().hex,
        "pairs": sorted(matching.words(record.body)),
        "order": matching.places(record.body),
        "body": text,
    }


def _json(body: Mapping[str, Any]) -> str:
    return orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _record(kind: str, source: Mapping[str, Any]) -> Record:
    updated = datetime.fromisoformat(source["updated"]).astimezone(UTC)
    held = stored.read(kind, source["id"], source["body"])
    return Record(kind, source["id"], source["version"], held, updated)


def _check(kind: str, identity: str, version: int, expect: int | None) -> None:
    if expect is not None and version != expect:
        raise Conflict(
            f"{kind}「{identity}」は、読んだあとに変わりました(版 {expect} → {version})。",
            f"{kind} {identity} is at version {version}, expected {expect}",
        )


def _changed(kind: str, identity: str) -> Conflict:
    return Conflict(
        f"{kind}「{identity}」は、書く前に変わりました。", f"{kind} {identity} changed before it was written"
    )
