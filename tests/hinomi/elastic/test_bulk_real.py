"""The bulk writer and appends against a real Elasticsearch: partial failures, a blocked index, what it may not do."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hinomi import ecs
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.errors import StoreError
from hinomi.store.elastic import schema
from hinomi.store.elastic.events import ElasticEvents
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _store(folder: Path, patience: float = 30.0) -> ElasticEvents:
    store = ElasticEvents(elastic.client(), elastic.namespace(folder), refresh=True, patience=patience)
    store.prepare(replicas=0)
    return store


def _batch(n: int, dataset: str = "linux.auth", first: int = 0) -> Batch:
    rows = range(first, first + n)
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([NOW] * n).cast(ecs.TIME),
            "event.id": [f"{dataset}-{i}" for i in rows],
            "event.original": [f'line {i} "quoted" \\ 火の見' for i in rows],
        }
    )
    return Batch.of(dataset, frame, ingested=NOW)


def test_events_wait_for_a_blocked_index_and_each_is_stored_once(tmp_path: Path) -> None:
    """As on a full disk the index refuses with 429; freed, it takes every event once, and repeats are duplicates."""
    store, client = _store(tmp_path), elastic.client()
    store.append([_batch(1)])
    index = schema.index("linux.auth", elastic.namespace(tmp_path), "2026.11.20")
    blocked = "index.blocks.read_only_allow_delete"
    client.indices.put_settings(index=index, settings={blocked: True})

    def free() -> None:
        time.sleep(1.0)
        client.indices.put_settings(index=index, settings={blocked: None})

    waiting = threading.Thread(target=free)
    waiting.start()
    appended = store.append([_batch(500)])
    waiting.join()
    assert (appended.stored, appended.duplicates) == (499, 1)
    assert store.count() == 500
    client.indices.put_settings(index=index, settings={blocked: True})
    with pytest.raises(StoreError, match="cluster_block_exception"):
        _store(tmp_path, patience=0.3).append([_batch(1, first=900)])
    store.close()
    client.close()


def test_a_value_that_the_mapping_refuses_becomes_a_dead_letter(tmp_path: Path) -> None:
    """A conflict with the mapping costs only its own event: it is kept whole among the dead letters with the reason."""
    store, client = _store(tmp_path), elastic.client()
    index = schema.index("linux.auth", elastic.namespace(tmp_path), "2026.11.20")
    client.indices.create(index=index, mappings={"properties": {"vendor.code": {"type": "integer"}}})
    batch = _batch(4)
    wrong = batch.frame.with_columns(pl.Series("vendor.code", ["1", "zwei", "3", None]))
    appended = store.append([Batch("linux.auth", wrong)])
    assert appended.stored == 4
    assert store.count(datasets=["linux.auth"]) == 3
    [letter] = store.search(datasets=[DEAD_LETTERS]).rows
    assert letter["event.original"] == 'line 1 "quoted" \\ 火の見'
    assert "store_refused: document_parsing_exception" in letter["error.message"]
    assert "vendor.code" in letter["error.message"]
    store.close()
    client.close()


def test_signals_are_there_though_their_events_must_wait(tmp_path: Path) -> None:
    """What raises alerts is first in line: it is stored and followed while the mass of events is refused."""
    store, client = _store(tmp_path, patience=0.5), elastic.client()
    store.append([_batch(1)])
    index = schema.index("linux.auth", elastic.namespace(tmp_path), "2026.11.20")
    client.indices.put_settings(index=index, settings={"index.blocks.read_only_allow_delete": True})
    with pytest.raises(StoreError):
        store.append([_batch(10), _batch(2, SIGNALS)])
    [(_, signals)] = store.since(SIGNALS, None)
    assert signals.height == 2
    store.close()
    client.close()
