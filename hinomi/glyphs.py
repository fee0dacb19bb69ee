"""Which characters a font can draw, read from its `cmap` table (OpenType 1.9, formats 4 and 12).

A PDF with an empty box where a name should be is a wrong report, so what no font can draw is written as
`〔U+1F600〕` instead.
"""

import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from hinomi.text import inert

_UNICODE = {(3, 10), (0, 4), (0, 6), (3, 1), (0, 3)}


@cache
def coverage(font: Path) -> frozenset[int]:
    """Code points of the first face of an .otf, .ttf or .ttc file."""
    data = font.read_bytes()
    face = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    table = _table(data, face, b"cmap")
    found: set[int] = set()
    for index in range(struct.unpack_from(">H", data, table + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", data, table + 4 + 8 * index)
        if (platform, encoding) in _UNICODE:
            found.update(_subtable(data, table + offset))
    return frozenset(found)


def drawable(text: str, fonts: Iterable[Path]) -> str:
    """Inert text with every character that none of the fonts can draw replaced by its number."""
    known = [coverage(font) for font in fonts]
    return "".join(
        sign if sign == " " or any(ord(sign) in points for points in known) else f"〔U+{ord(sign):04X}〕"
        for sign in inert(text)
    )


def _table(data: bytes, face: int, tag: bytes) -> int:
    count = struct.unpack_from(">H", data, face + 4)[0]
    for index in range(count):
        name, _, offset, _ = struct.unpack_from(">4sIII", data, face + 12 + 16 * index)
        if name == tag:
            return int(offset)
    raise ValueError(f"no {tag.decode()} table")


def _subtable(data: bytes, at: int) -> Iterable[int]:
    form = struct.unpack_from(">H", data, at)[0]
    if form == 12:
        return _groups(data, at)
    return _segments(data, at) if form == 4 else ()


def _groups(data: bytes, at: int) -> Iterable[int]:
    for index in range(struct.unpack_from(">I", data, at + 12)[0]):
        start, end, _ = struct.unpack_from(">III", data, at + 16 + 12 * index)
        yield from range(start, end + 1)


def _segments(data: bytes, at: int) -> Iterable[int]:
    doubled = struct.unpack_from(">H", data, at + 6)[0]
    count = doubled // 2
    ends = struct.unpack_from(f">{count}H", data, at + 14)
    starts = struct.unpack_from(f">{count}H", data, at + 16 + doubled)
    for start, end in zip(starts, ends, strict=True):
        yield from range(start, min(end, 0xFFFE) + 1)
