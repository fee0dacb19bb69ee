"""Files for offline detection: EVTX, Windows event JSON and XML, any log that a source recognises, events given out by a store.

With a sieve (`collectors.narrow`) only events that may match are read whole and come out; the others are
counted in `passed_over`. A file's kind is what is in it, never its name. Event ids come from the file and the place in it, so
hunting twice over the same files gives the same signals. A record without a legible time has that of its reading, which
`event.ingested` is, too.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from collectors import catalogue, evtx, file_records, hunt_parts, hunt_stored
from collectors.continued import Carry
from collectors.evtx_chunks import Stretch
from collectors.hunt_parts import Part, Piece
from collectors.hunt_waiting import FULL, KNOWN, PLACE, Waiting
from collectors.narrow import Sieve
from collectors.records import JsonRecords
from collectors.source import ROW, Source
from collectors.sources.windows_eventlog import source as windows
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import Clock, SystemClock
from hinomi.ecs import TIME
from hinomi.identity import digest
from hinomi.ledger import Ledger
from hinomi.named import why
from hinomi.words import Words

Progress = Callable[[Path, int], None]
Sieves = Callable[[str], Sieve]
_SAMPLE, _FEW = 200, 20
_STORED = Source(
    hunt_stored.NAME,
    {"ja": "保管庫から取り出したイベント", "en": "events given out by a store"},
    JsonRecords(),
)
UNKNOWN_FORMAT = "unknown_format"
"""Why records are lost of a file whose format nobody knows."""
HELD = 6_000
"""Sifted records held before they are read whole, twice as many at most: a frame for every kind costs the same for one row and for
many; more take more memory."""

PLACES = 1 << 40
"""More than the records of a part."""


class Read(NamedTuple):
    """Events; known: of each the numbers of the rules that hold, null where they are still to be matched.

    known is None where nothing is known of any. places: ascending in the order in which records were read (Int64), those of
    part n from n times `PLACES` on.
    """

    batch: Batch
    known: pl.Series | None
    places: pl.Series


@dataclass(slots=True)
class HuntInput:
    """Reads paths into Batches.

    source: a source's name for every text file ("" = recognise each); lines: most lines in an intake
    frame; progress: called with each file and how many records it had; sieves: the sieve of a source by name.
    `damaged` names what no source understood and why, `generic` the files whose product nobody knew; rejected
    lines are counted in the ledger as `dropped`.
    """

    source: str = ""
    lines: int = 50_000
    clock: Clock = field(default_factory=SystemClock)
    ledger: Ledger = field(default_factory=Ledger)
    progress: Progress | None = None
    damaged: list[evtx.Damage] = field(default_factory=list)
    generic: dict[Path, str] = field(default_factory=dict)
    sieves: Sieves | None = None
    passed_over: int = 0
    _known: dict[Path, Source | None] = field(default_factory=dict)
    _waiting: Waiting | None = None
    _held: list[pl.DataFrame] = field(default_factory=list)
    _place: int = 0
    _carry: Carry = field(default_factory=Carry)

    def batches(self, paths: Iterable[Path]) -> Iterator[Batch]:
        """Batches of every file below these paths, EVTX files first, each frame with `log.file.path`."""
        return (read.batch for read in self.read(paths))

    def read(self, paths: Iterable[Path]) -> Iterator[Read]:
        """The same, with what the sieve knows of them."""
        for number, part in enumerate(hunt_parts.parts(paths, cut=self.sieves is not None)):
            yield from self.read_part(number, part)
            if self.full:
                yield from self.read_held()
        yield from self.read_held()

    @property
    def full(self) -> bool:
        """Whether what is held should be read now: it takes memory."""
        return sum(frame.height for frame in self._held) >= HELD

    def read_part(self, number: int, part: Part) -> Iterator[Read]:
        """One part of what there is to read, but for what is held to be read together with that of other parts."""
        self._place = number * PLACES
        self._carry = Carry()  # a part gives the same whoever read which parts before
        yield from self._of_evtx([piece for piece in part if piece.kind == "evtx"])
        for piece in part:
            try:
                if piece.kind == "lines":
                    yield from self._of_lines(piece)
                elif piece.kind == "whole":
                    yield from self._of_text(piece.path)
                elif piece.kind == "folder":
                    os.scandir(piece.path).close()
            except OSError as error:
                self._unreadable(piece.path, why(error))

    def _of_evtx(self, pieces: list[Piece]) -> Iterator[Read]:
        reader = evtx.EvtxFiles(batch=self.lines, clock=self.clock)
        stretches = [(piece.path, Stretch(piece.start, piece.end, piece.first)) for piece in pieces]
        for frame in reader.read_stretches(stretches):
            yield from self._sifted(windows, frame.drop("winlog.record_id"))
            self._tell(frame)
        for damage in reader.damaged:
            self.damaged.append(damage)
            self.ledger.count(
                "dropped", damage.lost, dataset=windows.name, reason=f"damaged:{damage.path.name}"
            )

    def _of_text(self, path: Path) -> Iterator[Read]:
        found: Source | None = None
        for number, frame in enumerate(_lines(path, self.lines)):
            frame = frame.with_columns(self._now())
            found = found if number else self._source_of(path, frame["message"].head(_SAMPLE).to_list())
            if found is None:
                self._unknown(path, frame.height)
                continue
            yield from self._sifted(found, frame)
            self._tell(frame)

    def _of_lines(self, piece: Piece) -> Iterator[Read]:
        """The lines of a piece, of which only those that pass the sieve become text."""
        path = piece.path
        if path not in self._known:
            sample = file_records.first_lines(path, _SAMPLE)
            self._known[path] = self._source_of(path, [line.decode("utf-8", "replace") for line in sample])
        found = self._known[path]
        if found is windows and self.sieves is not None:
            for offset, lines in file_records.blocks_between(path, piece.start, piece.end):
                size = sum(map(len, lines)) + len(lines)
                self._waiting_for(self.sieves).lines(path, offset, lines, self._reserved(size))
                yield from self._settled()
        else:
            yield from self._together(piece, found)
        if piece.end is not None and path.stat().st_size < piece.end:
            self._unreadable(path, Words("読んでいる間に短くなりました", "it became shorter meanwhile"))

    def _together(self, piece: Piece, found: Source | None) -> Iterator[Read]:
        """The lines of a piece that do not wait."""
        path = piece.path
        offset, lines = file_records.lines_between(path, piece.start, piece.end)
        if not lines:
            return
        records = _records(path, offset, lines, self._passing(found, lines)).with_columns(self._now())
        if found is None:
            self._unknown(path, records.height)
            return
        yield from self._hold(self._placed(records)) if found is windows else self._parse(found, records)
        self._tell(records)

    def _unreadable(self, path: Path, reason: Words) -> None:
        """A file or folder of which something could not be read."""
        self.damaged.append(
            evtx.Damage(
                path, 1, f"読めない部分があります({reason.ja}) / could not be read whole: {reason.en}"
            )
        )
        self.ledger.count("dropped", reason=f"unreadable:{path.name}")

    def _unknown(self, path: Path, lost: int) -> None:
        """A file, or a piece of one, of which nobody knows the format."""
        if not lost:
            return
        self.damaged.append(evtx.Damage(path, lost, UNKNOWN_FORMAT))
        self.ledger.count("dropped", lost, reason=f"{UNKNOWN_FORMAT}:{path.name}")

    def _passing(self, source: Source | None, lines: list[bytes]) -> Sequence[int]:
        """The places of the lines to read whole; the others are counted."""
        holding = None
        if self.sieves is not None and source is not None and source.verbatim is not None:
            holding = self.sieves(source.name).holding(source.verbatim, lines)
        if holding is None:  # the lines cannot be told before they are read
            return range(len(lines))
        self.passed_over += sum(map(bool, map(bytes.strip, lines))) - len(holding)
        return holding

    def _sifted(self, source: Source, records: pl.DataFrame) -> Iterator[Read]:
        """The batches of records, but for those that wait for the sieve."""
        if self.sieves is None or source is not windows:
            yield from self._parse(source, records)
        else:
            self._waiting_for(self.sieves).records(self._placed(records))
            yield from self._settled()

    def _waiting_for(self, sieves: Sieves) -> Waiting:
        if self._waiting is None:
            assert windows.narrow is not None
            self._waiting = Waiting(windows.narrow, sieves(windows.name))
        return self._waiting

    def _hold(self, records: pl.DataFrame) -> Iterator[Read]:
        self._held.append(records)
        if sum(frame.height for frame in self._held) >= 2 * HELD:
            yield from self._read_together()

    def _placed(self, records: pl.DataFrame) -> pl.DataFrame:
        first = self._reserved(records.height)
        places = pl.int_range(first, first + records.height, dtype=pl.Int64, eager=True)
        return records.with_columns(places.alias(PLACE))

    def _reserved(self, size: int) -> int:
        """The first of so many places."""
        first, self._place = self._place, self._place + size
        return first

    def read_held(self) -> Iterator[Read]:
        """What is held, and what passes of that which waits for the sieve."""
        yield from self._sift()
        yield from self._read_together()

    def _settled(self) -> Iterator[Read]:
        """What waits is sifted where it is much; what passes is held on, for a frame costs the same however few are in it."""
        if self._waiting is not None and self._waiting.weight >= FULL:
            yield from self._sift()

    def _sift(self) -> Iterator[Read]:
        """What passes of that which waits is held now; it is read where that becomes too much."""
        if self._waiting is not None:
            for records in self._waiting.passing():
                yield from self._hold(records.with_columns(self._now()))
                self._tell(records)
            self.passed_over += self._waiting.passed_over
            self._waiting.passed_over = 0

    def _read_together(self) -> Iterator[Read]:
        held, self._held = [frame for frame in self._held if frame.height], []
        if held:
            yield from self._parse(windows, pl.concat(held, how="diagonal"))

    def _now(self) -> pl.Expr:
        return pl.lit(self.clock.now()).cast(TIME).alias("received")

    def _source_of(self, path: Path, sample: list[str]) -> Source | None:
        if self.source:
            return catalogue.find(self.source)
        if hunt_stored.stored(sample[:_FEW]):
            return _STORED
        if looks_like_windows(sample):
            return windows
        name = catalogue.recognise(sample)
        if name is not None and name.startswith("generic."):
            self.generic[path] = name
        return catalogue.find(name) if name else None

    def _parse(self, source: Source, intake: pl.DataFrame) -> Iterator[Read]:
        rows = (intake if PLACE in intake.columns else self._placed(intake)).with_row_index(ROW)
        if source is _STORED:
            yield from self._of_store(rows)
            return
        parsed = self._carry.parse(source, rows.select(ROW, "message", "received", "peer"))
        self._rejected(source, rows.join(parsed.rejected.select(ROW), on=ROW))
        for frame in parsed.frames:
            own = rows[frame[ROW]]
            known = own[KNOWN] if KNOWN in own.columns else None
            yield Read(self._batch(source, frame, own), known, own[PLACE])

    def _of_store(self, rows: pl.DataFrame) -> Iterator[Read]:
        left, now = rows, self.clock.now()
        for dataset, frame in hunt_stored.frames(rows):
            own = rows[frame[ROW]]
            left = left.join(frame.select(ROW), on=ROW, how="anti")
            if dataset == SIGNALS:
                self.passed_over += own.height
                continue
            held = hunt_stored.placed(frame.drop(ROW), own, now)
            yield Read(Batch.of(dataset, held, origin="hunt", ingested=now), None, own[PLACE])
        self._rejected(_STORED, left)

    def _rejected(self, source: Source, lost: pl.DataFrame) -> None:
        for name, n in lost["log.file.path"].value_counts().iter_rows():
            self.ledger.count("dropped", n, dataset=source.name, reason=f"not_understood:{Path(name).name}")

    def _batch(self, source: Source, frame: pl.DataFrame, own: pl.DataFrame) -> Batch:
        held = frame.drop(ROW).with_columns(
            own["message"].alias("event.original"),
            own["log.file.path"],
            own["log.offset"].cast(pl.Int64),
            _ids(own),
            pl.lit(source.name.partition(".")[0]).alias("event.module"),
        )
        made = Batch.of(source.name, held, origin="hunt", ingested=self.clock.now())
        read = pl.lit(own["received"].cast(TIME))  # what a source takes where it finds no time
        ingested = pl.when(pl.col("@timestamp") == read).then(read).otherwise(pl.col("event.ingested"))
        return replace(made, frame=made.frame.with_columns(ingested.alias("event.ingested")))

    def _tell(self, frame: pl.DataFrame) -> None:
        if self.progress is not None:
            counted = frame["log.file.path"].value_counts(sort=False)
            for name, n in counted.iter_rows():
                self.progress(Path(name), n)


def looks_like_windows(sample: list[str]) -> bool:
    """Whether most of these lines are Windows events in any form."""
    lines = [line for line in sample[:50] if line.strip()]
    return bool(lines) and 2 * sum(map(windows.recognises, lines)) > len(lines)


def _ids(own: pl.DataFrame) -> pl.Series:
    """event.id: which file, and where in it."""
    paths = own["log.file.path"].unique().to_list()
    files = own["log.file.path"].replace_strict(paths, [digest(path)[:16] for path in paths])
    return (files + "-" + own["log.offset"].cast(pl.String)).alias("event.id")


def _lines(path: Path, most: int) -> Iterator[pl.DataFrame]:
    held: list[str] = []
    offsets: list[int] = []
    damage: OSError | None = None
    try:
        for offset, line in file_records.records(path):
            held.append(line)
            offsets.append(offset)
            if len(held) >= most:
                yield file_records.frame(path, held, offsets)
                held, offsets = [], []
    except OSError as error:  # what could be read before is read
        damage = error
    if held:
        yield file_records.frame(path, held, offsets)
    if damage is not None:
        raise damage


def _records(path: Path, offset: int, lines: list[bytes], wanted: Sequence[int]) -> pl.DataFrame:
    """The records of the wanted lines of a block."""
    starts = list(itertools.accumulate((len(line) + 1 for line in lines), initial=offset))
    found = [record for place in wanted for record in file_records.line_records(starts[place], lines[place])]
    return file_records.frame(path, [text for _, text in found], [at for at, _ in found])
