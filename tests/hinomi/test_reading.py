"""Questions to the embedded store while its files are merged and swept under them, by the store's own hand."""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import PartDamaged, StoreError
from hinomi.store import Counted, Span
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded.plan import Plan, Planning
from hinomi.store.embedded.reading import Reading
from hinomi.store.embedded.rows import Hit, Rows
from tests.contract.stores import NOW
from tests.contract.test_events import START, batch

_OVER = timedelta(minutes=6)  # replaced files stay for five
_QUESTIONS: dict[str, Callable[[ParquetEvents], object]] = {
    "search": lambda events: events.search("user.name: User1", limit=5),
    "the page behind": lambda events: events.search(limit=7, after=events.search(limit=7).after),
    "count": lambda events: events.count("user.name: User1"),
    "histogram": lambda events: events.histogram(
        span=Span(START, START + timedelta(hours=1)), interval=timedelta(minutes=7), by="user.name"
    ),
    "top": lambda events: events.top("event.category"),
    "survey": lambda events: events.survey(
        "user.name: User1",
        span=Span(START, START + timedelta(hours=1)),
        counted=Counted(timedelta(minutes=7), "source.ip", ["fortinet.fortigate"]),
        limit=5,
    ),
    "get": lambda events: events.get(["fortinet.fortigate-0004", "fortinet.fortigate-0041"]),
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def events(tmp_path: Path, clock: FixedClock) -> Iterator[ParquetEvents]:
    """Fifty events in ten files."""
    store = ParquetEvents(tmp_path, clock=clock)
    _more(store, 0)
    yield store
    store.close()


def _more(events: ParquetEvents, first: int) -> None:
    for n in range(10):
        events.append([batch(n=5, first=first + 5 * n)])


def _merged_and_swept(events: ParquetEvents, clock: FixedClock) -> None:
    """As the tower does it: merged now, and what that replaced deleted the next time, minutes later."""
    assert events.compact()
    clock.advance(_OVER)
    events.compact()


@pytest.mark.parametrize("oldest_first", [False, True])
def test_pages_go_on_over_files_that_are_merged(
    events: ParquetEvents, clock: FixedClock, tmp_path: Path, *, oldest_first: bool
) -> None:
    """An export that takes longer than merged files stay: each event of the moment of the call once, in order, and none
    that came meanwhile, though it went into the same merged file. Afterwards the files go."""
    wanted = [row["event.id"] for row in events.search(limit=100, oldest_first=oldest_first).rows]
    pages = events.pages(size=7, oldest_first=oldest_first)
    seen = [row["event.id"] for row in next(pages)]
    _more(events, 1_000)
    _merged_and_swept(events, clock)
    assert len(events.files("fortinet.fortigate")) == 1
    seen += [row["event.id"] for page in pages for row in page]
    assert seen == wanted and len(seen) == 50
    events.compact()
    assert len(list(tmp_path.rglob("*.parquet"))) == 1


def test_a_scan_goes_on_over_files_that_are_dropped(events: ParquetEvents, clock: FixedClock) -> None:
    """Retention takes what is being read: the scan still gives all of it, another one nothing."""
    scan = events.scan("fortinet.fortigate", columns=["event.id"])
    seen = set(next(scan)["event.id"])
    assert events.drop("fortinet.fortigate", NOW) == 50
    clock.advance(_OVER)
    events.compact()
    for frame in scan:
        seen |= set(frame["event.id"])
    assert len(seen) == 50 and list(events.scan("fortinet.fortigate")) == []


def test_a_reader_that_never_ends_is_waited_for_a_day(events: ParquetEvents, clock: FixedClock) -> None:
    """Then the disk is freed all the same, and it is told to ask again, of no damage; one that was closed holds nothing."""
    left, pages = events.pages(size=4), events.pages(size=4)
    assert len(next(left)) == len(next(pages)) == 4
    left.close()  # type: ignore[attr-defined]
    assert events.compact() == 10
    clock.advance(timedelta(hours=23))
    assert events.sweep() == 0
    clock.advance(timedelta(hours=2))
    assert events.sweep() == 10
    with pytest.raises(StoreError, match="ask again") as told:
        next(pages)
    assert not isinstance(told.value, PartDamaged) and "写し" not in told.value.ja


@pytest.mark.parametrize("name", _QUESTIONS)
def test_a_question_whose_files_are_merged_away_begins_again(
    events: ParquetEvents, clock: FixedClock, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between knowing the files and reading them they are merged and swept: the answer is the same as without."""
    wanted, begun = _QUESTIONS[name](events), list[Plan | None]()
    plan = Planning.plan

    def made(self: Planning, text: str, datasets: list[str], span: Span | None) -> Plan | None:
        begun.append(plan(self, text, datasets, span))
        if len(begun) == 1:
            _merged_and_swept(events, clock)
        return begun[-1]

    monkeypatch.setattr(Planning, "plan", made)
    assert _QUESTIONS[name](events) == wanted
    assert len(begun) >= 2 and len(events.files("fortinet.fortigate")) == 1


def test_rows_that_were_found_are_not_sought_in_other_files(
    events: ParquetEvents, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged and swept after the rows were found and before they are read: the page begins anew, total and rows of one moment."""
    wanted, begun = events.search("user.name: User1", limit=5), list[int]()
    fetched = Rows.fetched

    def late(self: Rows, hits: list[Hit], order: str) -> list[dict[str, Any]]:
        begun.append(len(hits))
        if len(begun) == 1:
            _more(events, 1_000)
            _merged_and_swept(events, clock)
        return fetched(self, hits, order)

    monkeypatch.setattr(Rows, "fetched", late)
    page = events.search("user.name: User1", limit=5)
    assert begun == [5, 5] and page.total == 2 * wanted.total
    assert [int(row["event.id"][-4:]) for row in page.rows] == [1048, 1045, 1042, 1039, 1036]


def test_a_question_is_begun_three_times_at_most(
    events: ParquetEvents, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its files go each time, it says so, and speaks of no damage."""
    plan, begun = Planning.plan, list[Plan | None]()

    def made(self: Planning, text: str, datasets: list[str], span: Span | None) -> Plan | None:
        begun.append(plan(self, text, datasets, span))
        _more(events, 100 * len(begun))
        _merged_and_swept(events, clock)
        return begun[-1]

    monkeypatch.setattr(Planning, "plan", made)
    with pytest.raises(StoreError, match="ask again") as told:
        events.count()
    assert len(begun) == 3 and not isinstance(told.value, PartDamaged)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another account")
def test_what_root_makes_belongs_to_whose_folder_it_is(tmp_path: Path) -> None:
    """A command as root before the tower's first start: the tower, another account, must be able to use all of it."""
    os.chown(tmp_path, 65534, 65534)
    store = ParquetEvents(tmp_path / "events")
    store.append([batch()])
    assert len(list(store.pages())) == 1
    made = [tmp_path / "events", *(tmp_path / "events").rglob("*")]
    assert {"reading.lock", "manifest.sqlite", "manifest.sqlite-wal"} < {path.name for path in made}
    assert {path.stat().st_uid for path in made} == {65534}
    store.close()


def test_a_lock_that_is_not_to_be_had_ends_nothing(
    events: ParquetEvents, clock: FixedClock, tmp_path: Path
) -> None:
    """It cannot even be opened (here: a link to itself, as root may open all else): pages are read, files are merged, and
    what was replaced stays as long as while somebody reads."""
    (tmp_path / "reading.lock").unlink(missing_ok=True)
    (tmp_path / "reading.lock").symlink_to("reading.lock")
    assert sum(map(len, events.pages(size=20))) == 50
    assert events.compact() == 10
    clock.advance(_OVER)
    assert events.sweep() == 0
    clock.advance(timedelta(hours=25))
    assert events.sweep() == 10


def test_a_lock_of_another_account_that_may_be_read_is_enough(events: ParquetEvents, tmp_path: Path) -> None:
    """It is opened for reading alone."""
    lock = tmp_path / "reading.lock"
    lock.touch()
    with Reading(lock).by_nobody() as free:
        assert free
        [entry] = [
            fd for fd in Path("/proc/self/fd").iterdir() if os.path.realpath(fd) == str(lock.resolve())
        ]
        assert not stat.S_IMODE(entry.lstat().st_mode) & stat.S_IWUSR
    assert events.count() == 50
