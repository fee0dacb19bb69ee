"""Leases on a real cluster over slow ways: seconds an answer cost no lease, a dead leader is replaced in time, who has
lost it changes nothing. All times are a quarter of the real ones."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hinomi.errors import StoreError
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from ops.lease import ANSWER, LASTS, Election, Fenced, Lease
from tests import elastic
from tests.hinomi.elastic.slowed import Slowed, slowed, until

pytestmark = list(elastic.ON_ELASTIC)
SCALE = 0.25


@dataclass
class Both:
    """Two that could lead, each over a way of its own, watched: `together` counts moments at which both believed."""

    ways: list[Slowed]
    records: list[ElasticRecords]
    leases: list[Lease]
    elections: list[Election]
    together: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look every millisecond or so."""
        while not self._stop.wait(0.001):
            self.together += all(lease.held() for lease in self.leases)

    def start(self, number: int) -> None:
        """Let one stand for election."""
        self.elections[number].start()


@pytest.fixture
def namespace(tmp_path: Path) -> str:
    client, name = elastic.client(), elastic.namespace(tmp_path)
    ElasticEvents(client, name).prepare(replicas=0)
    client.close()
    return name


@pytest.fixture
def both(namespace: str) -> Iterator[Both]:
    with ExitStack() as stack:
        ways = [stack.enter_context(slowed()) for _ in range(2)]
        records = [way.records(namespace, answer=ANSWER * SCALE) for way in ways]
        leases = [
            Lease(held, "respond", name, LASTS * SCALE) for held, name in zip(records, "ab", strict=True)
        ]
        made = Both(ways, records, leases, [Election(lease, random.Random(7)) for lease in leases])
        watching = threading.Thread(target=made.watch, daemon=True)
        watching.start()
        yield made
        for way in ways:
            way.ended.set()  # nobody waits for what is still under way
        for election in made.elections:
            election._stop.set()
        for election in made.elections:
            if election._thread is not None:  # what it logs is of this test
                election._thread.join(10)
        made._stop.set()
        watching.join(10)
        for held in records:
            held.close()


@pytest.mark.parametrize(
    ("least", "most", "lost"), [(2.0, 3.0, 0), (0.2, 0.5, 5)], ids=["slow", "answers lost"]
)
def test_seconds_an_answer_cost_no_lease(both: Both, least: float, most: float, lost: int) -> None:
    """Each answer takes two to three seconds by the real measure (three requests a renewal, as before, took longer than the
    lease), or every fifth never comes: one leads all the time, under its first term."""
    chance = random.Random(3)
    for way in both.ways:
        way.delay = lambda method, path: chance.uniform(least, most) * SCALE
    both.start(0)
    until(both.leases[0].held, 30 * SCALE, "the first leads")
    if lost:
        both.ways[0].lost = lambda number: number % lost == 0
    both.start(1)
    end, gaps = time.monotonic() + 24 * SCALE, 0
    while time.monotonic() < end:
        gaps += not both.leases[0].held()
        time.sleep(0.005)
    assert gaps == 0 and both.leases[0].term == 1
    assert both.leases[1].term == 0 and both.together == 0


def test_a_leader_cut_off_is_replaced_in_time_and_never_are_there_two(both: Both) -> None:
    """The leader's way goes dead in the middle: it stops believing before the other begins, which is within 15 s by the
    real measure though each of its requests takes half a second; given its way back, it stands by."""
    both.start(0)
    until(both.leases[0].held, 5, "the first leads")
    both.start(1)
    both.ways[1].delay = lambda method, path: 0.5 * SCALE
    time.sleep(6 * SCALE)
    both.ways[0].delay = lambda method, path: 60.0
    took = until(both.leases[1].held, 20 * SCALE, "the second leads")
    assert took < 15 * SCALE
    assert not both.leases[0].held() and both.leases[1].term == 2
    both.ways[0].delay = lambda method, path: 0.0
    time.sleep(8 * SCALE)
    assert both.leases[1].held() and both.leases[1].term == 2 and not both.leases[0].held()
    assert both.together == 0


def test_a_write_that_arrives_after_the_lease_changes_nothing(both: Both, namespace: str) -> None:
    """The leader's write, checked while it led, lies on the way for longer than its lease; another leads and writes the
    same record meanwhile: what the new leader wrote stays, and the old one learns that it may not act."""
    old, new = (Fenced(held, lease) for held, lease in zip(both.records, both.leases, strict=True))
    slow = both.ways[0].records(namespace, answer=60)
    old.inner = slow
    slow.put("notification", "n", {"state": "planned"})
    assert both.leases[0].attempt()
    both.ways[0].delay = lambda method, path: LASTS * 1.6 * SCALE if "notification" in path else 60.0
    failed: list[StoreError] = []

    def write() -> None:
        try:
            old.put("notification", "n", {"state": "sending", "by": "old"})
        except StoreError as error:
            failed.append(error)

    writing = threading.Thread(target=write)
    writing.start()
    both.start(1)
    until(both.leases[1].held, 20 * SCALE, "the second leads")
    new.put("notification", "n", {"state": "sending", "by": "new"})
    writing.join(60)
    assert "no longer the leader" in failed[0].en
    held = both.records[1].get("notification", "n")
    assert held is not None and held.body["by"] == "new" and both.together == 0
    slow.close()
