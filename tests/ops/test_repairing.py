"""A damaged embedded store: found by reading, told by doctor and status, brought back from copies or given up by a person."""

import errno
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO, TypeVar

import pytest
import typer
from typer.testing import CliRunner, Result

from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.errors import AuditBroken, PartDamaged
from hinomi.store import Records
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from hinomi.store.embedded.integrity import Harm, sum_of
from hinomi.store.embedded.mending import Mending
from ops import counts
from ops.backup import INDEX, Backups
from ops.commands import doctor, store
from ops.opened import opened
from ops.repairing import Repair
from ops.store_watch import StoreWatch
from tests.ops.test_backup import NOW, _batch, hurt

T = TypeVar("T")


def _run(*arguments: str) -> Result:
    app = typer.Typer()
    store.register(app)
    doctor.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Ten files of a hundred events, as yet not merged."""
    folder = tmp_path / "data"
    folder.mkdir()
    events, records = ParquetEvents(folder / "events"), SqliteRecords(folder / "records.sqlite")
    for number in range(10):
        events.append([_batch(number)])
    events.close()
    records.close()
    return folder


@pytest.fixture
def copies(data: Path, tmp_path: Path) -> Path:
    """A folder with one copy of the store as it was."""
    Backups(tmp_path / "copies").make(data, FixedClock(NOW))
    return tmp_path / "copies"


def _with(data: Path, work: Callable[[ParquetEvents], T]) -> T:
    events = ParquetEvents(data / "events")
    try:
        return work(events)
    finally:
        events.close()


def _some(data: Path) -> Path:
    return sorted((data / "events").rglob("*.parquet"))[3]


@pytest.mark.parametrize("harm", ["gone", "cut", "flipped"])
def test_verify_names_the_file_and_what_it_held(data: Path, harm: str) -> None:
    """Whole: how much was read, exit code 0. Damaged: its name, dataset, day and number of events, and exit code 1."""
    good = _run("store", "verify", "--data", str(data))
    assert good.exit_code == 0 and "10 個 / files" in good.output and "damaged: 0" in good.output
    lost = _some(data)
    hurt(lost, harm)
    told = _run("store", "verify", "--data", str(data))
    assert told.exit_code == 1 and lost.name in told.output and "linux.auth 2026-11-20 100 件" in told.output
    assert "damaged: 1" in told.output


@pytest.mark.parametrize("harm", ["gone", "cut", "flipped"])
def test_repair_puts_a_file_back(data: Path, copies: Path, harm: str) -> None:
    """The very file lies there again, what was damaged beside it, and the audit log has who did it."""
    lost = _some(data)
    whole = lost.read_bytes()
    hurt(lost, harm)
    done = _run("store", "repair", "--data", str(data), "--folder", str(copies))
    assert done.exit_code == 0 and "put back" in done.output, done.output
    assert lost.read_bytes() == whole and lost.with_suffix(".damaged").exists() == (harm != "gone")
    assert _with(data, lambda events: events.count()) == 1_000
    records = SqliteRecords(data / "records.sqlite")
    [entry] = [one.body for one in records.find("audit") if one.body["action"] == "store.part_restored"]
    records.close()
    assert entry["details"]["events"] == 100 and entry["target"].endswith(lost.name)
    again = _run("store", "repair", "--data", str(data), "--folder", str(copies))
    assert again.exit_code == 0 and "nothing is damaged" in again.output


def test_a_copy_that_cannot_be_read_to_its_end_changes_nothing(
    data: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the copies breaks while a file is put back: the damaged one lies where it did, and nothing beside it."""
    lost = _some(data)
    hurt(lost, "flipped")
    before = lost.read_bytes(), sorted(lost.parent.iterdir())

    def broken(read: IO[bytes], made: IO[bytes]) -> None:
        made.write(read.read(10))
        raise OSError(errno.EIO, "broken sector")

    monkeypatch.setattr("shutil.copyfileobj", broken)
    with opened(data) as place:
        assert isinstance(place.events, ParquetEvents)
        with pytest.raises(OSError, match="broken sector"):
            list(Repair(place, place.events, Backups(copies)).run())
    assert (lost.read_bytes(), sorted(lost.parent.iterdir())) == before


@pytest.mark.parametrize("way", ["put_back", "make_anew", "give_up"])
def test_the_audit_log_speaks_before_anything_changes(
    data: Path, copies: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a file is mended: while that begins the entry is there already. Where the mending fails, the next entry says
    that nothing came of it; where the log itself cannot be written, nothing is touched."""
    if way == "make_anew":
        assert _with(data, lambda events: events.compact()) == 10
    lost = _with(data, lambda events: events.path_of(events.files("linux.auth")[0]))
    hurt(lost, "flipped")
    before = lost.read_bytes(), sorted(lost.parent.iterdir())
    (tmp_path / "none").mkdir()
    folder, given_up = (tmp_path / "none", "失われた") if way == "give_up" else (copies, "")
    seen: list[str] = []

    def said(records: Records) -> list[str]:
        return [one.body["action"] for one in records.find("audit", order="number")]

    with opened(data) as place:
        assert isinstance(place.events, ParquetEvents)

        def fails(*_: object) -> bool:
            seen.extend(said(place.records))
            raise OSError(errno.EIO, "broken sector")

        repair = Repair(place, place.events, Backups(folder), given_up)
        monkeypatch.setattr(Mending, way, fails)
        with pytest.raises(OSError, match="broken sector"):
            list(repair.run())
        action = "store.part_given_up" if given_up else "store.part_restored"
        assert seen == [action] and said(place.records) == [action, "store.part_left"]
        place.records.put("audit", "x", {})  # of another hand: nothing can be written behind it
        seen.clear()
        with pytest.raises(AuditBroken):
            list(repair.run())
    assert not seen and (lost.read_bytes(), sorted(lost.parent.iterdir())) == before


def test_repair_makes_a_merged_file_anew_from_what_it_was_merged_of(data: Path, copies: Path) -> None:
    """No copy has the merged file yet, but the one before the merge has all that went into it."""
    assert _with(data, lambda events: events.compact()) == 10
    [merged] = _with(data, lambda events: events.files("linux.auth"))
    path = data / "events" / merged.path
    before = _with(data, lambda events: [row["event.id"] for row in events.search(limit=2_000).rows])
    hurt(path, "flipped")
    done = _run("store", "repair", "--data", str(data), "--folder", str(copies))
    assert done.exit_code == 0 and "made anew from 10 files" in done.output, done.output
    [anew] = _with(data, lambda events: events.files("linux.auth"))
    assert (anew.seq, anew.upto, anew.rows) == (merged.seq, merged.upto, 1_000) and anew.path != merged.path
    assert _with(data, lambda events: [row["event.id"] for row in events.search(limit=2_000).rows]) == before
    assert path.with_suffix(".damaged").exists() and not path.exists()


def test_what_no_copy_has_is_given_up_only_with_a_reason(data: Path, tmp_path: Path) -> None:
    """Left as it is and told at first; with a reason the store answers again, and the loss is counted and audited."""
    lost = _some(data)
    hurt(lost, "cut")
    (tmp_path / "none").mkdir()
    left = _run("store", "repair", "--data", str(data), "--folder", str(tmp_path / "none"))
    assert left.exit_code == 1 and "no copy has it" in left.output and lost.name in left.output
    with pytest.raises(PartDamaged):
        _with(data, lambda events: events.search("user.name: x or not user.name: x"))
    told = _run(
        "store",
        "repair",
        "--data",
        str(data),
        "--folder",
        str(tmp_path / "none"),
        "--give-up",
        "ディスク交換",
    )
    assert told.exit_code == 0 and "given up" in told.output
    assert _with(data, lambda events: events.count()) == 900 and lost.with_suffix(".damaged").exists()
    assert (
        _with(data, lambda events: events.sweep(orphans=True)) >= 0 and lost.with_suffix(".damaged").exists()
    )
    records = SqliteRecords(data / "records.sqlite")
    [entry] = [one.body for one in records.find("audit") if one.body["action"] == "store.part_given_up"]
    assert entry["details"]["reason"] == "ディスク交換"
    found = counts.total_of(records.find(counts.KIND))
    records.close()
    assert {(line.what, line.reason): n for line, n in found.items()} == {("dropped", "part_damaged"): 100}


def test_status_and_doctor_see_what_is_gone(data: Path) -> None:
    """Both name the file with what it held, without reading any file; the doctor's code is 1."""
    lost = _some(data)
    hurt(lost, "gone")
    status = _run("store", "status", "--data", str(data))
    assert lost.name in status.output and "is gone" in status.output
    found = _run("doctor", "--data", str(data), "--json")
    assert found.exit_code == 1
    assert lost.name in found.output and "linux.auth, 2026-11-20, 100 events" in found.output


def test_a_turned_bit_is_found_by_the_watch_in_its_turn_and_told_until_it_is_mended(data: Path) -> None:
    """A portion at a time: the file's turn comes, people are told once (the alert's id is the same all day), the doctor
    says it without reading everything; mended, nothing is said any more."""
    events, records, clock = (
        ParquetEvents(data / "events"),
        SqliteRecords(data / "records.sqlite"),
        FixedClock(NOW),
    )
    size = events.files("linux.auth")[0].bytes
    watch, alerts = StoreWatch(events, records, clock, portion=size * 3), list[Alert]()
    bad = events.path_of(events.files("linux.auth")[8])
    whole = bad.read_bytes()
    hurt(bad, "flipped")
    turns = [watch.look(alerts.append) for _ in range(6)]
    assert turns[0] == 0 and turns[-1] == 1 and turns == sorted(turns)
    assert len({alert.id for alert in alerts}) == 1 and alerts[0].datasets == ["linux.auth"]
    found = _run("doctor", "--data", str(data), "--json")
    assert bad.name in found.output and "other content" in found.output
    bad.write_bytes(whole)
    alerts.clear()
    assert [watch.look(alerts.append) for _ in range(5)] == [0] * 5 and not alerts
    events.close()
    records.close()


def test_the_watch_forgets_what_was_given_up(data: Path) -> None:
    """A part that is none of the store's any more is not noted for ever, though its turn never comes again."""
    events, records = ParquetEvents(data / "events"), SqliteRecords(data / "records.sqlite")
    watch, bad = StoreWatch(events, records, FixedClock(NOW)), events.files("linux.auth")[8]
    hurt(events.path_of(bad), "flipped")
    assert watch.look(lambda alert: None) == 1 and _noted(records) == [bad.path]
    assert events.mending.give_up(bad)
    assert watch.look(lambda alert: None) == 0 and _noted(records) == []
    events.close()
    records.close()


def _noted(records: SqliteRecords) -> object:
    held = records.get("own_watch", "store_read")
    return held and held.body["damaged"]


def test_a_part_that_was_merged_meanwhile_is_neither_given_up_nor_made_anew(data: Path) -> None:
    """A merged file has the place of the first that went into it: what is known of that one must not take the merged one
    away with the events of ten."""
    events = ParquetEvents(data / "events")
    first, *others = events.files("linux.auth")
    assert events.compact() == 10
    assert not events.mending.give_up(first)
    assert not events.mending.make_anew(first, [events.path_of(others[0])])
    assert events.count() == 1_000 and len(list((data / "events").rglob("*.parquet"))) == 11
    assert events.path_of(first).exists()
    events.close()


def test_repair_looks_again_before_it_mends(data: Path, tmp_path: Path) -> None:
    """Two files are found damaged; while the first is given up the second is whole again and merged: nothing is lost of it."""
    (tmp_path / "none").mkdir()
    with opened(data) as place:
        assert isinstance(place.events, ParquetEvents)
        one, other, *_ = (place.events.path_of(file) for file in place.events.files("linux.auth"))
        hurt(one, "cut")
        whole = other.read_bytes()
        hurt(other, "cut")
        mended = Repair(place, place.events, Backups(tmp_path / "none"), "失われた").run()
        assert "given up" in next(mended)[0]
        other.write_bytes(whole)
        assert place.events.compact() == 9
        [(said, done)] = mended
        assert done and other.name in said and "merged or dropped meanwhile" in said
        assert place.events.count() == 900
        lost = counts.total_of(place.records.find(counts.KIND))
        assert list(lost.values()) == [100]


def test_a_bad_copy_of_a_part_without_a_hash_is_not_put_back(data: Path, tmp_path: Path) -> None:
    """Of a store of an earlier release, whose parts have no hash: a copy of that time has an unreadable one as it is, with
    its hash. Repair takes the whole one of the copy before; where none has it, it can be given up; and a new copy says it."""
    bad = _some(data)
    whole = bad.read_bytes()
    with sqlite3.connect(data / "events" / "manifest.sqlite") as database:
        database.execute("update file set sha256=''")
    database.close()
    for hour in (0, 1):
        Backups(tmp_path / "copies").make(data, FixedClock(NOW + timedelta(hours=hour)))
    bad.write_bytes(whole[:-200] + b"\xff" * 200)
    _as_copied(max((tmp_path / "copies").iterdir()), bad)
    options = ("store", "repair", "--data", str(data), "--folder", str(tmp_path / "copies"))
    assert "put back" in _run(*options).output and bad.read_bytes() == whole
    bad.write_bytes(whole[:-200] + b"\xff" * 200)
    _as_copied(min((tmp_path / "copies").iterdir()), bad)
    left = _run(*options)
    assert left.exit_code == 1 and "no copy has it" in left.output
    anew = Backups(tmp_path / "anew")
    [one] = anew.damaged(anew.make(data, FixedClock(NOW)))
    assert one.harm is Harm.UNREADABLE and not one.here
    assert "given up" in _run(*options, "--give-up", "失われた").output
    assert _with(data, lambda events: events.count()) == 900


def _as_copied(copy: Path, bad: Path) -> None:
    """The copy as an earlier release made it of a damaged file."""
    [held] = copy.rglob(bad.name)
    index = (copy / INDEX).read_text().replace(sum_of(held), sum_of(bad))
    held.unlink()  # a hard link to the other copy's
    held.write_bytes(bad.read_bytes())
    (copy / INDEX).write_text(index)
