"""One block of the spool: a header with checksums and the entries as a compressed Arrow stream.

Header, little-endian, 24 bytes: magic (8), body length, entries, CRC-32 of the body, CRC-32 of the header
before it (four unsigned 32-bit numbers). The header's checksum starts from the lane's uid, which no
sender knows, so that bytes inside a log line can never be taken for a block.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa

MAGIC = b"HINOMI\x01\n"
_HEADER = struct.Struct("<8sIII")
_CHECK = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CHECK.size

SCHEMA = pa.schema(
    [
        ("origin", pa.large_string()),
        ("peer", pa.large_string()),
        ("client_id", pa.large_string()),
        ("received", pa.timestamp("ns", "UTC")),
        ("payload", pa.large_binary()),
    ]
)
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Entries:
    """Messages that one sender sent together.

    origin: key of the configured listener; peer: the sender's address or the file's path; received: ns
    since 1970 UTC; payloads: the bytes as they came; client_ids: one a payload ("" = none), or None.
    """

    origin: str
    peer: str
    received: int
    payloads: Sequence[bytes]
    client_ids: Sequence[str] | None = None

    @property
    def size(self) -> int:
        """Bytes of the payloads, and a little for each entry."""
        return sum(map(len, self.payloads)) + 16 * len(self.payloads)


@dataclass(frozen=True, slots=True)
class Header:
    """What a valid header says: bytes of the body, entries in it, checksum of the body."""

    length: int
    count: int
    crc: int

    @property
    def total(self) -> int:
        """Bytes of the whole block."""
        return HEADER_BYTES + self.length


def encode(groups: Sequence[Entries], uid: str) -> bytes:
    """The block that holds these entries, in order."""
    sink = pa.BufferOutputStream()
    batch = _record_batch(groups)
    with pa.ipc.new_stream(sink, SCHEMA, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    body = sink.getvalue()
    header = _HEADER.pack(MAGIC, body.size, batch.num_rows, zlib.crc32(body))
    return b"".join((header, _CHECK.pack(_header_crc(header, uid)), body))


def _record_batch(groups: Sequence[Entries]) -> pa.RecordBatch:
    counts = [len(group.payloads) for group in groups]
    rows = np.repeat(np.arange(len(groups)), counts)
    payloads = groups[0].payloads if len(groups) == 1 else chain.from_iterable(g.payloads for g in groups)
    ids = chain.from_iterable(g.client_ids if g.client_ids is not None else _none(g) for g in groups)
    return pa.record_batch(
        [
            pa.array([group.origin for group in groups], pa.large_string()).take(pa.array(rows)),
            pa.array([group.peer for group in groups], pa.large_string()).take(pa.array(rows)),
            pa.array(list(ids), pa.large_string()),
            pa.array(np.repeat([group.received for group in groups], counts), pa.timestamp("ns", "UTC")),
            pa.array(list(payloads), pa.large_binary()),
        ],
        schema=SCHEMA,
    )


def _none(group: Entries) -> list[str]:
    return [""] * len(group.payloads)


def _header_crc(header: bytes | memoryview, uid: str) -> int:
    return zlib.crc32(header, zlib.crc32(uid.encode()))


def header_at(data: memoryview, offset: int, uid: str) -> Header | None:
    """The header that starts at `offset`, or None where no valid one does."""
    raw = data[offset : offset + HEADER_BYTES]
    if len(raw) < HEADER_BYTES or raw[:8] != MAGIC:
        return None
    if _CHECK.unpack(raw[_HEADER.size :])[0] != _header_crc(raw[: _HEADER.size], uid):
        return None
    _, length, count, crc = _HEADER.unpack(raw[: _HEADER.size])
    return Header(length, count, crc)


def body_is_whole(body: memoryview, header: Header) -> bool:
    """Whether the body is the one that the header was written for."""
    return len(body) == header.length and zlib.crc32(body) == header.crc


def decode(body: memoryview) -> pa.Table:
    """The entries of a body whose checksum holds, as an Arrow table of `SCHEMA`."""
    with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
        return stream.read_all()


def next_block(data: memoryview, start: int, uid: str) -> int | None:
    """Where the next whole block begins at or after `start`; None where none does."""
    raw = bytes(data[start:])
    at = raw.find(MAGIC)
    while at >= 0:
        header = header_at(data, start + at, uid)
        if header is not None:
            body = data[start + at + HEADER_BYTES : start + at + header.total]
            if body_is_whole(body, header):
                return start + at
        at = raw.find(MAGIC, at + 1)
    return None
