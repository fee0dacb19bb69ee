"""EVTX files: Windows' own binary event logs, read into intake frames of JSON lines.

The `evtx` package goes on after a damaged record or chunk, so what can be read is read and the rest
is reported by file. A file whose header is lost but whose chunks are there is read behind a new header.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from evtx import PyEvtxParser

from collectors import evtx_chunks
from collectors.evtx_chunks import Stretch
from collectors.file_records import EVTX_MAGIC, head, is_evtx
from hinomi.clock import Clock, SystemClock
from hinomi.ecs import TIME

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
        return self.read_stretches((path, Stretch()) for path in files)

    def read_stretches(self, stretches: Iterable[tuple[Path, Stretch]]) -> Iterator[pl.DataFrame]:
        """The same, of stretches of files. A record that cannot be read takes no place in its stretch, and one in those after."""
        held: list[tuple[str, str, int, int]] = []
        for path, stretch in stretches:
            for place, record in enumerate(self._records(path, stretch), stretch.first):
                held.append((record["data"], str(path), place, record["event_record_id"]))
                if len(held) >= self.batch:
                    yield _frame(held, self.clock.now())
                    held = []
        if held:
            yield _frame(held, self.clock.now())

    def _records(self, path: Path, stretch: Stretch) -> Iterator[dict[str, Any]]:
        try:
            parser, cut = _parser(path, stretch)
            records = parser.records_json()
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


def _parser(path: Path, stretch: Stretch) -> tuple[PyEvtxParser, bool]:
    """A reader of a stretch of a file, and whether the file is cut off in it."""
    start = head(path)
    as_it_is = (start.startswith(EVTX_MAGIC) and not evtx_chunks.is_cut(path)) or not is_evtx(start)
    if as_it_is and stretch == Stretch():
        return PyEvtxParser(str(path), number_of_threads=1), False
    chunks, cut = evtx_chunks.stretch_of(path, stretch.start, stretch.end)
    return PyEvtxParser(io.BytesIO(chunks), number_of_threads=1), cut


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
