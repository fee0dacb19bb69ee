"""Writing one lane of the spool. Synchronous: the caller runs it in a thread."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from collectors.spool.block import HEADER_BYTES, Entries, body_is_whole, encode, header_at, next_block
from collectors.spool.folder import keep_aside, make_uid, segment_path, segments
from collectors.spool.position import Position
from hinomi.durable import sync, sync_folder
from hinomi.errors import SpoolFull, StoreError
from hinomi.ledger import Ledger
from hinomi.named import why

log = structlog.get_logger()


@dataclass(slots=True)
class LaneWriter:
    """Appends blocks to the newest segment; each opening begins a new segment.

    A reader may have read a block that a power cut then took back. As no segment is ever continued, its
    place is never given to another block, and so no event id either.
    """

    folder: Path
    segment_bytes: int
    ledger: Ledger
    uid: str = ""
    _number: int = 0
    _file: int = -1
    _offset: int = 0
    _written: int = field(default=0)

    def open(self) -> None:
        """Make the folder where missing; cut a torn end off the newest segment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sync_folder(self.folder.parent)
        self.uid = make_uid(self.folder)
        numbers = segments(self.folder)
        self._number = numbers[-1] if numbers else 0
        if numbers:
            self._cut_torn_end(numbers[-1])

    def write(self, groups: Sequence[Entries]) -> Position:
        """Append one block and wait until it is durable. The position is the block's start.

        Raises SpoolFull when the disk is full, StoreError when it fails. The block is then not there.
        """
        block = encode(groups, self.uid)
        try:
            if self._file < 0 or (self._offset and self._offset + len(block) > self.segment_bytes):
                self._roll()
            start = Position(self.uid, self._number, self._offset)
            _write_all(self._file, block)
            os.fdatasync(self._file)
        except OSError as error:
            self._abandon()
            raise _as_error(error, self.folder) from error
        self._offset += len(block)
        self._written += len(block)
        return start

    def take_written(self) -> int:
        """Bytes written since the last call."""
        written, self._written = self._written, 0
        return written

    def close(self) -> None:
        """Close the newest segment; everything acknowledged is durable already."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _roll(self) -> None:
        self.close()
        self._number += 1
        path = segment_path(self.folder, self._number)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._offset = 0
        sync_folder(self.folder)

    def _abandon(self) -> None:
        """After a failed write or fsync the kernel may have dropped pages: never continue that file."""
        if self._file < 0:
            return
        try:
            os.ftruncate(self._file, self._offset)
        except OSError:
            log.exception("spool segment could not be cut after a failed write", lane=self.folder.name)
        self.close()

    def _cut_torn_end(self, number: int) -> None:
        path = segment_path(self.folder, number)
        data = memoryview(path.read_bytes())
        end = whole_end(data, self.uid)
        if end == len(data):
            return
        aside = keep_aside(self.folder, number, end, bytes(data[end:]))
        with path.open("r+b") as file:
            file.truncate(end)
            sync(file)
        self.ledger.count("truncated", reason="spool_torn_end")
        log.warning("spool ended in half a block; cut and kept aside", bytes=len(data) - end, kept=str(aside))


def whole_end(data: memoryview, uid: str) -> int:
    """Where the last whole block of a segment ends; damage before it is left for the reader to count."""
    end = offset = 0
    while offset < len(data):
        header = header_at(data, offset, uid)
        if header is not None and body_is_whole(data[offset + HEADER_BYTES : offset + header.total], header):
            end = offset = offset + header.total
            continue
        found = next_block(data, offset + (header.total if header else 1), uid)
        if found is None:
            break
        offset = found
    return end


def _write_all(file: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(file, view) :]


def _as_error(error: OSError, folder: Path) -> SpoolFull | StoreError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return SpoolFull(f"ディスクに空きがありません: {folder}", f"no space left on the disk: {folder}")
    return StoreError(
        f"スプールに書けません: {folder}: {why(error).ja}", f"cannot write the spool at {folder}: {error}"
    )
