"""What any Records implementation must do."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.errors import Conflict
from hinomi.store import Records
from tests.contract.stores import NOW, RECORDS, each


@pytest.fixture(params=each())
def make(request: pytest.FixtureRequest) -> Callable[[Path], Records]:
    return RECORDS[request.param]


@pytest.fixture
def records(make: Callable[[Path], Records], tmp_path: Path) -> Iterator[Records]:
    store = make(tmp_path)
    yield store
    store.close()


def test_put_get_and_versions(records: Records) -> None:
    """Each write raises the version by one and is read back whole."""
    assert records.get("incident", "1") is None
    first = records.put("incident", "1", {"title": "火災", "n": 1})
    second = records.put("incident", "1", {"title": "鎮火", "n": 2})
    assert (first.version, second.version) == (1, 2)
    found = records.get("incident", "1")
    assert found is not None and found.body == {"title": "鎮火", "n": 2} and found.updated == NOW


def test_compare_and_set(records: Records) -> None:
    """A write that expects another version is refused and changes nothing."""
    records.put("incident", "1", {"n": 1}, expect=0)
    for wrong in (0, 2):
        with pytest.raises(Conflict):
            records.put("incident", "1", {"n": 9}, expect=wrong)
    assert records.put("incident", "1", {"n": 2}, expect=1).version == 2
    with pytest.raises(Conflict):
        records.delete("incident", "1", expect=1)
    assert records.delete("incident", "1", expect=2)
    assert not records.delete("incident", "1")


def test_what_changed_since(records: Records) -> None:
    """changed gives what was written at or after a moment, once each, over page borders, and nothing from before."""
    for number in range(1_203):
        records.put("alert", f"{number:04}", {"n": number})
    records.put("incident", "other", {})
    records.put("alert", "0007", {"n": "again"})
    found = list(records.changed("alert", NOW))
    assert sorted(one.id for one in found) == [f"{number:04}" for number in range(1_203)]
    assert {one.id: one.version for one in found}["0007"] == 2
    assert list(records.changed("alert", NOW + timedelta(microseconds=1))) == []


def test_find_by_value_order_and_page(records: Records) -> None:
    """find selects by dotted paths and lists of values, orders, and pages."""
    for i in range(10):
        records.put("alert", f"{i:02d}", {"level": ["low", "high"][i % 2], "at": {"n": 10 - i}, "none": None})
    assert records.count("alert", {"level": "high"}) == 5
    found = records.find("alert", {"level": ["high", "critical"]}, order="at.n", limit=2)
    assert [record.id for record in found] == ["09", "07"]
    assert [r.id for r in records.find("alert", order="-at.n", limit=2, offset=1)] == ["01", "02"]
    assert len(records.find("alert", {"none": None})) == 10
    assert records.find("alert", {'at"."n': 1}) == []
    assert records.find("incident") == []


def test_append_numbers_without_gaps_under_contention(
    make: Callable[[Path], Records], tmp_path: Path
) -> None:
    """Eight writers with connections of their own leave numbers 1…200, each once."""
    make(tmp_path).close()

    def write() -> None:
        own = make(tmp_path)
        for _ in range(25):
            own.append("audit", {"who": threading.current_thread().name})
        own.close()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = make(tmp_path)
    assert [int(r.id) for r in store.find("audit")] == list(range(1, 201))
    last = store.last("audit")
    assert last is not None and last.id == "000000000200"
    store.close()


def test_only_one_of_two_racers_wins(make: Callable[[Path], Records], tmp_path: Path) -> None:
    """Compare-and-set from many threads lets exactly one through."""
    make(tmp_path).close()
    wins: list[int] = []

    def race(i: int) -> None:
        own = make(tmp_path)
        try:
            own.put("lease", "leader", {"by": i}, expect=0)
            wins.append(i)
        except Conflict:
            pass
        finally:
            own.close()

    threads = [threading.Thread(target=race, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
