"""The bulk writer and appends against a real Elasticsearch: partial failures, a blocked index, what it may not do."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hinomi import ecs
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.errors import StoreError
from hinomi.store.elastic import asking, names, schema
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


def test_a_signal_that_cannot_be_read_now_is_not_passed_over(tmp_path: Path) -> None:
    """While the index of a signal does not answer, whoever follows gets an error, not the rest: later it gets the signal."""
    store, client = _store(tmp_path), elastic.client()
    store.append([_batch(2, SIGNALS)])
    index = schema.index(SIGNALS, elastic.namespace(tmp_path), "2026.11.20")
    client.indices.close(index=index)
    with pytest.raises(StoreError, match="closed"):
        list(store.since(SIGNALS, None))
    client.indices.open(index=index)
    client.cluster.health(index=index, wait_for_status="green")
    [(_, signals)] = store.since(SIGNALS, None)
    assert signals.height == 2
    store.close()
    client.close()


def test_some_of_the_results_are_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one index has no shard that answers, searches and counts say so instead of giving what the others hold, and
    which it is can be asked."""
    store, client = _store(tmp_path), elastic.client()
    store.append([_batch(3)])
    assert store.flaws() == []
    lost = schema.index("squid.access", elastic.namespace(tmp_path), "2026.11.20")
    nowhere = {"index.routing.allocation.require._name": "nowhere"}
    client.indices.create(index=lost, settings=nowhere, wait_for_active_shards="0", timeout="1s")
    monkeypatch.setattr(asking, "patiently", lambda call: call())
    for work in (store.count, store.search, lambda: list(store.pages())):
        with pytest.raises(StoreError):
            work()
    [flaw] = store.flaws()
    assert (flaw.place, flaw.dataset, flaw.day) == (lost, "squid.access", "2026-11-20")
    client.indices.delete(index=lost)
    assert store.count() == store.search().total == 3
    store.close()
    client.close()


def test_a_letter_that_comes_again_is_the_same_letter(tmp_path: Path) -> None:
    """A replay, though it is worked on a day later, makes no second dead letter and says that it was there."""
    store, client = _store(tmp_path), elastic.client()
    index = schema.index("linux.auth", elastic.namespace(tmp_path), "2026.11.20")
    client.indices.create(index=index, mappings={"properties": {"vendor.code": {"type": "integer"}}})
    for later in range(2):
        batch = _batch(1)
        came = pl.lit(NOW).cast(ecs.TIME)
        wrong = batch.frame.with_columns(
            pl.lit("zwei").alias("vendor.code"),
            came.alias("event.created"),
            (came + timedelta(days=later)).alias("event.ingested"),
        )
        appended = store.append([Batch("linux.auth", wrong)])
        assert (appended.stored, appended.duplicates) == ((1, 0), (0, 1))[later]
    assert store.count(datasets=[DEAD_LETTERS]) == 1
    store.close()
    client.close()


def test_names_beyond_measure_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names a sender invents: so many are remembered, and the rest costs no request."""
    monkeypatch.setattr(names, "_MOST", 30)
    store = _store(tmp_path)
    for number in range(6):
        batch = _batch(1, first=number)
        own = {f"vendor.n{number}_{i}": f"{i}" for i in range(8)}
        frame = batch.frame.with_columns(pl.lit(value).alias(name) for name, value in own.items())
        store.append([Batch("linux.auth", frame)])
    assert len(store.fields("linux.auth")) == 30
    asked: list[object] = []
    monkeypatch.setattr(store._records, "get", lambda *words: asked.append(words))
    store._names.learn(Batch("linux.auth", frame))
    assert asked == []
    store.close()


def test_names_beyond_the_mapping_blind_no_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose an event is is found also in an index that a sender filled up with invented names before the town's first event."""
    monkeypatch.setattr(schema, "FIELDS", 40)
    store = _store(tmp_path)
    invented = [pl.lit("x").alias(f"vendor.n{i}") for i in range(60)]
    store.append([Batch("linux.auth", _batch(1).frame.with_columns(invented))])
    own = _batch(1, first=1).frame.with_columns(pl.lit("east").alias("hinomi.organization"))
    store.append([Batch("linux.auth", own)])
    assert store.count("hinomi.organization: east") == 1
    store.close()
