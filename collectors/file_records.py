"""The records of a text file: its lines, the elements of a JSON array, the events of an XML export, the rows of a table.

AWS and Azure write many records as one object, `{"Records": […]}` or `{"records": […]}`: each is a record.
"""

import errno
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import orjson
import polars as pl

from collectors import zeek_table
from hinomi.named import Unread
from hinomi.words import Words

_LONGEST = 16 * 1024 * 1024
_EVENT_XML = re.compile(rb"<Event[ >].*?</Event>", re.DOTALL)
_WRAPPED = re.compile(rb'\s*\{\s*"[Rr]ecords"\s*:\s*\[')
_ARRAY = re.compile(rb"\[\s*(?:[\[{\]]|\Z)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLANK = b"\xef\xbb\xbf \t\r\n"
HEAD = 4104
EVTX_MAGIC = b"ElfFile\x00"
EVTX_HEADER = 4096
_EVTX_CHUNK = b"ElfChnk\x00"
_STEP = 1024 * 1024
_BUFFER = 128 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes of a packed document that can only be read as a whole."""


def head(path: Path) -> bytes:
    """The first bytes of a file, by which its kind is told."""
    with path.open("rb") as file:
        return file.read(HEAD)


def is_evtx(start: bytes) -> bool:
    """Whether a file that begins so is an EVTX file, its header damaged or not."""
    return start.startswith(EVTX_MAGIC) or start[EVTX_HEADER : EVTX_HEADER + 8] == _EVTX_CHUNK


def records(path: Path) -> Iterator[tuple[int, str]]:
    """(place, text) of each record; the place is a byte offset, or an index into a JSON array (after the
    offset of its line, where a line holds the array).

    gzip is unpacked; UTF-16 is told by its mark. Text that is neither UTF-8 nor CP932 keeps its
    readable characters. A line is cut at 16 MiB. Raises OSError where no more can be read, after all that could be.
    """
    with unpacked(path, head(path)) as source:
        readable = Readable(source)
        file = io.BufferedReader(readable, _BUFFER)
        start = file.read(HEAD)
        file.seek(0)
        yield from of_lines(start, cut_lines(file)) if by_line(start) else of_whole(_all_of(file, source))
        if readable.damage is not None:
            raise readable.damage


class Readable(io.RawIOBase):
    """A file as far as it can be read; damage: why no further."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.damage = source, cast("OSError | None", None)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, too."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """As any file."""
        return self._source.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """Nothing more where there is damage."""
        try:
            data = self._source.read1(len(buffer))  # type: ignore[attr-defined]  # every buffered file has it
        except (OSError, EOFError, zlib.error) as error:
            self.damage = OSError(errno.EIO, str(getattr(error, "strerror", None) or error))
            return 0
        buffer[: len(data)] = data
        return len(data)


def cut_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Its lines; of one longer than 16 MiB pieces, of which `of_lines` takes the first."""
    return iter(lambda: file.readline(_LONGEST), b"")


def _all_of(file: IO[bytes], source: IO[bytes]) -> bytes:
    """A document. Raises OSError where a packed one is larger than may be held: it may be a trap."""
    if not isinstance(source, gzip.GzipFile):
        return file.read()
    data = file.read(MOST_UNPACKED + 1)
    if len(data) > MOST_UNPACKED:
        most = f"{MOST_UNPACKED >> 20} MiB"
        raise Unread(
            errno.EFBIG,
            Words(
                f"展開すると {most} を超え、1行1件でもない(展開してから、または1行1件にしてから調べてください)",
                f"more than {most} when unpacked and not one record a line: unpack it, or make it JSON lines",
            ),
        )
    return data


def unpacked(path: Path, start: bytes) -> IO[bytes]:
    """The text of a file that begins with `start`: gzip is unpacked, UTF-16 made UTF-8."""
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")  # type: ignore[return-value]  # reads like any binary file
    if start[:2] in _UTF16:
        text = path.read_bytes().decode("utf-16", "backslashreplace")
        return io.BytesIO(text.encode("utf-8", "backslashreplace"))
    return path.open("rb")


def lines_between(path: Path, start: int, end: int | None) -> tuple[int, list[bytes]]:
    """(byte offset of the first, lines without their end) of the lines that begin in [start, end); end None: to the end of
    the file. Only where `has_lines` says so."""
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)  # a line begins behind a line's end, which may be the byte before
            block = file.read(-1 if end is None else end - start + 1)
            before, newline, block = block.partition(b"\n")
            start += len(before)
            if not newline:
                return start, []
        else:
            block = file.read(-1 if end is None else end)
        if block and end is not None and not block.endswith(b"\n"):
            block += _rest_of_line(file)
    if not block:
        return start, []
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return start, lines


def blocks_between(path: Path, start: int, end: int | None) -> Iterator[tuple[int, list[bytes]]]:
    """The same in blocks of a megabyte, of which each dies in memory that the next one uses again. None of them is empty."""
    last = path.stat().st_size if end is None else end
    for first in range(start, last, _STEP):
        ends = end is None and first + _STEP >= last  # a file that grows is read to its end
        found = lines_between(path, first, None if ends else min(first + _STEP, last))
        if found[1]:
            yield found


def _rest_of_line(file: IO[bytes]) -> bytes:
    """Of a very long one as much as is read of a line at all."""
    found, size = [], 0
    while size < _LONGEST and (step := file.readline(_STEP)):
        found.append(step)
        size += len(step)
        if step.endswith(b"\n"):
            break
    return b"".join(found)


def first_lines(path: Path, most: int) -> list[bytes]:
    """The first lines of a file, without their ends; no more than some MiB of them."""
    found: list[bytes] = []
    size = 0
    with path.open("rb") as file:
        while len(found) < most and size < _LONGEST and (line := file.readline(_LONGEST)):
            found.append(line.rstrip(b"\n"))
            size += len(line)
    return found


def has_lines(start: bytes) -> bool:
    """Whether a file that begins so is plain text with one record a line."""
    return start[:2] != b"\x1f\x8b" and start[:2] not in _UTF16 and one_a_line(start)


def line_records(offset: int, line: bytes) -> Iterator[tuple[int, str]]:
    """(place, text) of the records in one line at an offset: none of a blank one."""
    return ((offset + place, text) for place, text in _lines([line]))


def frame(path: Path, texts: Sequence[str], places: Sequence[int]) -> pl.DataFrame:
    """Records of a file as columns; no peer sent them."""
    columns = [
        pl.Series("message", texts, dtype=pl.String),
        pl.Series("log.offset", places, dtype=pl.Int64),
    ]
    return pl.DataFrame(columns).with_columns(
        pl.lit(str(path)).alias("log.file.path"), pl.lit("").alias("peer")
    )


def one_a_line(start: bytes) -> bool:
    """Whether a file that begins so has one record a line."""
    text = start.lstrip(_BLANK)
    if _ARRAY.match(text) or zeek_table.is_table(text):
        return False
    if text[:1] == b"<":
        return b"<Event" not in text
    first, newline, _ = text.partition(b"\n")
    whole = first.rstrip()
    return text[:1] != b"{" or not newline or (len(whole) > 1 and whole.endswith(b"}"))


def holds_many(start: bytes) -> bool:
    """Whether a file that begins so has several records in one line or one record in several lines."""
    return not one_a_line(start) or _WRAPPED.match(start.lstrip(_BLANK)) is not None


def by_line(start: bytes) -> bool:
    """Whether the lines of a file that begins so can be read one after the other."""
    return one_a_line(start) or zeek_table.is_table(start.lstrip(_BLANK))


def of_lines(start: bytes, lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """(place, text) of each record of a text that is read by line and begins with `start`."""
    return zeek_table.rows(lines) if zeek_table.is_table(start.lstrip(_BLANK)) else _lines(lines)


def of_whole(data: bytes) -> Iterator[tuple[int, str]]:
    """(place, text) of each record of a text that can only be read as one: an XML export, JSON over several lines."""
    if b"<Event" in data[:HEAD]:
        for match in _EVENT_XML.finditer(data):
            yield match.start(), match.group().decode("utf-8", "replace")
    else:
        yield from _elements(data)


def _elements(data: bytes) -> Iterator[tuple[int, str]]:
    try:
        document = orjson.loads(data.lstrip(_BLANK))
    except orjson.JSONDecodeError:
        yield from _lines(data.splitlines(keepends=True))
        return
    for place, item in enumerate(_unwrapped(document)):
        yield place, _written(item)


def _written(item: Any) -> str:
    """One record as text. How deep it may be is judged where it is read: one that is too deep takes no other with it."""
    try:
        return orjson.dumps(item).decode()
    except orjson.JSONEncodeError:  # beyond 254 levels, which the standard library writes
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))


def _unwrapped(document: Any) -> list[Any]:
    """The records of an array or of the object that AWS and Azure put around one; else the document."""
    if isinstance(document, dict):
        inner = document.get("Records", document.get("records"))
        return inner if isinstance(inner, list) and inner else [document]
    return document if isinstance(document, list) else [document]


def _wrapped(line: bytes) -> list[tuple[int, str]] | None:
    """The records of a line that holds an object around them; None where it is no JSON (cut short, say)."""
    try:
        return [(place, _written(item)) for place, item in enumerate(_unwrapped(orjson.loads(line)))]
    except orjson.JSONDecodeError:
        return None


def _lines(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    offset, within = 0, False
    for raw in lines:
        if within:  # the rest of a line that was cut
            within = not raw.endswith(b"\n")
            offset += len(raw)
            continue
        within = len(raw) >= _LONGEST and not raw.endswith(b"\n")
        text = raw[:_LONGEST].rstrip(b"\r\n")
        if offset == 0:
            text = text.removeprefix(b"\xef\xbb\xbf")
        inner = _wrapped(raw) if _WRAPPED.match(text) else None
        if inner is not None:
            yield from ((offset + place, item) for place, item in inner)
        elif text.strip():
            yield offset, _decoded(text)
        offset += len(raw)


def _decoded(raw: bytes) -> str:
    """UTF-8, else Japanese Windows (CP932) or Unix (EUC-JP), else UTF-8 with replacement characters."""
    for encoding in ("utf-8", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")
