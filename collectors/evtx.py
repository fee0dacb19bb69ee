"""EVTX files: Windows' own binary event logs, read into intake frames of JSON lines.

The `evtx` package goes on after a damaged record or chunk, so what can be read is read and the rest
is reported by file. A file whose header is lost but whose chunks are there is read behind a new header.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from evtx import PyEvtxParser

from collectors.file_records import EVTX_HEADER, EVTX_MAGIC, is_evtx
from hinomi.clock import Clock, SystemClock
from hinomi.ecs import TIME

_CHUNK_SIZE = 65536
_CHUNK_HEADER = 512
_RECORD = b"**\x00\x00"
_LEAST_RECORD = 28
_MOST_FAULTS = 10_000


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of which something could not be read: how many records or chunks, and the first reason."""

    path: Path
    lost: int
    reason: str


@dataclass(slots=True)
class EvtxFiles:
    """Reads EVTX files and remembers what was damaged.

    batch: most records in a frame; frames go over file borders, so a folder of small files makes few frames.
    """

    batch: int = 20_000
    clock: Clock = field(default_factory=SystemClock)
    damaged: list[Damage] = field(default_factory=list)

    def read(self, paths: Path | Iterable[Path]) -> Iterator[pl.DataFrame]:
        """Frames `message`, `received`, `peer`, `log.file.path`, `log.offset` (the record's place in its
        file, from 0) and `winlog.record_id` (Int64). A folder is read with its subfolders."""
        files = _files([paths] if isinstance(paths, Path) else paths)
        held: list[tuple[str, str, int, int]] = []
        for path in files:
            for place, record in enumerate(self._records(path)):
                held.append((record["data"], str(path), place, record["event_record_id"]))
                if len(held) >= self.batch:
                    yield _frame(held, self.clock.now())
                    held = []
        if held:
            yield _frame(held, self.clock.now())

    def _records(self, path: Path) -> Iterator[dict[str, Any]]:
        try:
            records, cut = _parser(path).records_json(), _is_cut(path)
        except (RuntimeError, OSError, ValueError) as error:
            self.damaged.append(Damage(path, 1, _reason(error)))
            return
        lost, first = (1, "the file ends inside a chunk") if cut else (0, "")
        while lost < _MOST_FAULTS:
            try:
                record = next(records)
            except StopIteration:
                break
            except (RuntimeError, OSError, ValueError) as error:
                lost, first = lost + 1, first or _reason(error)
                continue
            if record is not None:
                yield record
        if lost:
            self.damaged.append(Damage(path, lost, first))


def read(path: Path) -> Iterator[pl.DataFrame]:
    """The records of an EVTX file or a folder of them, see `EvtxFiles.read`."""
    return EvtxFiles().read(path)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.suffix.lower() == ".evtx")
        else:
            yield path


def _parser(path: Path) -> PyEvtxParser:
    with path.open("rb") as file:
        head = file.read(EVTX_HEADER + 8)
    if (head.startswith(EVTX_MAGIC) and not _is_cut(path)) or not is_evtx(head):
        return PyEvtxParser(str(path), number_of_threads=1)
    body = path.read_bytes()[EVTX_HEADER:]
    whole = _up_to_last_whole_record(body)
    body = whole.ljust(
        len(body) + -len(body) % _CHUNK_SIZE, b"\x00"
    )  # it passes over a chunk that is not whole
    return PyEvtxParser(io.BytesIO(_header(len(body) // _CHUNK_SIZE) + body), number_of_threads=1)


def _is_cut(path: Path) -> bool:
    """Whether it was cut off inside a chunk: copied while it grew, or a disk that was full."""
    return path.stat().st_size > EVTX_HEADER and (path.stat().st_size - EVTX_HEADER) % _CHUNK_SIZE != 0


def _up_to_last_whole_record(body: bytes) -> bytes:
    """Without the record in which the file ends: half a record, filled up, would be read as one that never was."""
    at = len(body) // _CHUNK_SIZE * _CHUNK_SIZE + _CHUNK_HEADER
    while body[at : at + 4] == _RECORD and at + 8 <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        if size < _LEAST_RECORD or at + size > len(body):
            break
        at += size
    return body[:at]


def _header(chunks: int) -> bytes:
    """A file header for this many chunks (MS-EVEN6 2.2.12; "Windows XML Event Log format", libevtx)."""
    fields = EVTX_MAGIC + struct.pack(
        "<QQQIHHHH", 0, max(chunks - 1, 0), 0, 128, 1, 3, EVTX_HEADER, max(chunks, 1)
    )
    fixed = fields.ljust(120, b"\x00")
    return (fixed + struct.pack("<II", 0, zlib.crc32(fixed))).ljust(EVTX_HEADER, b"\x00")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _frame(held: list[tuple[str, str, int, int]], now: datetime) -> pl.DataFrame:
    lines, paths, places, numbers = zip(*held, strict=True)
    return pl.DataFrame(
        {
            "message": pl.Series(lines, dtype=pl.String),
            "log.file.path": pl.Series(paths, dtype=pl.String),
            "log.offset": pl.Series(places, dtype=pl.Int64),
            "winlog.record_id": pl.Series(numbers, dtype=pl.Int64),
        }
    ).with_columns(pl.lit(now).cast(TIME).alias("received"), pl.lit("").alias("peer"))
