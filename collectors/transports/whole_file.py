"""The records of a file that is complete: lines as they are, EVTX as one JSON document a record, and what
`collectors.file_records` finds in a JSON array, an XML export or a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import IO

from collectors import file_records
from collectors.evtx import EvtxFiles
from collectors.transports import archive
from collectors.transports.packed import Packed, TooLarge, is_zip, refused

_LINES = 5000
_BYTES = 2 << 20
_MOST_UNPACKED = 8 << 30
_MOST_WHOLE = 512 << 20
"""Bytes of a file that has to be read as one: an array, an export."""
_LONGEST_QUOTED = 1 << 20


@dataclass(slots=True)
class WholeFile:
    """One dropped file. limit: bytes of a record; cut, damaged: records that were cut, or lost to damage; inside: of a ZIP the
    name of the file in it that the last chunk is of; unpacked: the folder that a ZIP's files are unpacked into (`archive.files`)."""

    path: Path
    limit: int
    cut: int = 0
    damaged: int = 0
    inside: str = ""
    unpacked: Path | None = None
    _evtx: EvtxFiles = field(default_factory=EvtxFiles)

    def identity(self) -> str:
        """The same for the same name and content: a file that is read again gives the same client ids."""
        hasher = blake2b(self.path.name.encode("utf-8", "surrogateescape"), digest_size=12)
        with self.path.open("rb") as file:
            while data := file.read(1 << 20):
                hasher.update(data)
        return hasher.hexdigest()

    def chunks(self) -> Iterator[list[bytes]]:
        """The records, some thousand at a time, of a ZIP those of one file in it after those of the other. Raises OSError, EOFError
        and zlib.error (broken gzip), TooLarge or Packed."""
        head = file_records.head(self.path)
        if is_zip(head):
            for name, lies in archive.files(self.path, self.unpacked):
                self.inside = name
                yield from self._chunks(lies, file_records.head(lies))
            return
        if why := refused(head):
            raise Packed(why)
        yield from self._chunks(self.path, head)

    def _chunks(self, path: Path, head: bytes) -> Iterator[list[bytes]]:
        records = self._events(path) if file_records.is_evtx(head) else self._lines(path, head)
        size, chunk = 0, list[bytes]()
        for record in records:
            chunk.append(record)
            size += len(record)
            if size > _BYTES or len(chunk) >= _LINES:
                yield chunk
                size, chunk = 0, []
        if chunk:
            yield chunk

    def _events(self, path: Path) -> Iterator[bytes]:
        for frame in self._evtx.read(path):
            for message in frame["message"].to_list():
                yield " ".join(message.splitlines()).encode()
        self.damaged = sum(damage.lost for damage in self._evtx.damaged)

    def _lines(self, path: Path, head: bytes) -> Iterator[bytes]:
        with file_records.unpacked(path, head) as file:
            start = file.read(file_records.HEAD)
            file.seek(0)
            if file_records.holds_many(start):
                yield from self._pieces(start, file)
                return
            raw: Iterable[bytes] = _limited(file, self.limit)
            if path.name.lower().removesuffix(".gz").endswith(".csv"):
                raw = _quoted_lines(raw)
            for number, line in enumerate(raw):
                text = line.rstrip(b"\r\n\0")
                if number == 0:
                    text = text.removeprefix(b"\xef\xbb\xbf")
                if len(text) >= self.limit:
                    self.cut += 1
                if text.strip():
                    yield text

    def _pieces(self, start: bytes, file: IO[bytes]) -> Iterator[bytes]:
        for _, text in _records(start, file):
            record = " ".join(text.splitlines()).encode()
            self.cut += len(record) > self.limit
            yield record[: self.limit]


def _records(start: bytes, file: IO[bytes]) -> Iterator[tuple[int, str]]:
    if file_records.by_line(start):
        return file_records.of_lines(start, _limited(file, _MOST_WHOLE))
    data = file.read(_MOST_WHOLE + 1)
    if len(data) > _MOST_WHOLE:
        raise TooLarge
    return file_records.of_whole(data)


def _limited(file: IO[bytes], limit: int) -> Iterator[bytes]:
    """Lines; one that is longer comes in pieces."""
    total = 0
    while line := file.readline(limit):
        total += len(line)
        if total > _MOST_UNPACKED:
            raise TooLarge
        yield line


def _quoted_lines(lines: Iterable[bytes]) -> Iterator[bytes]:
    """CSV records: a quoted value may go over several lines. An unclosed quote ends after a while."""
    held: list[bytes] = []
    open_quote, size = False, 0
    for line in lines:
        if line.count(b'"') % 2:
            open_quote = not open_quote
        held.append(line)
        size += len(line)
        if not open_quote:
            yield b"".join(held)
            held, size = [], 0
        elif size > _LONGEST_QUOTED:
            yield from held
            held, size, open_quote = [], 0, False
    yield from held


def first(chunks: Iterator[list[bytes]]) -> list[bytes] | None:
    """The next chunk, None at the end; a plain function so that a thread can run it."""
    return next(islice(chunks, 1), None)
