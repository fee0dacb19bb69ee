"""Leases: one holder at a time whatever the clocks say, quick takeover, and a fence for who has slept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hinomi.errors import StoreError
from hinomi.store.embedded import SqliteRecords
from ops.lease import LASTS, Fenced, Lease


@dataclass
class Time:
    """A clock in seconds that is moved by hand."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqliteRecords]:
    store = SqliteRecords(tmp_path / "records.sqlite")
    yield store
    store.close()


def test_a_standby_takes_over_only_when_the_leader_has_stopped_believing(records: SqliteRecords) -> None:
    """Every half second both try; the leader dies; at no moment do two hold it, and the gap is under 15 s."""
    time = Time(1000.0)
    one, two = (Lease(records, "respond", name, now=time) for name in ("one", "two"))
    held_at: dict[str, list[float]] = {"one": [], "two": []}
    for step in range(80):
        time.at += 0.5
        if step % 4 == 0 and step < 30:
            one.attempt()
        if step % 4 == 1:
            two.attempt()
        held = [lease.holder for lease in (one, two) if lease.held()]
        assert len(held) <= 1
        for holder in held:
            held_at[holder].append(time.at)
    assert held_at["one"][0] < held_at["one"][-1] < held_at["two"][0]
    assert held_at["two"][0] - (1000.0 + 0.5 * 29) < 15
    assert two.term == one.term + 1


def test_renewing_keeps_it_and_releasing_gives_it_at_once(records: SqliteRecords) -> None:
    """A leader that renews is never replaced; one that stops in order is replaced without a wait."""
    time = Time()
    one, two = (Lease(records, "detect", name, now=time) for name in ("one", "two"))
    for _ in range(50):
        assert one.attempt() and not two.attempt()
        time.at += 2
    assert one.term == 1
    one.release()
    assert not one.held() and two.attempt() and two.term == 2
    assert not one.attempt()


def test_clocks_that_differ_do_not_matter(records: SqliteRecords) -> None:
    """Each process counts with its own clock: years apart, the standby still waits for the whole lease."""
    early, late = Time(0.0), Time(1e9)
    one, two = Lease(records, "x", "one", now=early), Lease(records, "x", "two", now=late)
    assert one.attempt() and not two.attempt()
    late.at += LASTS - 0.1
    assert not two.attempt()
    late.at += 0.2
    assert two.attempt()


def test_who_slept_cannot_write(records: SqliteRecords) -> None:
    """A process that was stopped for longer than its lease finds its writes refused, before any act."""
    time = Time()
    lease = Lease(records, "respond", "one", now=time)
    fenced = Fenced(records, lease)
    assert lease.attempt()
    fenced.put("notification", "a", {"state": "planned"})
    time.at += LASTS
    for write in (
        lambda: fenced.put("notification", "a", {"state": "sending"}),
        lambda: fenced.append("audit", {}),
        lambda: fenced.delete("notification", "a"),
    ):
        with pytest.raises(StoreError, match="leader"):
            write()
    held = fenced.get("notification", "a")
    assert held is not None and held.body == {"state": "planned"}
