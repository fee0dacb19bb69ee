"""The spool: what was acknowledged is read once, in order, under the same ids, whatever breaks after it."""

import asyncio
import errno
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.spool import Entries, Reader, Spool, lane_folders
from collectors.spool import lane as lane_module
from collectors.spool.folder import segment_path, segments
from collectors.spool.pace import Pace
from hinomi.errors import HinomiError, SpoolFull, StoreError
from hinomi.identity import digest
from hinomi.ledger import Ledger, Line

MIB = 1 << 20


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def entries(*texts: str, origin: str = "fw", ids: list[str] | None = None) -> Entries:
    return Entries(origin, "192.0.2.1", 1_795_000_000_000_000_000, [text.encode() for text in texts], ids)


async def spool_of(folder: Path, groups: list[Entries], **options: Any) -> None:
    """One block for each group."""
    spool = Spool(folder, max_bytes=options.pop("max_bytes", 64 * MIB), **options)
    for group in groups:
        await spool.append(group)
    await spool.close()


def read_all(reader: Reader, after: str | None = None, max_rows: int = 20_000) -> tuple[list[str], list[str]]:
    """(payloads, event ids) from a position to the end."""
    payloads: list[str] = []
    ids: list[str] = []
    while block := reader.read(after, max_rows):
        after = block.after
        payloads += [raw.decode() for raw in block.frame["payload"].to_list()]
        ids += block.frame["event.id"].to_list()
    return payloads, ids


def test_entries_come_back_whole_and_in_order(tmp_path: Path) -> None:
    """Origin, peer, time, bytes and the client's ids survive; a position reads on where it ended."""
    blob = bytes(range(256))

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=64 * MIB)
        await spool.append(Entries("fw", "192.0.2.1", 1_795_000_000_123_456_789, [blob, b"two"]))
        await spool.append(Entries("fw", "10.0.0.1", 1_795_000_000_000_000_001, [b"three"], ["id-3"]))
        await spool.close()

    run(write())
    reader = Reader(tmp_path / "lane-0")
    first = reader.read(None, max_rows=1)
    assert first is not None
    assert first.frame["payload"].to_list() == [blob, b"two"]
    assert first.frame["received"].dt.timestamp("ns").to_list() == [1_795_000_000_123_456_789] * 2
    second = reader.read(first.after)
    assert second is not None
    assert second.frame.select("origin", "peer", "client_id", "payload").rows() == [
        ("fw", "10.0.0.1", "id-3", b"three")
    ]
    assert second.frame["event.id"].to_list() == [digest("fw", "id-3")]
    assert reader.read(second.after) is None
    assert first.after < second.after


def test_ids_are_those_of_the_receipt_however_blocks_are_read(tmp_path: Path) -> None:
    """A replay that cuts the reading elsewhere gives every entry the same id, which its sender was told."""

    async def write() -> list[str]:
        spool = Spool(tmp_path, max_bytes=64 * MIB)
        groups = [entries(*(f"{group}-{row}" for row in range(group % 5 + 1))) for group in range(40)]
        receipts = await asyncio.gather(*(spool.append(group) for group in groups))
        await spool.close()
        pairs = zip(groups, receipts, strict=True)
        return [told.event_id(row) for group, told in pairs for row in range(len(group.payloads))]

    told = run(write())
    reader = Reader(tmp_path / "lane-0")
    everything = read_all(reader)
    assert everything == read_all(reader, max_rows=1)
    assert everything[1] == told
    assert len(set(told)) == len(told) == 120


def test_concurrent_writers_share_blocks(tmp_path: Path) -> None:
    """Group commit: 500 writers at once need far fewer fsyncs than 500."""

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=64 * MIB)
        await asyncio.gather(*(spool.append(entries(f"{n}")) for n in range(500)))
        await spool.close()

    run(write())
    _, ids = read_all(Reader(tmp_path / "lane-0"))
    assert len(ids) == 500
    assert len({one.rpartition("-")[0] for one in ids}) < 20


def test_a_source_stays_in_its_lane(tmp_path: Path) -> None:
    """Every origin's entries are in one lane; several lanes are used."""
    groups = [entries("x", origin=f"origin-{n}") for n in range(20)] * 2
    run(spool_of(tmp_path, groups, lanes=3))
    lanes = lane_folders(tmp_path)
    held = [set(block.frame["origin"]) for lane in lanes if (block := Reader(lane).read(None))]
    assert len(lanes) == len(held) == 3
    assert sum(map(len, held)) == len(set.union(*held)) == 20


def test_a_quiet_sender_does_not_wait_behind_a_loud_one(tmp_path: Path) -> None:
    """At one listener: what overflows 2,000 lines goes to the bulk lane, another address stays in the quick one; a minute
    without an overflow makes the loud one quiet again."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.quiet(("in", "192.0.2.1"), 1_999) and not pace.quiet(("in", "192.0.2.1"), 10)
    assert pace.quiet(("in", "192.0.2.9"), 5)
    now[0] = 59.0
    assert not pace.quiet(("in", "192.0.2.1"), 1)
    now[0] = 61.0
    assert pace.quiet(("in", "192.0.2.1"), 1)
    for _ in range(100):  # 190 a second for ever is quiet
        now[0] += 1
        assert pace.quiet(("in", "192.0.2.1"), 190)
    run(spool_of(tmp_path, [entries(*["x"] * 3_000, origin="fw"), entries("y", origin="sv")], quick=True))
    assert read_all(Reader(tmp_path / "lane-0"))[0] == ["x"] * 3_000
    assert read_all(Reader(tmp_path / "lane-1"))[0] == ["y"]


def test_full_spool_refuses_until_segments_are_trimmed(tmp_path: Path) -> None:
    """At its bound the spool raises SpoolFull and keeps its size; a reader's trim makes room again."""

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=MIB)
        written = 0
        with pytest.raises(SpoolFull):
            while True:
                await spool.append(Entries("fw", "", written, [os.urandom(60_000)]))
                written += 1
        assert 10 < written < 18
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.segment")) <= MIB
        reader = Reader(tmp_path / "lane-0")
        block = reader.read(None)
        assert block is not None
        assert len(block.frame) == written
        assert reader.trim(block.after) > 0
        await asyncio.sleep(0.15)  # the spool looks at the disk at most ten times a second
        await spool.append(entries("room again"))
        assert read_all(reader, block.after)[0] == ["room again"]
        await spool.close()

    run(write())


def test_a_reader_that_trims_never_meets_an_old_position_again(tmp_path: Path) -> None:
    """After everything was read and trimmed, a new run of the writer goes on behind the position."""
    run(spool_of(tmp_path, [entries("a"), entries("b")]))
    reader = Reader(tmp_path / "lane-0")
    block = reader.read(None)
    assert block is not None
    reader.trim(block.after)
    run(spool_of(tmp_path, [entries("c")]))
    assert read_all(reader, block.after)[0] == ["c"]
    assert reader.backlog(block.after) > 0


def test_a_spool_that_was_deleted_is_read_from_its_beginning(tmp_path: Path) -> None:
    """An old checkpoint does not hide a new spool, and ids are never given twice."""
    run(spool_of(tmp_path / "one", [entries("a")] * 3))
    after = Reader(tmp_path / "one" / "lane-0").read(None)
    run(spool_of(tmp_path / "two", [entries("b")]))
    assert after is not None
    payloads, ids = read_all(Reader(tmp_path / "two" / "lane-0"), after.after)
    assert payloads == ["b"]
    assert ids[0] not in after.frame["event.id"].to_list()


def test_two_writers_are_refused(tmp_path: Path) -> None:
    """A second process (here: a second opening) gets an error in words, not a damaged spool."""

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=MIB)
        with pytest.raises(HinomiError, match="別のプロセス"):
            Spool(tmp_path, max_bytes=MIB)
        await spool.close()

    run(write())


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, SpoolFull), (errno.EIO, StoreError)], ids=["full disk", "bad disk"]
)
def test_a_failed_fsync_acknowledges_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[HinomiError]
) -> None:
    """All who waited for the fsync are told; none of their entries is read; the next append works."""

    def fail(file: int) -> None:
        raise OSError(number, os.strerror(number))

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=MIB)
        await spool.append(entries("before"))
        with monkeypatch.context() as patch:
            patch.setattr(lane_module.os, "fdatasync", fail)
            results = await asyncio.gather(
                *(spool.append(entries(f"lost {n}")) for n in range(5)), return_exceptions=True
            )
        assert [type(result) for result in results] == [kind] * 5
        await spool.append(entries("after"))
        await spool.close()

    run(write())
    assert read_all(Reader(tmp_path / "lane-0"))[0] == ["before", "after"]


def test_a_cancelled_writer_does_not_harm_the_others(tmp_path: Path) -> None:
    """Who goes away while a block is written takes nobody's acknowledgement with them."""

    async def write() -> None:
        spool = Spool(tmp_path, max_bytes=MIB)
        gone = asyncio.create_task(spool.append(entries("gone")))
        stays = asyncio.create_task(spool.append(entries("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).event_id(0)
        await spool.close()
        with pytest.raises(StoreError):
            await spool.append(entries("too late"))

    run(write())
    assert "stays" in read_all(Reader(tmp_path / "lane-0"))[0]


def newest_bytes(folder: Path) -> tuple[Path, bytearray]:
    lane = folder / "lane-0"
    path = segment_path(lane, segments(lane)[-1])
    return path, bytearray(path.read_bytes())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 10_000),
    flips=st.lists(st.integers(0, 10_000), max_size=3),
    junk=st.binary(max_size=60),
)
def test_a_damaged_tail_never_costs_an_earlier_block(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flips: list[int], junk: bytes
) -> None:
    """Cut, flip and extend the last block at random: earlier blocks stay, nothing false is read."""
    folder = tmp_path_factory.mktemp("spool")
    texts = [f"block {n}" for n in range(6)]
    run(spool_of(folder, [entries(text) for text in texts]))
    lane = folder / "lane-0"
    last = Reader(lane).read(None)
    starts = [int(one.split("-")[2], 16) for one in (last.frame["event.id"] if last else [])]
    path, data = newest_bytes(folder)
    tail = starts[-1]
    for flip in flips:
        data[tail + flip % (len(data) - tail)] ^= 0x41
    path.write_bytes(bytes(data[: tail + cut % (len(data) - tail + 1)]) + junk)
    run(spool_of(folder, [entries("written after the crash")]))
    payloads, ids = read_all(Reader(lane))
    assert payloads[:5] == texts[:5]
    assert payloads[-1] == "written after the crash"
    assert payloads[5:-1] in ([], texts[5:])
    assert len(set(ids)) == len(ids)


def test_a_torn_end_is_cut_counted_and_kept_aside(tmp_path: Path) -> None:
    """Half a block after a power cut is said, and a person can still look at its bytes."""
    run(spool_of(tmp_path, [entries("whole"), entries("torn")]))
    path, data = newest_bytes(tmp_path)
    path.write_bytes(bytes(data[:-7]))
    ledger = Ledger()
    run(spool_of(tmp_path, [], ledger=ledger))
    assert ledger.counts[Line("truncated", "", "spool_torn_end")] == 1
    (aside,) = (tmp_path / "lane-0").glob("*.damaged")
    assert aside.read_bytes()[:7] == b"HINOMI\x01"
    assert read_all(Reader(tmp_path / "lane-0"))[0] == ["whole"]


@pytest.mark.parametrize("at", [3, 12, 21, 200], ids=["magic", "length", "checksum", "body"])
def test_damage_in_the_middle_is_skipped_counted_and_kept_aside(tmp_path: Path, at: int) -> None:
    """One rotten block costs its own entries and no other's, wherever in it the bit flipped."""
    run(spool_of(tmp_path, [entries("one"), entries("two", "too"), entries("three")]))
    path, data = newest_bytes(tmp_path)
    reader = Reader(tmp_path / "lane-0", Ledger())
    whole = reader.read(None)
    assert whole is not None
    data[int(whole.frame["event.id"][1].split("-")[2], 16) + at] ^= 1
    path.write_bytes(bytes(data))
    assert read_all(reader)[0] == ["one", "three"]
    assert read_all(reader)[0] == ["one", "three"]
    assert reader.ledger.counts[Line("dropped", "", "spool_damaged")] in {1, 2}
    assert len(list((tmp_path / "lane-0").glob("*.damaged"))) == 1


def test_a_log_line_cannot_forge_a_block(tmp_path: Path) -> None:
    """Bytes of another spool's valid block inside a payload are not read as a block, even after damage."""
    run(spool_of(tmp_path / "other", [entries("forged")]))
    forged = bytes(newest_bytes(tmp_path / "other")[1])
    noise = os.urandom(40_000)  # so that compression leaves the bytes as they are
    group = Entries("fw", "", 0, [noise + forged + noise])
    run(spool_of(tmp_path / "spool", [entries("one"), group, entries("three")]))
    path, data = newest_bytes(tmp_path / "spool")
    reader = Reader(tmp_path / "spool" / "lane-0")
    block = reader.read(None)
    assert block is not None
    data[int(block.frame["event.id"][1].split("-")[2], 16)] ^= 1
    path.write_bytes(bytes(data))
    assert read_all(reader)[0] == ["one", "three"]


def test_a_block_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    """A reader sees a growing block only when its last byte is there, and takes nothing for damage."""
    run(spool_of(tmp_path, [entries("one"), entries("two")]))
    path, data = newest_bytes(tmp_path)
    reader = Reader(tmp_path / "lane-0", Ledger())
    first = reader.read(None, max_rows=1)
    assert first is not None
    start = int(first.after.split("-")[2], 16)
    for end in range(start, len(data), 11):
        path.write_bytes(bytes(data[:end]))
        assert reader.read(first.after) is None
    path.write_bytes(bytes(data))
    assert read_all(reader, first.after)[0] == ["two"]
    assert not reader.ledger.counts
