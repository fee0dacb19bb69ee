"""The chunks of an EVTX file: each can be read without the others, so that a large file is read in stretches.

"Windows XML Event Log (EVTX) format", libevtx; MS-EVEN6 2.2.12.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from collectors.file_records import EVTX_HEADER, EVTX_MAGIC

_SIZE = 65536
_HEADER = 512
_RECORD = b"**\x00\x00"
_LEAST_RECORD = 28
_MAGIC = b"ElfChnk\x00"


class Stretch(NamedTuple):
    """The chunks of a file that begin in [start, end), bytes; end None: to the end of the file. first: how many records the
    chunks before hold."""

    start: int = 0
    end: int | None = None
    first: int = 0


def stretches(path: Path, size: int, most: int) -> Iterator[Stretch]:
    """A file of a size, cut into stretches of at most `most` bytes of chunks. Raises OSError."""
    chunks = max(most // _SIZE, 1) * _SIZE
    if size <= EVTX_HEADER + chunks:
        yield Stretch()
        return
    first = 0
    with path.open("rb") as file:
        for start in range(EVTX_HEADER, size, chunks):
            last = start + chunks >= size
            yield Stretch(0 if start == EVTX_HEADER else start, None if last else start + chunks, first)
            if not last:
                file.seek(start)
                first += _held(file.read(chunks))


def stretch_of(path: Path, start: int, end: int | None) -> tuple[bytes, bool]:
    """A file of its own with the chunks of a stretch; whether the file was cut off inside the last of them: copied while it
    grew, or a disk that was full. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(start, EVTX_HEADER))
        body = file.read(-1 if end is None else end - file.tell())
    cut = len(body) % _SIZE != 0
    if cut:  # a chunk that is not whole is passed over
        size = len(body)
        body = _up_to_last_whole_record(body).ljust(size + -size % _SIZE, b"\x00")
    return _file_header(len(body) // _SIZE) + body, cut


def is_cut(path: Path) -> bool:
    """Whether it was cut off inside a chunk. Raises OSError."""
    size = path.stat().st_size
    return size > EVTX_HEADER and (size - EVTX_HEADER) % _SIZE != 0


def _held(chunks: bytes) -> int:
    """Records in chunks, each of which says where its free space begins."""
    found = 0
    for start in range(0, len(chunks), _SIZE):
        if chunks[start : start + len(_MAGIC)] == _MAGIC:
            free = int.from_bytes(chunks[start + 48 : start + 52], "little")
            found += sum(1 for _ in _records(chunks, start + _HEADER, start + min(free, _SIZE)))
    return found


def _records(chunks: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each record of a chunk begins, and where it says that it ends."""
    while at < end and chunks[at : at + 4] == _RECORD:
        size = int.from_bytes(chunks[at + 4 : at + 8], "little")
        yield at, at + size
        if size < _LEAST_RECORD:
            return
        at += size


def _up_to_last_whole_record(body: bytes) -> bytes:
    """Without the record in which the file ends: half a record, filled up, would be read as one that never was."""
    whole = len(body) // _SIZE * _SIZE + _HEADER
    for start, end in _records(body, whole, len(body)):
        if not start + _LEAST_RECORD <= end <= len(body):
            break
        whole = end
    return body[:whole]


def _file_header(chunks: int) -> bytes:
    fields = EVTX_MAGIC + struct.pack(
        "<QQQIHHHH", 0, max(chunks - 1, 0), 0, 128, 1, 3, EVTX_HEADER, max(chunks, 1)
    )
    fixed = fields.ljust(120, b"\x00")
    return (fixed + struct.pack("<II", 0, zlib.crc32(fixed))).ljust(EVTX_HEADER, b"\x00")
