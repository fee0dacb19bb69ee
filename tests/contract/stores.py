"""Every implementation of the store protocols; the contract suites run once for each.

Another implementation plugs in by adding its factory here.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from hinomi.store import Events, Records
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from tests import elastic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FOLLOWED = ("fortinet.fortigate", "squid.access")


def clock() -> FixedClock:
    """Noon UTC of the day that the suites work on."""
    return FixedClock(NOW)


def _elastic_events(folder: Path) -> Events:
    client, namespace = elastic.client(), elastic.namespace(folder)
    store = ElasticEvents(client, namespace, clock=clock(), follow=FOLLOWED, refresh=True)
    store.prepare(replicas=0)
    return store


def _elastic_records(folder: Path) -> Records:
    client, namespace = elastic.client(), elastic.namespace(folder)
    ElasticEvents(client, namespace).prepare(replicas=0)
    return ElasticRecords(client, namespace, clock=clock())


EVENTS: dict[str, Callable[[Path], Events]] = {
    "embedded": lambda folder: ParquetEvents(folder / "events", clock=clock()),
    "elastic": _elastic_events,
}
RECORDS: dict[str, Callable[[Path], Records]] = {
    "embedded": lambda folder: SqliteRecords(folder / "records.sqlite", clock=clock()),
    "elastic": _elastic_records,
}


def each() -> list[object]:
    """The implementations as parameters of a fixture."""
    return [
        pytest.param(name, marks=elastic.ON_ELASTIC if name == "elastic" else ())
        for name in ("embedded", "elastic")
    ]
