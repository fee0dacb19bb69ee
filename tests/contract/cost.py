"""What an answer of a store costs, whatever the machine does besides: documents and requests, or steps of SQLite."""

from collections.abc import Callable
from typing import Any

from hinomi.store import Records
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import SqliteRecords

_STEP = 1


def cost(records: Records, work: Callable[[], object]) -> int:
    """The cost of the work. Comparable for one store only."""
    if isinstance(records, ElasticRecords):
        return _of_cluster(records, work)
    assert isinstance(records, SqliteRecords)
    return _of_sqlite(records, work)


def _of_cluster(records: ElasticRecords, work: Callable[[], object]) -> int:
    """A request counts as much as a thousand documents sent."""
    client, told = records._client, list[int]()
    search = client.search

    def counted(**body: Any) -> Any:
        answer = search(**body)
        told.append(1_000 + len(answer["hits"]["hits"]))
        return answer

    client.search = counted  # type: ignore[method-assign]
    try:
        work()
    finally:
        client.search = search  # type: ignore[method-assign]
    assert told, "the cluster was asked nothing"
    return sum(told)


def _of_sqlite(records: SqliteRecords, work: Callable[[], object]) -> int:
    """Steps of its virtual machine."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    records._db.set_progress_handler(step, _STEP)
    try:
        work()
    finally:
        records._db.set_progress_handler(None, 0)
    assert steps, "SQLite did nothing"
    return steps
