"""Followed files and dropped files: every line once, through rotation, truncation and restarts."""

import asyncio
import bz2
import errno
import gzip
import io
import json
import lzma
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from collectors.transports import archive, files, whole_file
from collectors.transports import place as places
from collectors.transports.packed import Packed, TooLarge
from collectors.transports.place import Place
from collectors.transports.tail import Tail
from collectors.transports.whole_file import WholeFile
from hinomi.identity import digest
from tests.collectors.transports.intake import MIB, Running, intake
from tests.shared import corpus


def tail_of(folder: Path, name: str = "access.log") -> Tail:
    return Tail(folder / name, folder / "record.place", 16 * MIB, settle=0.0)


def drain(tail: Tail, seen: dict[str, bytes] | None = None) -> list[bytes]:
    """Everything there is now; a line must never come again under another id."""
    found: list[bytes] = []
    for _ in range(200):
        chunk = tail.next()
        if chunk is not None:
            tail.commit(chunk)
            found += chunk.lines
            if seen is not None:
                seen.update(zip(chunk.ids, chunk.lines, strict=True))
        elif (
            tail.next() is None and tail.next() is None
        ):  # after a rotation the next file needs a look of its own
            break
    return found


def append(path: Path, *lines: str, end: str = "\n") -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write("".join(line + end for line in lines))


def test_lines_are_given_when_they_are_whole(tmp_path: Path) -> None:
    """A file that does not exist yet, a half line, its other half; CR LF is taken off."""
    tail, path = tail_of(tmp_path), tmp_path / "access.log"
    assert drain(tail) == []
    append(path, "one", "two\r", "hal")
    path.write_bytes(path.read_bytes()[:-1])
    assert drain(tail) == [b"one", b"two"]
    append(path, "f", "\n", "three")
    assert drain(tail) == [b"half", b"three"]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_followed_file_may_be_utf_16(tmp_path: Path, codec: str) -> None:
    """As Windows programs write it: told by its mark, read in pieces that may end within a character or a line's end, also after
    a restart; \u0a00 and \u0100 next to each other hold a line's end that is none."""
    path, seen = tmp_path / "access.log", dict[str, bytes]()
    lines = ["山田がサインインした", "\u0a00\u0a0a\u0100\u0a00", "", "x" * 5, "𠮷野"]
    data = "\ufeff".encode(codec) + "".join(line + "\r\n" for line in lines).encode(codec)
    path.touch()
    for at in range(0, len(data), 7):
        with path.open("ab") as file:
            file.write(data[at : at + 7])
        tail = tail_of(tmp_path)
        drain(tail, seen)
        tail.save()
        tail.close()
    assert [line.decode() for line in seen.values()] == [line for line in lines if line]


@pytest.mark.parametrize("end", [b"\n", b"\n\0"], ids=["its other half comes later", "whole"])
def test_a_place_within_a_character_moves_up_to_the_next(tmp_path: Path, end: bytes) -> None:
    """Versions that knew no UTF-16 took the byte 0x0A for a line's end: their place in a little-endian file stands between the
    halves of the line's end, and the file is read on from there."""
    path, before = tmp_path / "access.log", "\ufeffold\r".encode("utf-16-le")
    path.write_bytes(before + end)
    place = Place("uid", 1, path.stat().st_ino, (before + b"\n").hex(), len(before) + 1)
    places.save(tmp_path / "record.place", place)
    tail = tail_of(tmp_path)
    assert drain(tail) == []
    assert tail.place.generation == 1, "it is no other file"
    with path.open("ab") as file:
        file.write(b"\n\0"[len(end) :] + "山田\r\n次\r\n".encode("utf-16-le"))
    assert [line.decode() for line in drain(tail)] == ["山田", "次"]


def test_a_last_line_over_an_odd_limit_is_cut_between_characters(tmp_path: Path) -> None:
    """The rest of a renamed UTF-16 file comes in pieces of whole characters, whatever the limit is."""
    path, tail = tmp_path / "access.log", tail_of(tmp_path)
    path.write_bytes("\ufeffold\r\n".encode("utf-16-le"))
    assert drain(tail) == [b"old"]
    with path.open("ab") as file:
        file.write("山田太郎".encode("utf-16-le"))
    path.rename(tmp_path / "access.log.1")
    path.touch()
    tail.limit = 5
    assert [line.decode() for line in drain(tail)] == ["山田", "太郎"]


def test_rotation_by_renaming_loses_nothing(tmp_path: Path) -> None:
    """Lines written to the old file after it was renamed, its last line without end, then the new file."""
    tail, path = tail_of(tmp_path), tmp_path / "access.log"
    append(path, "old 1")
    assert drain(tail) == [b"old 1"]
    path.rename(tmp_path / "access.log.1")
    append(tmp_path / "access.log.1", "old 2")
    append(tmp_path / "access.log.1", "old 3", end="")
    append(path, "new 1")
    assert drain(tail) == [b"old 2", b"old 3", b"new 1"]


def test_rotation_by_copy_and_truncate_loses_nothing(tmp_path: Path) -> None:
    """What was not read before the truncation is found in the copy."""
    tail, path = tail_of(tmp_path), tmp_path / "access.log"
    append(path, "old 1")
    assert drain(tail) == [b"old 1"]
    append(path, "old 2", "old 3")
    shutil.copy(path, tmp_path / "access.log.1")
    os.truncate(path, 0)
    append(path, "new 1")
    assert drain(tail) == [b"old 2", b"old 3", b"new 1"]


def test_truncation_without_a_copy_starts_anew_and_is_said(tmp_path: Path) -> None:
    """The same first line after the truncation has another id: the store does not take it for the old one."""
    tail, path = tail_of(tmp_path), tmp_path / "access.log"
    seen: dict[str, bytes] = {}
    append(path, "time,user", "1,a")
    drain(tail, seen)
    os.truncate(path, 0)
    append(path, "time,user")
    chunk = tail.next()
    assert chunk is not None
    assert (chunk.lines, chunk.lost) == ([b"time,user"], "file_truncated")
    assert not set(chunk.ids) & set(seen)


def test_a_file_that_was_truncated_and_grew_again_is_noticed(tmp_path: Path) -> None:
    """Between two looks the file became another one, longer than before: its beginning tells."""
    tail, path = tail_of(tmp_path), tmp_path / "access.log"
    append(path, "old 1", "old 2")
    drain(tail)
    os.truncate(path, 0)
    append(path, *(f"new {n}" for n in range(50)))
    assert drain(tail) == [b"new %d" % n for n in range(50)]


@pytest.mark.parametrize("rotations", [0, 1, 2, 3])
def test_a_restart_goes_on_where_it_was(tmp_path: Path, rotations: int) -> None:
    """While nobody reads, the log grows and is rotated up to three times; every line comes once."""
    path = tmp_path / "access.log"
    before = tail_of(tmp_path)
    append(path, "line 0", "line 1")
    assert drain(before) == [b"line 0", b"line 1"]
    before.save()
    before.close()
    expected = []
    for n in range(2, 3 + rotations):
        append(path, f"line {n}")
        os.utime(path, ns=(n * 10**9, n * 10**9))
        expected.append(b"line %d" % n)
        if n < 2 + rotations:
            for old in range(3, 0, -1):
                if (tmp_path / f"access.log.{old}").exists():
                    (tmp_path / f"access.log.{old}").rename(tmp_path / f"access.log.{old + 1}")
            path.rename(tmp_path / "access.log.1")
    assert drain(tail_of(tmp_path)) == expected


def test_a_restart_with_an_old_record_gives_the_same_ids_again(tmp_path: Path) -> None:
    """After kill -9 the record lags behind: lines come again, under ids that the store knows."""
    path = tmp_path / "access.log"
    append(path, *(f"line {n}" for n in range(10)))
    first, again = dict[str, bytes](), dict[str, bytes]()
    tail = tail_of(tmp_path)
    drain(tail, first)  # the record was written before the first line was read, and not since
    tail.close()
    append(path, "line 10")
    drain(tail_of(tmp_path), again)
    assert again.items() >= first.items()
    assert list(again.values()) == [b"line %d" % n for n in range(11)]


def test_random_rotations_and_restarts_give_every_line_once(tmp_path: Path) -> None:
    """Many random histories of a log: appended, rotated, read, killed. By id, each line is there once."""
    for seed in range(20):
        rng, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir()
        path, tail, seen = folder / "access.log", tail_of(folder), dict[str, bytes]()
        append(path, f"{seed} line 0")
        os.utime(path, ns=(10**9, 10**9))
        drain(tail, seen)
        written, stamp = 1, 1
        for _ in range(40):
            match rng.randrange(5):
                case 0 | 1:
                    count = rng.randrange(1, 5)
                    append(path, *(f"{seed} line {written + n}" for n in range(count)))
                    written, stamp = written + count, stamp + 1
                    os.utime(path, ns=(stamp * 10**9, stamp * 10**9))
                case 2 if path.exists() and path.stat().st_size:
                    path.rename(folder / f"access.log-{stamp:04d}")
                case 3:
                    drain(tail, seen)
                case 4:
                    tail.close()
                    tail = tail_of(folder)
        append(path, "last")
        drain(tail, seen)
        tail.close()
        expected = [b"%d line %d" % (seed, n) for n in range(written)] + [b"last"]
        assert sorted(seen.values()) == sorted(expected), seed


def test_a_line_over_the_limit_comes_in_pieces(tmp_path: Path) -> None:
    """A 20 MB line neither blocks the file nor fills the memory."""
    path = tmp_path / "access.log"
    path.write_bytes(b"a" * (20 * MIB) + b"\nafter\n")
    lines = drain(tail_of(tmp_path))
    assert [len(line) for line in lines] == [16 * MIB, 4 * MIB, 5]


def test_a_followed_file_reaches_the_spool_with_its_identity(tmp_path: Path) -> None:
    """Origin, path, client ids; after a restart of the whole intake nothing is doubled."""
    path = tmp_path / "access.log"
    append(path, "一行目")

    async def work() -> list[dict[str, Any]]:
        async with intake(tmp_path / "spool", squid={"kind": "file", "path": path}) as running:
            return await running.until_spooled(2 if len(path.read_text("utf-8").split()) > 1 else 1)

    first = asyncio.run(work())
    assert (first[0]["origin"], first[0]["peer"]) == ("squid", str(path))
    assert first[0]["event.id"] == digest("squid", first[0]["client_id"])
    append(path, "二行目")
    second = asyncio.run(work())
    assert [row["payload"].decode() for row in second] == ["一行目", "二行目"]


async def dropped(running: Running, folder: Path, name: str, content: bytes) -> None:
    (folder / f".{name}").write_bytes(content)
    (folder / f".{name}").rename(folder / name)
    await running.until(lambda: not (folder / name).exists())


def test_dropped_files_are_read_once_and_moved(tmp_path: Path) -> None:
    """CSV in CP932 as bytes, a quoted value over two lines, JSON lines, gzip, UTF-16; unfinished ones wait."""
    folder = tmp_path / "drop"

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            csv = '操作日時,職員ID\r\n2026-11-20,"山田\n太郎"\r\n'.encode("cp932")
            await dropped(running, folder, "a.csv", csv)
            await dropped(running, folder, "b.jsonl", b'\xef\xbb\xbf{"n":1}\n\n{"n":2}')
            await dropped(running, folder, "c.log.gz", gzip.compress(b"packed\n"))
            await dropped(running, folder, "d.csv", "日本語,列\r\n".encode("utf-16"))
            (folder / "e.csv.part").write_bytes(b"not finished")
            assert running.payloads() == [
                "操作日時,職員ID".encode("cp932"),
                '2026-11-20,"山田\n太郎"'.encode("cp932"),
                b'{"n":1}',
                b'{"n":2}',
                b"packed",
                "日本語,列".encode(),
            ]
            before = [row["event.id"] for row in running.rows]
            await dropped(running, folder, "b.jsonl", b'\xef\xbb\xbf{"n":1}\n\n{"n":2}')
            assert [row["event.id"] for row in running.spooled()][6:] == before[2:4]
            names = sorted(path.name for path in (folder / "done").iterdir())
            assert names == ["a.csv", "b-2.jsonl", "b.jsonl", "c.log.gz", "d.csv"]
            assert (folder / "e.csv.part").exists()

    asyncio.run(work())


def test_a_broken_dropped_file_is_set_aside_and_the_next_is_read(tmp_path: Path) -> None:
    """Half a gzip goes to `failed`, counted; the file after it is read."""
    folder = tmp_path / "drop"

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "broken.gz", gzip.compress(os.urandom(5000))[:2000])
            await dropped(running, folder, "good.log", b"good\n")
            assert running.payloads()[-1] == b"good"
            assert running.counted("dropped", "unreadable_file", "city") == 1
            assert (folder / "failed" / "broken.gz").exists()

    asyncio.run(work())


def zipped(files: dict[str, bytes], way: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", way) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return packed.getvalue()


def test_a_zip_is_its_files_one_after_the_other(tmp_path: Path) -> None:
    """Each in its own form, as if it had been dropped alone, under the archive's name and its own; names that lead elsewhere lead
    nowhere; the same archive dropped again has the same ids."""
    folder = tmp_path / "drop"
    data = zipped(
        {
            "../../etc/a.log": b"Nov 20 03:14:05 sv01 sshd[1]: x\n",
            "t/b.csv": '職員ID,名前\r\n1,"山田\n太郎"\r\n'.encode("cp932"),
            "c.log.gz": gzip.compress(b"packed\n"),
            "__MACOSX/._b.csv": b"\0\0",
            "d.json": b'[{"n":1},{"n":2}]',
            "e.txt": "列".encode("utf-16"),
            "t/": b"",
        }
    )

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "logs.zip", data)
            rows = running.spooled()
            assert [(row["peer"], row["payload"]) for row in rows] == [
                ("logs.zip/../../etc/a.log", b"Nov 20 03:14:05 sv01 sshd[1]: x"),
                ("logs.zip/t/b.csv", "職員ID,名前".encode("cp932")),
                ("logs.zip/t/b.csv", '1,"山田\n太郎"'.encode("cp932")),
                ("logs.zip/c.log.gz", b"packed"),
                ("logs.zip/d.json", b'{"n":1}'),
                ("logs.zip/d.json", b'{"n":2}'),
                ("logs.zip/e.txt", "列".encode()),
            ]
            assert [path.name for path in (folder / "done").iterdir()] == ["logs.zip"]
            await dropped(running, folder, "logs.zip", data)
            ids = [row["event.id"] for row in running.spooled()]
            assert len(ids) == 14 and ids[7:] == ids[:7]

    asyncio.run(work())


def _encrypted() -> bytes:
    """The flag of an encrypted file (APPNOTE 4.4.4) in both of its headers."""
    data = bytearray(zipped({"a.log": b"one\n"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _damaged(way: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = bytearray(zipped({"a.log": os.urandom(9_000)}, way))
    data[4_000:4_100] = b"x" * 100
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped({"[Content_Types].xml": b"<Types/>", "xl/a.xml": b"<a/>"}), "XLSX"),
        (zipped({"b.log": b"one\n", "a.zip": zipped({"x": b"y"})}), r"a\.zip: ZIP"),
        (_encrypted(), "暗号化"),
        (_damaged(), "壊れて"),
        (zipped({"a.log": b"one\n"})[:-30], "壊れて"),
        (zipped({}), "ファイルがありません"),
        (zipped({"a.log": b"0" * 1_000_000}, zipfile.ZIP_BZIP2), "圧縮方式 bzip2 は読めません"),
        (_damaged(zipfile.ZIP_LZMA), "圧縮方式 LZMA は読めません"),
    ],
    ids=["table", "inside one another", "encrypted", "damaged", "cut", "empty", "bzip2", "LZMA"],
)
def test_a_zip_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, why: str) -> None:
    """What its bytes are taken for is never lines."""
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(Packed, match=why):
        [record for chunk in WholeFile(tmp_path / "a.zip", MIB).chunks() for record in chunk]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one of size, by what it says, nor one of a great many files; and one whose sizes lie gives no more than they say."""
    monkeypatch.setattr(archive, "_FREE", 100_000)
    (tmp_path / "a.zip").write_bytes(zipped({"a.log": b"a" * 9_000_000}))
    with pytest.raises(TooLarge):
        next(WholeFile(tmp_path / "a.zip", MIB).chunks())
    (tmp_path / "b.zip").write_bytes(zipped({f"{n}.log": b"" for n in range(1_100)}))
    with pytest.raises(TooLarge):
        next(WholeFile(tmp_path / "b.zip", MIB).chunks())
    data = bytearray(zipped({"a.log": b"a" * 9_000_000}))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = (5_000).to_bytes(4, "little")
    (tmp_path / "c.zip").write_bytes(data)
    with pytest.raises(Packed):
        list(WholeFile(tmp_path / "c.zip", MIB).chunks())


def test_a_container_is_no_log(tmp_path: Path) -> None:
    """It goes to `failed`, counted and with what to do; a gzip that is damaged within, too; the file behind them is read."""
    folder = tmp_path / "drop"
    torn = bytearray(gzip.compress(os.urandom(9_000), compresslevel=0))
    torn[10:14] = b"\xff" * 4

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "logs.zip", _encrypted())
            await dropped(running, folder, "a.7z", b"7z\xbc\xaf\x27\x1c" + b"x" * 50)
            await dropped(running, folder, "torn.gz", bytes(torn))
            await dropped(running, folder, "good.log", b"good\n")
            assert running.payloads() == [b"good"]
            assert running.counted("dropped", "packed_file", "city") == 2
            assert {path.name for path in (folder / "failed").iterdir()} == {"logs.zip", "a.7z", "torn.gz"}

    asyncio.run(work())


def test_whatever_a_file_fails_at_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's error that nobody foresaw: its file goes to `failed`, once, and the next is read."""
    folder, whole = tmp_path / "drop", WholeFile.chunks

    def touchy(self: WholeFile) -> Iterator[list[bytes]]:
        if self.path.name == "bad.log":
            yield [b"begun"]
            raise lzma.LZMAError("Corrupt input data")
        yield from whole(self)

    monkeypatch.setattr(WholeFile, "chunks", touchy)

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "bad.log", b"x\n")
            await dropped(running, folder, "good.log", b"good\n")
            assert running.payloads() == [b"begun", b"good"]
            assert running.counted("dropped", "unreadable_file", "city") == 1
            assert (folder / "failed" / "bad.log").exists()

    asyncio.run(work())


def test_a_file_that_a_full_disk_cannot_unpack_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays where it was dropped, the doctor is told, and it is read once there is room; nothing is counted as lost."""
    folder, copied, full = tmp_path / "drop", archive._copy, [OSError(errno.ENOSPC, "full")] * 2
    seen: list[str] = []

    def copy(*given: Any) -> None:
        if full:
            raise full.pop()
        seen.append("room")
        copied(*given)

    monkeypatch.setattr(archive, "_copy", copy)
    monkeypatch.setattr(files, "_ROOM_SECONDS", 0.01)

    async def work() -> None:
        async with intake(tmp_path / "spool", city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "a.zip", zipped({"a.log": b"one\n"}))
            assert running.payloads() == [b"one"] and seen == ["room"]
            assert (folder / "done" / "a.zip").exists() and not any((folder / "failed").iterdir())
            assert running.counted("dropped", "unreadable_file", "city") == 0

    asyncio.run(work())


def test_a_zip_is_unpacked_beside_the_listener_s_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of temporary files may be memory; what a process that was killed left there is removed at the next start."""
    folder, spool, lay = tmp_path / "drop", tmp_path / "spool", list[Path]()
    given = archive.files

    def seen(path: Path, *within: Path) -> Iterator[tuple[str, Path]]:
        for name, lies in given(path, *within):
            lay.append(lies)
            yield name, lies

    monkeypatch.setattr(archive, "files", seen)

    async def work() -> None:
        async with intake(spool, city={"kind": "folder", "path": folder}) as running:
            await dropped(running, folder, "a.zip", zipped({"a.log": b"one\n"}))
            assert running.payloads()[-1] == b"one"

    asyncio.run(work())
    assert spool in lay[0].parents and not lay[0].exists()
    lay[0].parent.mkdir()
    lay[0].write_bytes(b"left by a process that was killed")
    asyncio.run(work())
    assert len(lay) == 2 and not lay[0].exists()


@pytest.mark.parametrize("level", range(1, 10))
def test_bzip2_of_every_level_is_a_container(tmp_path: Path, level: int) -> None:
    """Its first bytes tell the level: none of them makes lines of what follows."""
    packed = tmp_path / "a.log.bz2"
    packed.write_bytes(bz2.compress(b"Nov 20 03:14:05 sv01 sshd[1]: x\n" * 9, level))
    with pytest.raises(Packed, match="bzip2"):
        list(WholeFile(packed, 1 << 20).chunks())


def test_lines_that_begin_as_bzip2_are_lines(tmp_path: Path) -> None:
    """Three letters are no container."""
    text = tmp_path / "a.log"
    text.write_bytes(b"BZh9 logged in\nBZhA1AY&SY\n")
    assert list(WholeFile(text, 1 << 20).chunks()) == [[b"BZh9 logged in", b"BZhA1AY&SY"]]


def test_evtx_becomes_one_json_document_a_record(tmp_path: Path) -> None:
    """A Windows event file is read record by record; what is damaged is counted, not fatal."""
    path = min(corpus("evtx").rglob("*.evtx"), key=lambda found: (found.stat().st_size, found))
    records = [record for chunk in WholeFile(path, MIB).chunks() for record in chunk]
    assert records
    assert all("Event" in json.loads(record) for record in records)
    data = bytearray(path.read_bytes())
    data[4096 + 512 + 24 : 4096 + 512 + 400] = b"\xff" * 376  # inside the first chunk's first record
    (tmp_path / "damaged.evtx").write_bytes(data)
    file = WholeFile(tmp_path / "damaged.evtx", MIB)
    assert sum(len(chunk) for chunk in file.chunks()) < len(records)
    assert file.damaged >= 1


def test_relative_paths_are_refused_in_words(tmp_path: Path) -> None:
    """A path that depends on where the process was started is an error that names the key."""

    async def work() -> None:
        async with intake(tmp_path, f={"kind": "file", "path": "x.log"}) as running:
            assert "絶対パス" in running.health.listeners["f"].problem

    asyncio.run(work())


def test_what_a_dropped_file_holds_in_one_piece_comes_as_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A JSON array, CloudTrail's object around many records and a pretty-printed document: one record each, however
    long the whole is; a record beyond the limit is cut and counted."""
    records = [{"n": n, "text": "x" * 400} for n in range(40)]
    (tmp_path / "array.json").write_bytes(orjson.dumps(records, option=orjson.OPT_INDENT_2))
    (tmp_path / "trail.json").write_bytes(orjson.dumps({"Records": records}))
    (tmp_path / "trail.json.gz").write_bytes(gzip.compress(orjson.dumps({"Records": records})))
    for name in ("array.json", "trail.json", "trail.json.gz"):
        file = WholeFile(tmp_path / name, 4_096)
        found = [orjson.loads(record) for chunk in file.chunks() for record in chunk]
        assert (found, file.cut) == (records, 0), name
    monkeypatch.setattr(whole_file, "_MOST_WHOLE", 9_000)  # only what must be read as one is bound by it
    lines = b"".join(orjson.dumps({"Records": [one]}) + b"\n" for one in records)
    (tmp_path / "lines.json").write_bytes(lines)
    found = [
        orjson.loads(one) for chunk in WholeFile(tmp_path / "lines.json", 4_096).chunks() for one in chunk
    ]
    assert found == records
    with pytest.raises(TooLarge):
        list(WholeFile(tmp_path / "array.json", 4_096).chunks())
    monkeypatch.undo()
    short = WholeFile(tmp_path / "array.json", 100)
    assert all(len(record) == 100 for chunk in short.chunks() for record in chunk)
    assert short.cut == 40
