"""Records in Elasticsearch: an index a kind, compare-and-set by sequence number and primary term."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from hinomi.clock import Clock, SystemClock
from hinomi.errors import Conflict, StoreError
from hinomi.store import body as stored
from hinomi.store.elastic.bulk import Bulk, Item, Outcome
from hinomi.store.elastic.connection import patiently, said
from hinomi.store.protocols import Record

_PAGE = 1_000
_SHORT = 200
_BY_ID = frozenset({"checkpoint", "lease", "state"})
"""Kinds that are written every second or two and only ever asked for by their id, which sees each write at once: a
refresh of every copy for each would keep a busy cluster from its work, and leaders from their leases."""
_READ = ("記録を読めません", "records cannot be read")
_WRITE = ("記録を書けません", "records cannot be written")


class ElasticRecords:
    """`hinomi.store.Records` on a cluster. What is written is found at once: each write refreshes its small index (but see
    `_BY_ID`)."""

    def __init__(
        self, client: Elasticsearch, namespace: str = "default", *, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._prefix = f"hinomi-{namespace}-"
        self._clock = clock or SystemClock()
        self._next: dict[str, int] = {}

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
                found = patiently(lambda: self._client.get(index=self._index(kind), id=_key(identity)))
            except NotFoundError:
                return None
        return dict(found.body)

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`."""
        text = _json(body)
        while True:
            held = self._held(kind, id)
            version = held["_source"]["version"] if held else 0
            _check(kind, id, version, expect)
            record = Record(kind, id, version + 1, orjson.loads(text), self._clock.now())
            try:
                self._write(record, text, held)
            except ConflictError as error:
                if expect is not None:
                    raise _changed(kind, id) from error
                continue
            return record

    def _write(self, record: Record, text: str, held: Mapping[str, Any] | None) -> None:
        """Write over what was held, or where nothing was. Raises ConflictError when that is so no longer."""
        found = record.kind not in _BY_ID
        place: dict[str, Any] = {"index": self._index(record.kind), "id": _key(record.id), "refresh": found}
        if held is None:
            place["op_type"] = "create"
        else:
            place |= {"if_seq_no": held["_seq_no"], "if_primary_term": held["_primary_term"]}
        document = _document(record, text)
        with said(*_WRITE):
            try:
                patiently(lambda: self._client.index(document=document, **place))
                return
            except ConflictError as error:
                conflict = error
        now = self._held(record.kind, record.id)  # the answer to an earlier try may have been lost on the way
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
        return True

    def find(
        self,
        kind: str,
        where: Mapping[str, Any] | None = None,
        *,
        order: str = "",
        limit: int = 1000,
        offset: int = 0,
    ) -> list[Record]:
        """See `Records.find`. Without an order no more is read than asked for; with one, all that match."""
        if order:
            found = sorted(self._matching(kind, where), key=lambda record: record.id)
            found.sort(key=_ordering(order.lstrip("-")), reverse=order.startswith("-"))
            return found[offset : offset + limit]
        taken: list[Record] = []
        for record in self._matching(kind, where):
            if len(taken) == offset + limit:
                break
            taken.append(record)
        return taken[offset:]

    def count(self, kind: str, where: Mapping[str, Any] | None = None) -> int:
        """See `Records.count`."""
        return sum(1 for _ in self._matching(kind, where))

    def _matching(self, kind: str, where: Mapping[str, Any] | None) -> Iterator[Record]:
        """By id. The cluster finds candidates by their pairs; that they match is seen in the body itself."""
        holds = _condition(where or {})
        for page in self._pages(kind, _candidates(where or {})):
            for source in page:
                record = _record(kind, source)
                if holds(record.body):
                    yield record

    def numbered(self, kind: str, after: int) -> Iterator[Record]:
        """Records that `append` added behind a number, in order."""
        for page in self._pages(kind, {"match_all": {}}, [f"{after:012d}"]):
            yield from (_record(kind, source) for source in page)

    def changed(self, kind: str, since: datetime) -> Iterator[Record]:
        """See `Records.changed`."""
        query = {"range": {"updated": {"gte": since.astimezone(UTC).isoformat()}}}
        for page in self._pages(kind, query, order=({"updated": "asc"}, {"id": "asc"})):
            yield from (_record(kind, source) for source in page)

    def _pages(
        self,
        kind: str,
        query: dict[str, Any],
        after: list[Any] | None = None,
        *,
        order: Sequence[dict[str, str]] = ({"id": "asc"},),
    ) -> Iterator[list[Mapping[str, Any]]]:
        while True:
            answer = self._search(kind, query=query, sort=list(order), size=_PAGE, search_after=after)
            hits = answer["hits"]["hits"]
            yield [hit["_source"] for hit in hits]
            if len(hits) < _PAGE:
                return
            after = hits[-1]["sort"]

    def _search(self, kind: str, **body: Any) -> Mapping[str, Any]:
        with said(*_READ):
            return patiently(
                lambda: (
                    self._client.search(
                        index=self._index(kind), ignore_unavailable=True, track_total_hits=False, **body
                    ).body
                )
            )

    def append(self, kind: str, body: Mapping[str, Any]) -> Record:
        """See `Records.append`: the first number that is free is taken; who comes second takes the next."""
        text = _json(body)
        number = self._next.get(kind) or self._after_last(kind)
        while True:
            record = Record(kind, f"{number:012d}", 1, orjson.loads(text), self._clock.now())
            number += 1
            try:
                self._write(record, text, None)
            except ConflictError:
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
        "pairs": sorted(_pairs(record.body)),
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


def _pairs(body: Mapping[str, Any], path: str = "") -> set[str]:
    """What a record can be found by: `path=value` for each single value in it."""
    found: set[str] = set()
    for name, value in body.items():
        here = f"{path}{name}"
        if isinstance(value, Mapping):
            found |= _pairs(value, f"{here}.")
        elif value is not None and not isinstance(value, (list, tuple)):
            found.add(_pair(here, value))
    return found


def _pair(path: str, value: Any) -> str:
    """Numbers and truth values are one thing, as in SQLite; long values are found by their digest."""
    text = f"{path}={float(value)!r}" if isinstance(value, (bool, int, float)) else f"{path}:{value}"
    return text if len(text) <= _SHORT else sha256(text.encode()).hexdigest()


def _candidates(where: Mapping[str, Any]) -> dict[str, Any]:
    filters = []
    for path, wanted in where.items():
        values = _several(wanted)
        if None not in values:
            filters.append({"terms": {"pairs": [_pair(path, value) for value in values]}})
    return {"bool": {"filter": filters}} if filters else {"match_all": {}}


def _several(wanted: Any) -> Sequence[Any]:
    return list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]


def _condition(where: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    wanted = [
        (path, _several(value), isinstance(value, (list, tuple, set, frozenset)))
        for path, value in where.items()
    ]

    def holds(body: Mapping[str, Any]) -> bool:
        for path, values, several in wanted:
            found = _at(body, path)
            if found is None:
                if several or None not in values:
                    return False
            elif isinstance(found, (Mapping, list)) or found not in values:
                return False
        return True

    return holds


def _at(body: Mapping[str, Any], path: str) -> Any:
    node: Any = body
    for part in path.split("."):
        if not isinstance(node, Mapping):
            return None
        node = node.get(part)
    return node


def _ordering(path: str) -> Callable[[Record], tuple[int, Any]]:
    """As SQLite orders: nothing, then numbers, then text."""

    def key(record: Record) -> tuple[int, Any]:
        value = _at(record.body, path)
        if value is None:
            return (0, 0)
        return (1, value) if isinstance(value, (bool, int, float)) else (2, str(value))

    return key
