"""What any Records implementation must do."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dashboards.records_apart import RecordsApart
from hinomi.errors import Conflict, InputError
from hinomi.store import Records
from hinomi.store.elastic.records import ElasticRecords
from tests.contract.cost import cost
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


def test_order_is_the_same_whatever_the_values(records: Records) -> None:
    """Nothing, then numbers by size, then text by its signs; equals by id; falling turns that round but not the ids."""
    values = [None, -2.5, -1, 0, 3, 20, True, "", "10", "9", "Z", "a", "あ", "火" * 90]
    for number, value in enumerate(values):
        records.put("alert", f"{number:02d}", {"at": {"n": value}, "also": "x"})
    records.put("alert", "90", {"also": "x"})
    rising = ["00", "90", "01", "02", "03", "06", *(f"{n:02d}" for n in (4, 5, *range(7, len(values))))]
    assert [one.id for one in records.find("alert", order="at.n")] == rising
    falling = [*rising[:1:-1], "00", "90"]
    assert [one.id for one in records.find("alert", {"also": "x"}, order="-at.n")] == falling


def test_names_that_somebody_else_chose_are_kept(records: Records) -> None:
    """Whatever is a key in JSON can be one in a record: empty, with signs of the store's own, longer than any index takes."""
    body = {"": 1, ".": 2, "a\0b": 3, "a.b": {"c:d=1": "x"}, "x" * 40_000: 5, "y": "z" * 40_000}
    records.put("field", "hostile", body)
    found = records.get("field", "hostile")
    assert found is not None and found.body == body
    assert [one.id for one in records.find("field", order="-y")] == ["hostile"]


def test_paging_by_id_and_by_order_gives_each_once(records: Records) -> None:
    """Pages by `after` and by `offset` put together are the whole, in order, though records come and go between them."""
    for number in range(110):
        records.put("alert", f"{number:04}", {"n": number % 7, "state": "open" if number % 2 else "done"})
    walked, after = list[str](), ""
    while found := records.find("alert", {"state": "open"}, limit=20, after=after):
        walked += [one.id for one in found]
        after = found[-1].id
        records.delete("alert", found[0].id)  # what is behind changes nothing of what is to come
        records.put("alert", "0000a", {"state": "open"})
    assert walked == [f"{number:04}" for number in range(1, 110, 2)]
    whole = [one.id for one in records.find("alert", order="-n")]
    pages = [
        records.find("alert", order="-n", limit=40, offset=offset) for offset in range(0, len(whole), 40)
    ]
    assert [one.id for page in pages for one in page] == whole


def test_a_later_page_costs_no_more_than_the_first(make: Callable[[Path], Records], tmp_path: Path) -> None:
    """Page 1 and page 40: the same number of requests and of documents sent, or of steps of SQLite's machine."""
    store = make(tmp_path)
    for number in range(220):
        store.append("audit", {"who": "a" if number % 2 else "b", "n": number})
    wheres: list[dict[str, str] | None] = [None, {"who": "a"}]
    for where in wheres:
        first = cost(store, lambda where=where: store.find("audit", where, limit=5))
        later = cost(store, lambda where=where: store.find("audit", where, limit=5, after="000000000195"))
        assert later <= first * 1.1
    if isinstance(store, ElasticRecords):  # SQLite sorts all that match for any page of another order
        first = cost(store, lambda: store.find("audit", order="-n", limit=5))
        assert cost(store, lambda: store.find("audit", order="-n", limit=5, offset=195)) == first
    store.close()


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


def test_the_records_of_some_organisations(records: Records) -> None:
    """A view of one town finds its incidents and what hangs on them, in pages and order, and nothing of the others."""
    for n in range(12):
        whose = ("higashi", "nishi", "")[n % 3]
        body = {"number": n, "organization": whose, "status": "new"}
        records.put("incident", f"inc-{n}", body)
        records.put("incident_task", f"{n:02}", {"incident_id": f"inc-{n}", "state": "open", "n": n})
        records.put("playbook_run", f"run-{n}", {"incident_id": f"inc-{n}"})
        records.put("playbook_task", f"run-{n}.1", {"run_id": f"run-{n}"})
    own = RecordsApart(records, frozenset({"higashi"}))
    assert [one.body["number"] for one in own.find("incident", order="-number")] == [9, 6, 3, 0]
    assert [one.id for one in own.find("incident", {"status": "new"}, order="number", limit=2, offset=1)] == [
        "inc-3",
        "inc-6",
    ]
    assert own.count("incident") == own.count("incident", {"status": "new"}) == 4
    assert own.count("incident", {"status": "closed"}) == 0
    assert [one.id for one in own.find("incident_task", {"state": "open"}, limit=2, offset=1)] == ["03", "06"]
    assert own.find("incident_task", {"incident_id": "inc-1"}) == []
    assert {one.id for one in own.changed("incident", NOW)} == {"inc-0", "inc-3", "inc-6", "inc-9"}
    assert own.count("playbook_task") == 4
    assert own.get("playbook_task", "run-1.1") is None and own.get("incident", "inc-1") is None
    assert not own.delete("incident_task", "01") and own.delete("incident_task", "00")
    with pytest.raises(InputError):
        own.put("incident_task", "01", {"incident_id": "inc-0"})
    with pytest.raises(InputError):
        own.append("incident_task", {"incident_id": "inc-1"})
    assert RecordsApart(records, frozenset()).count("incident") == 0
