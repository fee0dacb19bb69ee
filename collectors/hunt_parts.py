"""What a hunt reads, cut into parts: each can be read alone, by any process, and gives the same whoever reads it.

The cuts depend on the files only, never on how many processes read them, so that the order of what is found does not either.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from collectors import file_records
from hinomi.errors import InputError, Where

_TEXT = 16 * 1024 * 1024
"""Bytes of text in a part: larger ones take more memory, and gain little."""
_EVTX = 4 * 1024 * 1024
"""Bytes of event files in a part: slower to read."""
WORTH = 12
"""Parts for which it is worth starting a process: it loads the rules anew, for some seconds of processor in all."""

Kind = Literal["evtx", "lines", "whole"]


class Piece(NamedTuple):
    """A file, or of a file of lines those that begin in [start, end); end None: to the end of the file."""

    path: Path
    kind: Kind
    start: int = 0
    end: int | None = None


Part = tuple[Piece, ...]


def parts(paths: Iterable[Path], *, cut: bool) -> list[Part]:
    """Every file below these paths, EVTX files first. cut: whether files of lines may be read in pieces."""
    events: list[tuple[Piece, int]] = []
    texts: list[tuple[Piece, int]] = []
    for path in _files(paths):
        start, size = file_records.head(path), path.stat().st_size
        if file_records.is_evtx(start):
            events.append((Piece(path, "evtx"), size))
        else:
            texts += _pieces(path, size, cut=cut and file_records.has_lines(start))
    return [*_packed(events, _EVTX), *_packed(texts, _TEXT)]


def _pieces(path: Path, size: int, *, cut: bool) -> Iterator[tuple[Piece, int]]:
    if not cut:
        yield Piece(path, "whole"), size
        return
    starts = range(0, max(size, 1), _TEXT)
    for start in starts:
        last = start + _TEXT >= size
        yield Piece(path, "lines", start, None if last else start + _TEXT), min(_TEXT, size - start)


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
    for path in paths:
        if not path.exists():
            raise InputError(
                "ファイルまたはフォルダーがありません。", "no such file or folder", where=Where(path)
            )
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path
