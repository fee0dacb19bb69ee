"""Bytes on disk of an event in either store: FortiGate syslog of 36 fields, parsed and enriched as in the tower.

What docs/elasticsearch.md reckons disks by. No limit: the figure is the answer. Elasticsearch's is without copies, as
written and once merged into one segment, which it does by itself in time.

usage: python -m benchmarks size — a node of its own is started and stopped.
"""

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from elasticsearch import Elasticsearch

from benchmarks import pipeline
from benchmarks._fortigate_lines import lines
from benchmarks._node import on_a_node
from hinomi import ecs
from hinomi.store import Events
from hinomi.store.elastic import schema
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.settings import ElasticSettings
from ops.elastic.cluster import Cluster
from ops.pipeline import Prepared

EVENTS = int(os.environ.get("HINOMI_SIZE_EVENTS", "20000"))
_BLOCK = 10_000


def main() -> None:
    """Write the same events into the one and the other."""
    raw = list(lines(EVENTS))
    print(f"raw line                {sum(map(len, raw)) / EVENTS:8,.0f} bytes")
    with tempfile.TemporaryDirectory() as folder:
        work = pipeline._pipeline(Path(folder))
        blocks = [work.prepare(_intake(raw, start)) for start in range(0, EVENTS, _BLOCK)]
        _written(work.events, blocks)
        work.events.compact()
        _say("embedded", work.events)
        work.events.close()
    on_a_node(lambda there: _in_elasticsearch(there, blocks))


def _intake(raw: list[bytes], start: int) -> pl.DataFrame:
    """Lines as a worker reads them from the spool."""
    part = raw[start : start + _BLOCK]
    return pl.DataFrame(
        {
            "payload": part,
            "event.id": [f"{start + n:020x}" for n in range(len(part))],
            "received": pl.Series([datetime.now(UTC)] * len(part)).cast(ecs.TIME),
        }
    ).with_columns(origin=pl.lit("fw"), peer=pl.lit("192.0.2.1"), client_id=pl.lit(""))


def _written(events: Events, blocks: list[Prepared]) -> None:
    for block in blocks:
        events.append(block.batches)


_MODES: dict[str, dict[str, Any]] = {
    "elasticsearch": {},
    "logsdb": {"index": {"mode": "logsdb", "mapping": {"source": {"mode": "stored"}}}},
    "logsdb, no source": {"index": {"mode": "logsdb", "mapping": {"source": {"mode": "synthetic"}}}},
}
"""Settings beyond ours: what the free licence has of logsdb (the document as it came), and what takes a paid one (made up again from
its fields; the build of the tests asks for none)."""


def _in_elasticsearch(there: Cluster, blocks: list[Prepared]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client = connect(ElasticSettings.model_validate(there.reached(Path(folder))), timeout=300)
        for number, (name, settings) in enumerate(_MODES.items()):
            _of_mode(client, f"size{number}", name, settings, blocks)
        client.close()


def _of_mode(
    client: Elasticsearch, namespace: str, name: str, settings: dict[str, Any], blocks: list[Prepared]
) -> None:
    if settings:
        own = schema.own_component(namespace)
        client.cluster.put_component_template(name=own, template={"settings": settings})
    events = ElasticEvents(client, namespace)
    events.prepare(replicas=0)
    start = time.perf_counter()
    _written(events, blocks)
    print(f"{name:23} {EVENTS / (time.perf_counter() - start):8,.0f} events/s", flush=True)
    pattern = f"logs-*-{namespace}-*"
    client.indices.flush(index=pattern)
    events.refresh()
    _say(name, events)
    client.indices.forcemerge(index=pattern, max_num_segments=1)
    client.indices.flush(index=pattern)
    events.refresh()
    _say(f"{name}, merged", events)


def _say(name: str, events: Events) -> None:
    [held] = [one for one in events.datasets() if one.name == "fortinet.fortigate"]
    print(f"{name:23} {held.bytes / held.events:8,.0f} bytes an event", flush=True)


if __name__ == "__main__":
    main()
