"""What a hunt reads, cut into parts: each can be read alone, by any process, and gives the same whoever reads it.

The cuts depend on the files only, never on how many processes read them, so that the order of what is found does not either.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from collectors import event_numbers, evtx_chunks, file_records
from hinomi.errors import InputError, Where

_TEXT = 16 * 1024 * 1024
"""Bytes of text in a part: larger ones take more memory, and gain little."""
_EVTX = 4 * 1024 * 1024
"""Bytes of event files in a part, a multiple of a chunk's: slower to read."""

_NEAR = 64 * 1024
"""Bytes before and behind a cut in which the records of an event are looked for: of Linux's audit one has some kilobytes."""

Kind = Literal["evtx", "lines", "whole", "folder"]
"""A folder is one whose files cannot be listed."""


class Piece(NamedTuple):
    """A file, or of a file of lines or chunks those that begin in [start, end); end None: to the end of the file. first: how many
    records the chunks before hold (EVTX)."""

    path: Path
    kind: Kind
    start: int = 0
    end: int | None = None
    first: int = 0


Part = tuple[Piece, ...]


def parts(paths: Iterable[Path], *, cut: bool) -> list[Part]:
    """Every file below these paths, EVTX files first. cut: whether files of lines may be read in pieces."""
    events: list[tuple[Piece, int]] = []
    texts: list[tuple[Piece, int]] = []
    for path in _files(paths):
        found = [(Piece(path, "folder"), 0)] if path.is_dir() else _of_file(path, cut=cut)
        (events if found[0][0].kind == "evtx" else texts).extend(found)
    return [*_packed(events, _EVTX), *_packed(texts, _TEXT)]


def _of_file(path: Path, *, cut: bool) -> list[tuple[Piece, int]]:
    """Its pieces and their sizes. A file that cannot be opened is one, which whoever reads it will find."""
    try:
        start, size = file_records.head(path), path.stat().st_size
        if file_records.is_evtx(start):
            return list(_stretches(path, size))
        return list(_pieces(path, size, cut=cut and file_records.has_lines(start)))
    except OSError:
        return [(Piece(path, "whole"), 0)]


def _stretches(path: Path, size: int) -> Iterator[tuple[Piece, int]]:
    for start, end, first in evtx_chunks.stretches(path, size, _EVTX):
        yield Piece(path, "evtx", start, end, first), (size if end is None else end) - start


def _pieces(path: Path, size: int, *, cut: bool) -> Iterator[tuple[Piece, int]]:
    if not cut:
        yield Piece(path, "whole"), size
        return
    start = 0
    for planned in range(_TEXT, size, _TEXT):
        end = _past_events(path, planned)
        if start < end < size:
            yield Piece(path, "lines", start, end), end - start
            start = end
    yield Piece(path, "lines", start, None), size - start


def _past_events(path: Path, cut: int) -> int:
    """Where to cut at or behind this place so that no event whose records stand on several lines (`Source.event_of`) is parted,
    other lines between them or not. Where events interleave for longer than `_NEAR`: so that none is that had begun at `cut`."""
    first = max(cut - _NEAR, 0)
    wanted = cut - first + _NEAR
    with path.open("rb") as file:
        file.seek(first)
        block = file.read(wanted)
    line = block.find(b"\n", cut - first - 1) + 1  # of the lines that begin behind it the first
    begun = sorted(_events(block)) if line else []
    end = nearest = max((over for start, over in begun if start < line), default=0)
    if end <= line:
        return cut
    for start, over in begun:
        end = max(end, over) if start < end else end
    return first + (nearest if end == wanted else end)


def _events(block: bytes) -> Iterable[tuple[int, int]]:
    """Of each event in these lines where its first record stands and where the line of its last ends."""
    found: dict[bytes, tuple[int, int]] = {}
    for event_of in event_numbers.EVERY:
        for number in re.finditer(event_of.encode(), block):
            start, _ = found.get(number[1], (number.start(), 0))
            found[number[1]] = start, block.find(b"\n", number.end()) + 1 or len(block)
    return found.values()


def _packed(pieces: Iterable[tuple[Piece, int]], most: int) -> Iterator[Part]:
    """Small files together, in order, until they are as large as a part."""
    held: list[Piece] = []
    weight = 0
    for piece, size in pieces:
        if held and weight + size > most:
            yield tuple(held)
            held, weight = [], 0
        held.append(piece)
        weight += size
    if held:
        yield tuple(held)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files, and folders that cannot be listed."""
    for path in paths:
        if path.is_dir():
            yield from sorted(_below(path))
        elif path.is_file():
            yield path
        else:
            raise _no_file(path)


def _below(folder: Path) -> Iterator[Path]:
    unlisted: list[OSError] = []
    for place, _, names in os.walk(folder, onerror=unlisted.append):
        files = (Path(place, name) for name in names)
        yield from (path for path in files if path.is_file())
    yield from (Path(error.filename) for error in unlisted)


def _no_file(path: Path) -> InputError:
    if path.exists():  # a pipe, say: it can be read once only, and to open it may wait for ever
        return InputError(
            "ふつうのファイルではありません。いったんファイルに保存してください。",
            "not a regular file; save what it gives to a file first",
            where=Where(path),
        )
    return InputError("ファイルまたはフォルダーがありません。", "no such file or folder", where=Where(path))
