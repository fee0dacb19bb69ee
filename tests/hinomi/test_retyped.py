"""A store of an earlier release, which kept a vendor's field as lists where a batch had any."""

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import polars as pl
import pytest

from hinomi.batch import Batch
from hinomi.errors import PartDamaged, StoreError
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from hinomi.store.embedded.integrity import Integrity
from hinomi.store.embedded.segments import Segments
from ops.doctor import room
from ops.doctor.finding import Patient, State
from ops.rundir import RunDir
from ops.settings import Settings
from tests.contract.test_events import batch

_FORTIGATE = "fortinet.fortigate"


def _old(folder: Path, *tags: list[list[str]] | list[str | None]) -> None:
    """Two events a file, each file with its own kind of `vendor.tags`."""
    store = ParquetEvents(folder, may_retype=lambda: False)
    for number, values in enumerate(tags):
        whole = batch(n=2, first=2 * number)
        store.append([Batch(whole.dataset, whole.frame.with_columns(pl.Series("vendor.tags", values)))])
    store.close()


def _tags(store: ParquetEvents) -> list[object]:
    rows = store.search("vendor.tags: (b or c or d or f)", oldest_first=True).rows
    return [row["vendor.tags"] for row in rows]


def test_lists_of_an_earlier_release_are_read_with_what_comes_now(tmp_path: Path) -> None:
    """Files of both kinds are asked in one question; the new file has a hash, and the store is not written anew again."""
    _old(tmp_path, [["a", "b"], ["c"]], ["d", None])
    renewed = ParquetEvents(tmp_path)
    assert _tags(renewed) == [["a", "b"], "c", "d"]
    assert renewed.fields()["vendor.tags"] == "keyword"
    files = renewed.files(_FORTIGATE)
    assert [harm for _, harm in renewed.integrity.verified()] == [None, None]
    renewed.close()
    again = ParquetEvents(tmp_path)
    assert again.files(_FORTIGATE) == files
    again.close()


def test_names_of_duckdb_in_files_of_an_earlier_release(tmp_path: Path) -> None:
    """A file that holds `filename` is read as it is; `file_row_number`, which ended every search, is written anew, once."""
    whole = batch(n=2).frame
    names = ("filename", "File_Row_Number")
    old = ParquetEvents(tmp_path)
    old.append([Batch("acme.app", whole.with_columns(pl.lit("x").alias(name) for name in names))])
    old.append([batch(n=2, first=2)])
    with pytest.raises(StoreError):
        old.search()
    old.close()
    renewed = ParquetEvents(tmp_path)
    assert renewed.search("filename: x").total == renewed.count("File_Row_Number\u2400: x") == 2
    assert renewed.count("not filename: *") == 2 and renewed.of_earlier_release() == {}
    files = renewed.files("acme.app")
    renewed.close()
    again = ParquetEvents(tmp_path)
    assert again.files("acme.app") == files and again.fields()["filename"] == "keyword"
    again.close()


@pytest.mark.parametrize("reopened", [False, True])
def test_a_damaged_file_of_lists_is_written_anew_once_it_is_put_back(
    tmp_path: Path, *, reopened: bool
) -> None:
    """At the upgrade it is passed over. Put back from a copy, by the store or by hand before it opens, it is asked with the
    others, and none of them is called damaged."""
    _old(tmp_path / "store", [["a", "b"], ["c"]], ["d", None], [["e"], ["f", "g"]])
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    copy = next(
        path
        for path in (tmp_path / "copy").rglob("*.parquet")
        if isinstance(pl.read_parquet_schema(path)["vendor.tags"], pl.List)
    )
    bad = tmp_path / "store" / copy.relative_to(tmp_path / "copy")
    bad.write_bytes(bad.read_bytes()[:-300])
    store = ParquetEvents(tmp_path / "store")
    with pytest.raises(PartDamaged):
        _tags(store)
    [lost] = [file for file in store.files(_FORTIGATE) if store.path_of(file) == bad]
    if reopened:
        store.close()
        shutil.copyfile(copy, bad)
        store = ParquetEvents(tmp_path / "store")
    else:
        store.mending.put_back(lost, copy)
    assert _tags(store) == [["a", "b"], "c", "d", ["f", "g"]]
    assert [harm for _, harm in store.integrity.verified()] == [None, None, None]
    store.close()


def test_a_file_that_is_whole_is_not_called_damaged(tmp_path: Path) -> None:
    """A question may fail by what two files are together, and DuckDB names one of them: nobody is sent to repair it."""
    store = ParquetEvents(tmp_path)
    store.append([batch()])
    [file] = store.files(_FORTIGATE)
    path = store.path_of(file)
    assert store.integrity.culprit(f"Binder Error: schema mismatch in {path}", [str(path)]) is None
    path.write_bytes(path.read_bytes()[:-300])
    assert isinstance(store.integrity.culprit(f"Error in {path}", [str(path)]), PartDamaged)
    store.close()


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_store_opens_though_its_files_cannot_be_written_anew(tmp_path: Path) -> None:
    """The system takes no more bytes (here: of one file). What does not touch the lists is answered, nothing half written
    stays, and the next opening does it."""
    random = Random(1)  # hardly to be compressed
    _old(tmp_path, [[random.randbytes(100_000).hex()], [random.randbytes(100_000).hex()]], ["d", None])
    before = sorted(tmp_path.rglob("*.parquet"))
    with _files_of_at_most(150_000):
        store = ParquetEvents(tmp_path)
        assert store.count() == 4 and sorted(tmp_path.rglob("*.parquet")) == before
        with pytest.raises(StoreError, match="以前の版の形のまま残っているファイルが 1 個") as caught:
            _tags(store)
        assert "Binder" not in str(caught.value) and "VARCHAR" not in str(caught.value)
        assert store.of_earlier_release() == {_FORTIGATE: 1}
        patient = Patient(
            tmp_path, Settings(), store, SqliteRecords(tmp_path / "r.sqlite"), RunDir.of(tmp_path)
        )
        told = [check for check in room.store(patient) if check.state is State.BAD]
        assert len(told) == 1 and told[0].said.ja.startswith(f"{_FORTIGATE}: 1 個のファイルが以前の版の形")
        store.close()
    store = ParquetEvents(tmp_path)
    assert store.of_earlier_release() == {}
    assert _tags(store) == ["d"] and len(store.search("vendor.tags: *").rows) == 3
    store.close()


def test_the_disk_need_not_hold_all_files_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each replaced file goes before the next is written; while somebody reads page by page they stay."""
    held, written_anew = list[int](), Segments.written_anew

    def counted(self: Segments, *files: object) -> bool:
        held.append(len(list(tmp_path.rglob("*.parquet"))))
        return written_anew(self, *files)  # type: ignore[arg-type]

    monkeypatch.setattr(Segments, "written_anew", counted)
    _old(tmp_path, *[[["a", "b"], ["c"]]] * 4)
    ParquetEvents(tmp_path).close()
    assert held == [4, 4, 4, 4] and len(list(tmp_path.rglob("*.parquet"))) == 4


def test_files_whose_footer_names_no_lists_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a store of many years few files may have any: the others' footers are looked at once."""
    read, harm = list[str](), Integrity.harm

    def counted(self: Integrity, file: object, *, whole: bool) -> object:
        read.append(str(file))
        return harm(self, file, whole=whole)  # type: ignore[arg-type]

    monkeypatch.setattr(Integrity, "harm", counted)
    _old(tmp_path, ["a", None], [["b"], ["c"]], ["d", None])
    _kind(tmp_path, "keyword[]")
    ParquetEvents(tmp_path).close()
    assert len(read) == 1
    ParquetEvents(tmp_path).close()
    assert len(read) == 1


def _kind(folder: Path, kind: str) -> None:
    with sqlite3.connect(folder / "manifest.sqlite") as database:
        database.execute("update field set kind = ? where name = 'vendor.tags'", (kind,))
    database.close()


def test_beside_a_process_of_the_earlier_release_lists_stay(tmp_path: Path) -> None:
    """It goes on writing lists: files of text among them could be asked by neither."""
    _old(tmp_path, [["a", "b"], ["c"]])
    before = sorted(tmp_path.rglob("*.parquet"))
    store = ParquetEvents(tmp_path, may_retype=lambda: False)
    assert sorted(tmp_path.rglob("*.parquet")) == before and store.fields()["vendor.tags"] == "keyword[]"
    assert _tags(store) == [["a", "b"], ["c"]]
    store.close()


def test_names_that_an_earlier_release_kept_with_a_nul(tmp_path: Path) -> None:
    """The record is shown whole; before, no page that held it could be."""
    frame = batch(n=1).frame.with_columns(pl.lit("1").alias("vendor.a\0b"), pl.lit("2").alias("vendor.a"))
    events = ParquetEvents(tmp_path)
    events.append([Batch("acme.app", frame)])
    [row] = events.search().rows
    assert sorted(value for name, value in row.items() if name.startswith("vendor.a")) == ["1", "2"]
    events.close()
