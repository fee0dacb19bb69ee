"""An append to a real cluster that dies between any two of its requests: nothing is lost, nothing doubled, and what is
followed does not wait for what is not."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hinomi import ecs
from hinomi.batch import SIGNALS, Batch
from hinomi.store import Checkpoint
from hinomi.store.elastic.events import ElasticEvents
from tests import elastic

pytestmark = list(elastic.ON_ELASTIC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_EVENTS, _SIGNALS = 30, 3


class Died(BaseException):
    """The process is no more: nothing catches this."""


@dataclass
class Mortal:
    """Stands before a client's requests. dies: the number of the request with which the process ends; answered: whether the
    cluster still gets that one."""

    dies: int
    answered: bool
    send: Callable[..., Any]
    asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, *words: Any, **named: Any) -> Any:
        with self._lock:
            self.asked += 1
            number = self.asked
        if number > self.dies or (number == self.dies and not self.answered):
            raise Died
        answer = self.send(*words, **named)
        if number == self.dies:
            raise Died
        return answer


@dataclass(frozen=True)
class Block:
    """Events and signals of a try of their own, with the reader's place behind them."""

    name: str

    def append(self, store: ElasticEvents) -> None:
        """Both, and the place."""
        store.append(
            [self._batch(_EVENTS, "linux.auth"), self._batch(_SIGNALS, SIGNALS)], checkpoint=self.place
        )

    @property
    def place(self) -> Checkpoint:
        return Checkpoint(self.name, "7:30")

    def _batch(self, n: int, dataset: str) -> Batch:
        times = pl.Series([NOW] * n).cast(ecs.TIME)
        frame = pl.DataFrame({"@timestamp": times, "event.id": [f"{self.name}-{i}" for i in range(n)]})
        return Batch.of(dataset, frame, ingested=NOW)

    def is_whole(self, store: ElasticEvents) -> bool:
        """Whether each is stored once, and who follows was told of each signal."""
        own = f"event.id: {self.name}-*"
        stored = [store.count(own, datasets=[dataset]) for dataset in ("linux.auth", SIGNALS)]
        told = {identity for identity in _followed(store) if identity.startswith(f"{self.name}-")}
        return stored == [_EVENTS, _SIGNALS] and len(told) == _SIGNALS

    def is_behind(self, store: ElasticEvents) -> bool:
        """Whether a reader would go on behind it."""
        return store.checkpoint(self.name) == self.place.value


def _followed(store: ElasticEvents) -> set[str]:
    """The signals that whoever follows was told of, each of which is there."""
    named = [place for _, places in store._journal.since(SIGNALS, 0) for place in places]
    frames = [frame for _, frame in store.since(SIGNALS, None)]
    assert sum(frame.height for frame in frames) == len(named), "the journal names a signal that is not there"
    return {identity for frame in frames for identity in frame["event.id"]}


def _store(folder: Path) -> ElasticEvents:
    return ElasticEvents(elastic.client(), elastic.namespace(folder), refresh=True)


def test_whichever_request_is_its_last(tmp_path: Path) -> None:
    """The reader's place never stands before what it stands for; read again, all is there once."""
    again = _store(tmp_path)
    again.prepare(replicas=0)
    for answered in (False, True):
        for dies in range(1, 40):
            store, block = _store(tmp_path), Block(f"{answered}{dies}")
            mortal = Mortal(dies, answered, store._client.transport.perform_request)
            store._client.transport.perform_request = mortal  # type: ignore[method-assign]
            with contextlib.suppress(Died):
                block.append(store)
            store.close()
            assert block.is_whole(again) or not block.is_behind(again), block
            block.append(again)
            assert block.is_whole(again) and block.is_behind(again), block
            if mortal.asked < dies:
                break
        assert dies > 5 and mortal.asked < dies, "each request was the last one once"
    again.close()


def test_signals_and_events_are_under_way_together(tmp_path: Path) -> None:
    """The cluster has both before it answers either; the place comes when both, and the journal, are answered."""
    store, block, both = _store(tmp_path), Block("one"), threading.Barrier(2, timeout=10)
    store.prepare(replicas=0)
    send, order = store._client.transport.perform_request, list[str]()

    def told(method: str, target: str, **named: Any) -> Any:
        if target.startswith("/_bulk"):
            both.wait()
        answer = send(method, target, **named)
        order.append(target.partition("?")[0])
        return answer

    store._client.transport.perform_request = told  # type: ignore[method-assign, assignment]
    block.append(store)
    assert block.is_whole(store)
    place = next(n for n, target in enumerate(order) if "-checkpoint/" in target)
    assert order[:place].count("/_bulk") == 2
    assert any("-journal_" in target for target in order[:place])
    store.close()
