"""Copies of an embedded store: made while it is written and merged, brought back whole, and told when damaged."""

import errno
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.errors import ContentError, InputError, StoreError
from hinomi.store import Checkpoint
from hinomi.store.embedded import ParquetEvents, SqliteRecords, integrity
from hinomi.store.embedded.integrity import Harm, harm_of
from hinomi.store.embedded.manifest import File
from ops import backup
from ops.backup import INDEX, Backups
from ops.commands import store as commands

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _run(*arguments: str) -> Result:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, ["store", *arguments])


def _batch(number: int, n: int = 100) -> Batch:
    times = pl.Series([NOW + timedelta(seconds=i) for i in range(n)]).cast(ecs.TIME)
    frame = pl.DataFrame({"@timestamp": times, "event.id": [f"{number}-{i}" for i in range(n)]})
    return Batch.of("linux.auth", frame, ingested=NOW)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    events, records = ParquetEvents(folder / "events"), SqliteRecords(folder / "records.sqlite")
    for number in range(5):
        events.append([_batch(number)], checkpoint=Checkpoint("lane-0", str(number)))
    records.put("incident", "i", {"title": "火災"})
    (folder / "evidence" / "ab").mkdir(parents=True)
    (folder / "evidence" / "ab" / "abcd").write_bytes(b"memory")
    (folder / "spool").mkdir()
    (folder / "spool" / "passing").write_text("now")
    events.close()
    records.close()
    return folder


def hurt(path: Path, harm: str) -> None:
    """Take a file away, cut it, or turn over one bit in its middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-30] if harm == "cut" else content)


def _ids(folder: Path) -> set[str]:
    events = ParquetEvents(folder / "events")
    found = {i for frame in events.scan("linux.auth", columns=["event.id"]) for i in frame["event.id"]}
    events.close()
    return found


def test_a_copy_brings_everything_back(data: Path, tmp_path: Path) -> None:
    """Events, how far the reader was, records and evidence are the same; the second copy links what the first holds."""
    place = tmp_path / "copies"
    first = _run("snapshot", "--data", str(data), "--folder", str(place))
    assert first.exit_code == 0, first.output
    events = ParquetEvents(data / "events")
    events.append([_batch(5)])
    events.close()
    second = Backups(place).make(data, FixedClock(NOW + timedelta(days=3_650)))
    assert list(Backups(place).names().values()) == [{"linux.auth": 500}, {"linux.auth": 600}]
    linked = [path for path in (place / second).rglob("*.parquet") if path.stat().st_nlink == 2]
    assert len(linked) == 5
    back = tmp_path / "back"
    told = _run("restore", second, "--folder", str(place), "--data", str(back))
    assert told.exit_code == 0 and "600" in told.output, told.output
    assert _ids(back) == _ids(data) and len(_ids(back)) == 600
    assert (back / "evidence" / "ab" / "abcd").read_bytes() == b"memory" and not (back / "spool").exists()
    events, records = ParquetEvents(back / "events"), SqliteRecords(back / "records.sqlite")
    held = records.get("incident", "i")
    assert held is not None and held.body == {"title": "火災"} and events.checkpoint("lane-0") == "4"
    events.close()
    records.close()
    with pytest.raises(InputError, match="empty"):
        Backups(place).restore(second, back)
    listed = _run("restore", "--folder", str(place))
    assert listed.output.count("events") == 2


def test_a_damaged_copy_is_told(data: Path, tmp_path: Path) -> None:
    """One byte of a file, a file that is gone, an index that points outside: nothing is brought back as if whole."""
    place = Backups(tmp_path / "copies")
    name = place.make(data, FixedClock(NOW))
    [path, *_] = sorted((place.folder / name).rglob("*.parquet"))
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ContentError, match="changed"):
        place.restore(name, tmp_path / "one")
    path.unlink()
    with pytest.raises(ContentError, match="gone"):
        place.restore(name, tmp_path / "two")
    index = place.folder / name / INDEX
    index.write_text(index.read_text().replace('"records.sqlite"', '"../records.sqlite"'))
    with pytest.raises(ContentError, match="outside"):
        place.restore(name, tmp_path / "three")
    assert not (tmp_path / "records.sqlite").exists()
    with pytest.raises(InputError, match="no copy"):
        place.restore("other", tmp_path / "four")
    with pytest.raises(InputError, match="no embedded store"):
        place.make(tmp_path / "nowhere", FixedClock(NOW))


def test_a_copy_of_a_store_in_use_is_whole(data: Path, tmp_path: Path) -> None:
    """While a thread appends and merges, each copy holds a whole number of appends and can be read."""
    stop, place = threading.Event(), Backups(tmp_path / "copies")

    def write() -> None:
        events, number = ParquetEvents(data / "events"), 10
        while not stop.is_set():
            events.append([_batch(number)])
            number += 1
            if number % 8 == 0:
                events.compact()
        events.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        names = [place.make(data, FixedClock(NOW + timedelta(minutes=n))) for n in range(4)]
    finally:
        stop.set()
        writer.join()
    for name in names:
        counts = place.restore(name, tmp_path / name)
        assert len(_ids(tmp_path / name)) == counts["linux.auth"] and counts["linux.auth"] % 100 == 0


@pytest.mark.parametrize("name", ["records.sqlite", "events/manifest.sqlite"])
def test_a_damaged_store_is_not_copied_and_named(data: Path, tmp_path: Path, name: str) -> None:
    """Where the list of records or of events is no database, the answer names the file, and no copy is left."""
    for path in data.glob(f"{name}*"):
        path.write_bytes(b"damaged" * 1_000)
    with pytest.raises(StoreError) as told:
        Backups(tmp_path / "copies").make(data, FixedClock(NOW))
    assert str(data / name) in str(told.value)
    assert Backups(tmp_path / "copies").names() == {}


@pytest.mark.parametrize("harm", ["gone", "cut", "flipped"])
def test_a_damaged_file_of_events_is_told_and_the_rest_is_copied(
    data: Path, tmp_path: Path, harm: str
) -> None:
    """The copy is made without it, says what it lacks (file, dataset, day, events) and fails as a command; brought back, the
    rest is whole, and the command says again what is missing."""
    lost = sorted((data / "events").rglob("*.parquet"))[0]
    hurt(lost, harm)
    place = tmp_path / "copies"
    told = _run("snapshot", "--data", str(data), "--folder", str(place))
    assert told.exit_code == 1 and lost.name in told.output
    assert "linux.auth 2026-11-20 100" in told.output and "this copy lacks it" in told.output
    [name] = Backups(place).names()
    assert not list((place / name).rglob(lost.name))
    back = _run("restore", name, "--folder", str(place), "--data", str(tmp_path / "back"))
    assert back.exit_code == 1 and "restored: 400 events" in back.output and lost.name in back.output
    assert len(list((tmp_path / "back").rglob("*.parquet"))) == 4


def test_a_file_that_breaks_while_it_is_copied_is_told_and_a_full_disk_of_copies_is_no_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is looked at again when copying fails: unreadable, it is left out and told; whole, it is the copy that cannot
    be written, and none is left. A new file that is whole is read once."""
    lost, broken, reads = sorted((data / "events").rglob("*.parquet"))[0], set[Path](), list[Path]()

    def copied(source: Path, target: Path) -> str:
        if source == lost:
            raise OSError(errno.EIO if broken else errno.ENOSPC, "failed")
        return copying(source, target)

    def summed(path: Path) -> str:
        reads.append(path)
        if path in broken:
            raise OSError(errno.EIO, "broken sector")
        return summing(path)

    copying, summing = backup._copied, integrity.sum_of
    monkeypatch.setattr(integrity, "sum_of", summed)
    place = Backups(tmp_path / "copies")
    name = place.make(data, FixedClock(NOW))
    assert not reads and place.damaged(name) == []
    monkeypatch.setattr(backup, "_copied", copied)
    anew = Backups(tmp_path / "anew")
    with pytest.raises(OSError, match="failed"):
        anew.make(data, FixedClock(NOW))
    assert reads == [lost] and anew.names() == {}
    broken.add(lost)
    [one] = anew.damaged(anew.make(data, FixedClock(NOW)))
    assert one.harm is Harm.UNREADABLE and not one.here and one.path.endswith(lost.name)


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_what_the_copy_before_holds_whole_is_taken_from_there(data: Path, tmp_path: Path, harm: str) -> None:
    """A file that was lost since the last copy is in the next one, which says that the store lacks it."""
    place = Backups(tmp_path / "copies")
    place.make(data, FixedClock(NOW))
    lost = sorted((data / "events").rglob("*.parquet"))[0]
    hurt(lost, harm)
    name = place.make(data, FixedClock(NOW + timedelta(minutes=1)))
    [part] = place.damaged(name)
    assert part.here and part.path.endswith(lost.name) and part.events == 100
    place.restore(name, tmp_path / "back")
    assert len(_ids(tmp_path / "back")) == 500


def test_a_copy_that_rotted_is_not_linked_into_the_next(data: Path, tmp_path: Path) -> None:
    """What the copy before holds is compared too: damaged there, it is taken from the store."""
    place = Backups(tmp_path / "copies")
    first = place.make(data, FixedClock(NOW))
    for path in (place.folder / first).rglob("*.parquet"):
        path.chmod(0o600)
        hurt(path, "flipped")
    second = place.make(data, FixedClock(NOW + timedelta(minutes=1)))
    assert place.damaged(second) == []
    place.restore(second, tmp_path / "back")
    assert len(_ids(tmp_path / "back")) == 500


def test_a_damaged_index_of_a_copy_is_named_and_keeps_no_other_copy_from_being_made(
    data: Path, tmp_path: Path
) -> None:
    """Whatever the index of an older copy holds: the list names it, the next copy is made and comes back."""
    backups = Backups(tmp_path / "copies")
    old = backups.folder / backups.make(data, FixedClock(NOW)) / INDEX
    for text in ('{"events":', "[1]", '{"events": {"linux.auth": "many"}}'):
        old.write_text(text)
        with pytest.raises(ContentError) as told:
            backups.names()
        assert str(old) in str(told.value)
    name = backups.make(data, FixedClock(NOW + timedelta(minutes=1)))
    assert backups.restore(name, tmp_path / "back") == {"linux.auth": 500}


def test_a_place_of_copies_that_is_none_is_said(tmp_path: Path) -> None:
    """A mistyped folder is no empty list."""
    done = _run("restore", "--folder", str(tmp_path / "mistyped"))
    assert isinstance(done.exception, InputError) and "mistyped" in str(done.exception)


def test_files_merged_away_while_a_copy_links_them_are_no_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of files is taken, then the store merges and sweeps them, at the moment at which the first is looked at, and
    the copy before holds them: the list is taken anew, and nothing is told as gone."""
    events, copies = ParquetEvents(data / "events"), Backups(tmp_path / "copies")
    for number in range(5, 10):
        events.append([_batch(number)])
    copies.make(data, FixedClock(NOW))
    old = [events.path_of(file) for file in events.files("linux.auth")]

    def first_merged(path: Path, file: File, *, whole: bool) -> Harm | None:
        if old and events.compact() == len(old):
            while old:
                old.pop().unlink()
        return harm_of(path, file, whole=whole)

    monkeypatch.setattr("ops.backup.harm_of", first_merged)
    name = copies.make(data, FixedClock(NOW + timedelta(hours=1)))
    assert not old and copies.damaged(name) == []
    events.close()
    assert copies.restore(name, tmp_path / "back") == {"linux.auth": 1_000}
    assert len(list((tmp_path / "back" / "events").rglob("*.parquet"))) == 1
