"""Walking through the blocks of one segment, past damage, while it may still grow."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from collectors.spool.block import HEADER_BYTES, Header, body_is_whole, header_at, next_block

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """Bytes `start` to `end` of a segment: a block of `count` entries, or damage (body is None).

    The count of damage is what its header says, or 1 where that is damaged too.
    """

    start: int
    end: int
    count: int
    body: memoryview | None


@dataclass(slots=True)
class SegmentScan:
    """One open segment. closed: no more will be written; only then is a short block damage."""

    file: int
    uid: str
    closed: bool

    def blocks(self, offset: int) -> Iterator[Found]:
        """What follows `offset`, up to the end or to a block that is being written right now."""
        data, base = self.load(offset), offset
        while len(data) > offset - base:
            header = header_at(data, offset - base, self.uid)
            if _needs_more(data, offset - base, header):
                base = offset
                data = self.load(offset, header.total if header else _CHUNK)
                header = header_at(data, 0, self.uid)
            found = self._found(data[offset - base :], offset, header)
            if found is None:
                return
            yield found
            offset = found.end
            if offset - base >= len(data):
                data, base = self.load(offset), offset

    def load(self, offset: int, length: int = _CHUNK) -> memoryview:
        """Bytes of the segment; fewer at its end."""
        return memoryview(os.pread(self.file, length, offset))

    def _found(self, data: memoryview, offset: int, header: Header | None) -> Found | None:
        if header is not None:
            body = data[HEADER_BYTES : header.total]
            if body_is_whole(body, header):
                return Found(offset, offset + header.total, header.count, body)
            if len(data) < header.total and not self.closed:
                return None
        end = self._past_damage(offset, header.total if header else 1)
        return Found(offset, end, header.count if header else 1, None) if end is not None else None

    def _past_damage(self, offset: int, skip: int) -> int | None:
        """Where reading goes on; None while what looks damaged may be a block that is being written."""
        rest = self.load(offset, os.fstat(self.file).st_size - offset)
        found = next_block(rest, skip, self.uid)
        if found is not None:
            return offset + found
        return offset + len(rest) if self.closed else None


def _needs_more(data: memoryview, at: int, header: Header | None) -> bool:
    """Whether the chunk ends before this block does."""
    return at + (header.total if header else HEADER_BYTES) > len(data)
