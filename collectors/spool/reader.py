"""Reading one lane of the spool from another process, while it is written."""

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import structlog

from collectors.spool.block import decode
from collectors.spool.folder import keep_aside, read_uid, segment_path, segments
from collectors.spool.position import Position
from collectors.spool.scan import Found, SegmentScan
from hinomi.durable import sync_folder
from hinomi.identity import digest
from hinomi.ledger import Ledger

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Block:
    """Spooled messages, oldest first.

    frame: `origin`, `peer`, `client_id`, `event.id` String, `received` Datetime(ns, UTC), `payload` Binary;
    after: the position to commit with what becomes of them, and to read on from.
    """

    frame: pl.DataFrame
    after: str


@dataclass(slots=True)
class Reader:
    """One lane's reader. It keeps no place: the caller commits `Block.after` and hands it back."""

    folder: Path
    ledger: Ledger = field(default_factory=Ledger)
    _said: set[Position] = field(default_factory=set)

    def read(self, after: str | None, max_rows: int = 20_000) -> Block | None:
        """The next whole blocks, up to `max_rows` entries (one larger block is given whole); None if none.

        after: the position where an earlier read ended, or None for the oldest that is there. A position
        of a lane that was since deleted starts the new lane from its beginning.
        """
        uid = read_uid(self.folder)
        if uid is None:
            return None
        tables: list[pa.Table] = []
        starts: list[Position] = []
        rows, end = 0, _start(uid, after)
        with closing(self._found(end)) as blocks:
            for number, found in blocks:
                if tables and rows + found.count > max_rows:
                    break
                start, end = Position(uid, number, found.start), Position(uid, number, found.end)
                if found.body is not None:
                    tables.append(decode(found.body))
                    starts.append(start)
                    rows += found.count
        return Block(_frame(tables, starts), str(end)) if tables else None

    def trim(self, upto: str) -> int:
        """Remove the segments that lie whole before a committed position; how many were removed."""
        uid, position = read_uid(self.folder), Position.parse(upto)
        if uid != position.uid:
            return 0
        gone = [number for number in segments(self.folder) if number < position.segment]
        for number in gone:
            segment_path(self.folder, number).unlink(missing_ok=True)
        if gone:
            sync_folder(self.folder)
        return len(gone)

    def backlog(self, after: str | None) -> int:
        """Bytes that wait to be read after a position."""
        uid = read_uid(self.folder)
        if uid is None:
            return 0
        start, total = _start(uid, after), 0
        for number in segments(self.folder):
            if number >= start.segment:
                size = _size(segment_path(self.folder, number))
                total += max(0, size - start.offset) if number == start.segment else size
        return total

    def newest(self, size: int) -> str | None:
        """The position from which on about so many bytes are left to read: what was written last; None where nothing is."""
        uid = read_uid(self.folder)
        if uid is None:
            return None
        numbers, left = segments(self.folder), size
        for number in reversed(numbers):
            held = _size(segment_path(self.folder, number))
            if held >= left or number == numbers[0]:
                return str(self._block_at(Position(uid, number, max(0, held - left))))
            left -= held
        return None

    def _block_at(self, at: Position) -> Position:
        """The first block of a segment at or behind a place, or the last before its end."""
        start = 0
        with closing(self._found(Position(at.uid, at.segment, 0))) as blocks:
            for number, found in blocks:
                if number != at.segment:
                    break
                start = found.start
                if start >= at.offset:
                    break
        return Position(at.uid, at.segment, start)

    def _found(self, at: Position) -> Generator[tuple[int, Found]]:
        numbers = segments(self.folder)  # listed first: a listed successor says that a segment is closed
        for number in numbers:
            if number < at.segment:
                continue
            file = os.open(segment_path(self.folder, number), os.O_RDONLY)
            try:
                scan = SegmentScan(file, at.uid, closed=number != numbers[-1])
                for found in scan.blocks(at.offset if number == at.segment else 0):
                    if found.body is None:
                        self._say_damage(Position(at.uid, number, found.start), found, scan)
                    yield number, found
            finally:
                os.close(file)

    def _say_damage(self, at: Position, found: Found, scan: SegmentScan) -> None:
        if at in self._said:
            return
        self._said.add(at)
        damaged = bytes(scan.load(found.start, found.end - found.start))
        aside = keep_aside(self.folder, at.segment, at.offset, damaged)
        self.ledger.count("dropped", found.count, reason="spool_damaged")
        log.error("spool is damaged; the bytes are kept aside", bytes=len(damaged), kept=str(aside))


def _start(uid: str, after: str | None) -> Position:
    if after is not None and (position := Position.parse(after)).uid == uid:
        return position
    return Position(uid, 0, 0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _frame(tables: list[pa.Table], starts: list[Position]) -> pl.DataFrame:
    frame = pl.from_arrow(pa.concat_tables(tables), rechunk=True)
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(_event_ids(frame, [len(table) for table in tables], starts))


def _event_ids(frame: pl.DataFrame, counts: list[int], starts: list[Position]) -> pl.Series:
    """Ids by position: lane, segment, offset, row; by the client's own id where it gave one."""
    prefixes = pl.Series([start.id_prefix for start in starts], dtype=pl.String)
    blocks = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    rows = np.concatenate([np.arange(count, dtype=np.uint32) for count in counts])
    ids = (prefixes.gather(pl.Series(blocks)) + _hex(max(counts)).gather(pl.Series(rows))).alias("event.id")
    own = (frame["client_id"] != "").arg_true()
    if own.len() == 0:
        return ids
    picked = frame[own]
    named = [digest(*pair) for pair in zip(picked["origin"], picked["client_id"], strict=True)]
    return ids.scatter(own, pl.Series(named, dtype=pl.String))


_hex_numbers = pl.Series("hex", [f"{row:x}" for row in range(4096)], dtype=pl.String)


def _hex(n: int) -> pl.Series:
    """At least n numbers in hex, from zero; kept for the next call."""
    global _hex_numbers
    if len(_hex_numbers) < n:
        numbers = range(max(n, 2 * len(_hex_numbers)))
        _hex_numbers = pl.Series("hex", [f"{row:x}" for row in numbers], dtype=pl.String)
    return _hex_numbers
