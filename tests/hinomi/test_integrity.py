"""Files of events that are damaged, cut, gone or another's: found, named with what they held, never told as if whole."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from hinomi.errors import PartDamaged, StoreError
from hinomi.store import Span
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded.integrity import Harm
from tests.contract.test_events import START, batch


@pytest.fixture
def events(tmp_path: Path) -> Iterator[ParquetEvents]:
    """Three files: two days of one dataset, a day of another."""
    store = ParquetEvents(tmp_path)
    store.append([batch(n=500)])
    store.append([batch(n=20, first=500, day=1)])
    store.append([batch(n=30, dataset="squid.access")])
    yield store
    store.close()


def _first(events: ParquetEvents) -> Path:
    return events.path_of(events.files("fortinet.fortigate")[0])


def _flip(path: Path) -> None:
    """One bit in the middle, of the lines' own text."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _another(path: Path) -> None:
    """A file that can be read, of the same length, with other events in it."""
    length = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"\0" * 8)
    assert path.stat().st_size == length


HARMS: dict[str, tuple[Callable[[Path], object], Harm]] = {
    "flip": (_flip, Harm.CHANGED),
    "cut": (_cut, Harm.LENGTH),
    "gone": (Path.unlink, Harm.GONE),
    "another": (_another, Harm.CHANGED),
}


@pytest.mark.parametrize("name", HARMS)
def test_reading_all_finds_every_harm_and_looking_finds_what_can_be_seen(
    events: ParquetEvents, name: str
) -> None:
    """Each harm is told for the file that it befell and for no other; a glance sees what is gone or cut."""
    assert [harm for _, harm in events.integrity.verified()] == [None] * 3 and events.flaws() == []
    do, harm = HARMS[name]
    do(_first(events))
    found = {file.path: told for file, told in events.integrity.verified() if told is not None}
    assert found == {events.files("fortinet.fortigate")[0].path: harm}
    seen = events.flaws()
    assert bool(seen) == (harm in {Harm.GONE, Harm.LENGTH})
    if seen:
        assert (seen[0].dataset, seen[0].day, seen[0].events) == ("fortinet.fortigate", "2026-11-20", 500)


def test_a_question_over_any_turned_bit_is_answered_or_names_the_file(events: ParquetEvents) -> None:
    """Sixty single bits anywhere in a file: where DuckDB stumbles the error names the file, the dataset, the day and the
    number of events in one line, whatever DuckDB itself said; and the hash tells all of them."""
    path, random = _first(events), Random(7)
    whole, failed = path.read_bytes(), 0
    for n in range(60):
        content = bytearray(whole)
        content[random.randrange(len(content)) if n % 2 else -1 - random.randrange(3_000)] ^= 1 << n % 8
        path.write_bytes(content)
        try:
            events.search('"100%" and not user.name: x', limit=1000)
        except StoreError as error:
            failed += 1
            assert isinstance(error, PartDamaged) and path.name in error.ja and path.name in error.en
            assert "fortinet.fortigate, 2026-11-20, 500 events" in error.en and "\n" not in error.en
        [(_, harm), *_] = events.integrity.verified()
        assert harm is Harm.CHANGED
    assert failed > 5
    path.write_bytes(whole)
    assert events.count() == 550


@pytest.mark.parametrize("name", ["cut", "gone"])
def test_other_days_and_datasets_still_answer(events: ParquetEvents, name: str) -> None:
    """What does not touch the damaged file is answered; what does is refused, by search, scan and follower alike."""
    HARMS[name][0](_first(events))
    assert events.count(datasets=["squid.access"]) == 30
    assert events.count(span=Span(START.replace(day=21), None)) == 20
    for question in (
        lambda: events.search("user.name: User1"),
        lambda: list(events.scan("fortinet.fortigate", columns=["event.id"])),
        lambda: list(events.since("fortinet.fortigate", None)),
    ):
        with pytest.raises(PartDamaged, match="500 events"):
            question()


def test_a_follower_can_go_on_behind_a_damaged_file(events: ParquetEvents) -> None:
    """The error says where: what came after it is read, and how many were lost is known."""
    _cut(_first(events))
    with pytest.raises(PartDamaged) as told:
        list(events.since("fortinet.fortigate", None))
    assert told.value.events == 500
    [(_, frame)] = events.since("fortinet.fortigate", told.value.behind)
    assert frame.height == 20


def test_merging_leaves_a_damaged_file_alone(tmp_path: Path) -> None:
    """It is not read into a new file, under whose hash the damage could not be told any more; the others are merged."""
    events = ParquetEvents(tmp_path)
    for n in range(10):
        events.append([batch(n=5, first=5 * n)])
    bad = events.files("fortinet.fortigate")[4]
    _flip(events.path_of(bad))
    assert events.compact() == 9
    held = {(file.rows, file.seq, file.upto) for file in events.files("fortinet.fortigate")}
    assert held == {
        (20, 1, 4),
        (5, 5, 5),
        (25, 6, 10),
    }  # no place of another covers its own, for when it is put back
    assert [file.path for file, harm in events.integrity.verified() if harm] == [bad.path]
    events.close()


def test_merging_goes_on_beside_a_file_without_a_hash_that_cannot_be_read(tmp_path: Path) -> None:
    """Of an earlier release: it is told, stays as it is, and what was merged before is still swept."""
    events = ParquetEvents(tmp_path)
    for n in range(10):
        events.append([batch(n=5, first=5 * n)])
    bad = events.path_of(events.files("fortinet.fortigate")[9])
    with sqlite3.connect(tmp_path / "manifest.sqlite") as database:
        database.execute("update file set sha256=''")
    database.close()
    bad.write_bytes(bad.read_bytes()[:-200] + b"\xff" * 200)
    assert events.compact() == 9
    assert {file.rows for file in events.files("fortinet.fortigate")} == {5, 45}
    events.close()


def test_a_follower_misses_nothing_of_another_day_between_merged_parts(tmp_path: Path) -> None:
    """A file of the next day arrived between those that were merged: wherever the follower stops, it gets both."""
    events = ParquetEvents(tmp_path)
    for n in range(9):
        events.append([batch(n=5, first=5 * n, day=int(n == 4))])
    assert events.compact() == 8
    seen, place = set[str](), None
    while found := next(events.since("fortinet.fortigate", place), None):
        place, frame = found
        seen |= set(frame["event.id"])
    assert len(seen) == 45
    events.close()


def _merged_away(events: ParquetEvents) -> None:
    """Compacted, and swept as five minutes later."""
    old = [events.path_of(file) for file in events.files("fortinet.fortigate")]
    assert events.compact() == len(old)
    for path in old:
        path.unlink()


def test_a_slow_reader_is_not_told_that_merged_files_are_damaged(tmp_path: Path) -> None:
    """While it reads they are merged and swept: a follower goes on with what they were merged into, and misses nothing; a
    scan is told to ask again, of no damage."""
    events = ParquetEvents(tmp_path)
    for n in range(10):
        events.append([batch(n=5, first=5 * n)])
    follower, scan = events.since("fortinet.fortigate", None), events.scan("fortinet.fortigate")
    seen = set(next(follower)[1]["event.id"])
    assert next(scan).height == 5
    _merged_away(events)
    places = []
    for place, frame in follower:
        places.append(place)
        seen |= set(frame["event.id"])
    assert len(seen) == 50 and places == ["10"]
    with pytest.raises(StoreError, match="ask again") as told:
        next(scan)
    assert not isinstance(told.value, PartDamaged)
    assert sum(frame.height for frame in events.scan("fortinet.fortigate")) == 50
    events.close()


def test_files_of_an_earlier_release_are_given_their_hash_when_they_can_be_read(tmp_path: Path) -> None:
    """A store without the column opens; what cannot be read is told, and what can is known from then on."""
    events = ParquetEvents(tmp_path)
    events.append([batch()])
    events.append([batch(first=10)])
    events.close()
    with sqlite3.connect(tmp_path / "manifest.sqlite") as database:
        database.execute("alter table file drop column sha256")
    database.close()
    events = ParquetEvents(tmp_path)
    one, other = events.files("fortinet.fortigate")
    assert one.sha256 == ""
    content = events.path_of(one).read_bytes()
    events.path_of(one).write_bytes(content[:-200] + b"\xff" * 200)
    assert [harm for _, harm in events.integrity.verified()] == [Harm.UNREADABLE, None]
    assert [len(file.sha256) for file in events.files("fortinet.fortigate")] == [0, 64]
    events.append([batch(first=20)])
    assert events.files("fortinet.fortigate")[-1].sha256
    _flip(events.path_of(other))
    assert [harm for _, harm in events.integrity.verified()][1] is Harm.CHANGED
    events.close()
