"""Windows events that wait until those of several parts of a hunt are sifted together.

A kind of events costs the sieve some milliseconds however few there are of it, so that it is asked of many blocks at once. Only
lines that may pass yet are kept meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from collectors import file_records
from collectors.narrow import Narrow, Sieve
from collectors.sifting import Sifting

KNOWN, PLACE = "hunt.rules", "hunt.place"
"""Columns of what passes: the numbers of the rules that hold (null: still to be matched), and where it comes among all."""
FULL = 32 * 1024 * 1024
"""Bytes of lines and their kinds that wait before they are sifted."""

Found = Mapping[int, list[int] | None]


@dataclass(slots=True)
class Lines:
    """Lines of a file. place: of the first byte of the file; rows: numbers of the lines; offsets: where in the file they begin;
    events: how many lines there were before those were left out that cannot pass."""

    path: Path
    place: int
    rows: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    events: int = 0

    def records(self, found: Found) -> pl.DataFrame:
        """Those of the lines that passed, with `KNOWN` and `PLACE`."""
        wanted = [
            (*record, found[row])
            for row, offset, line in zip(self.rows, self.offsets, self.lines, strict=True)
            if row in found
            for record in file_records.line_records(offset, line)
        ]
        places, texts, rules = zip(*wanted, strict=True) if wanted else ((), (), ())
        return file_records.frame(self.path, texts, places).with_columns(
            _known(rules),
            (pl.col("log.offset") + self.place).alias(PLACE),
        )


@dataclass(frozen=True, slots=True)
class Records:
    """Records of event files, as a frame."""

    frame: pl.DataFrame
    rows: Sequence[int]
    events: int

    def records(self, found: Found) -> pl.DataFrame:
        """Those that passed, with `KNOWN`."""
        passed = [place for place, row in enumerate(self.rows) if row in found]
        known = [found[self.rows[place]] for place in passed]
        return self.frame[passed].with_columns(_known(known))


def _known(rules: Sequence[list[int] | None]) -> pl.Series:
    """`KNOWN`. From Python lists Polars makes a series for each of them, which takes twenty times as long."""
    ends = np.cumsum([0, *(0 if some is None else len(some) for some in rules)], dtype=np.int32)
    numbers = pa.array(list(chain.from_iterable(filter(None, rules))), pa.int32())
    untold = pa.array([some is None for some in rules], pa.bool_())
    lists = pa.ListArray.from_arrays(pa.array(ends), numbers, mask=untold)
    return pl.Series(KNOWN, lists, dtype=pl.List(pl.Int32))


@dataclass(slots=True)
class Waiting:
    """passed_over: events that did not pass."""

    narrow: Narrow
    sieve: Sieve
    passed_over: int = 0
    _size: int = 0
    _sifting: Sifting | None = None
    _held: list[Lines | Records] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """Bytes of the lines that wait, and of their kinds: a sender may write each event with an id of its own."""
        return self._size + (0 if self._sifting is None else self._sifting.weight)

    def lines(self, path: Path, offset: int, lines: Sequence[bytes], place: int) -> None:
        """Lines of a file without their ends, the first at an offset. place: of the first; each byte may be a record."""
        at, rows = self._sift(lines)
        starts = np.cumsum([0, *map(len, lines)])[at] + np.array(at, np.int64) + offset
        held = self._lines_of(path, place - offset)
        held.rows += rows
        held.offsets += starts.tolist()
        held.lines += [lines[one] for one in at]
        held.events += len(lines) - sum(not line or line.isspace() for line in lines)

    def _lines_of(self, path: Path, place: int) -> Lines:
        """The blocks of one part are one: a frame costs as much for few records as for many."""
        last = self._held[-1] if self._held else None
        if not isinstance(last, Lines) or (last.path, last.place) != (path, place):
            last = Lines(path, place)
            self._held.append(last)
        return last

    def records(self, frame: pl.DataFrame) -> None:
        """Records of event files, with `PLACE`."""
        at, rows = self._sift([line.encode() for line in frame["message"].to_list()])
        self._held.append(Records(frame[at], rows, frame.height))

    def _sift(self, lines: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """Where in these lines those are that may pass, and their numbers."""
        if self._sifting is None:
            self._sifting = Sifting(self.narrow, self.sieve)
        first, rows = self._sifting.add(lines)
        at = [row - first for row in rows]
        self._size += sum(len(lines[one]) for one in at)
        return at, rows

    def passing(self) -> Iterator[pl.DataFrame]:
        """What passes of all that waits, block by block, in the order in which it came."""
        sifting, held = self._sifting, self._held
        self._sifting, self._held, self._size = None, [], 0
        if sifting is None:
            return
        found = sifting.finish().lines
        held.reverse()
        while held:  # what was read need not be held any more
            one = held.pop()
            self.passed_over += one.events - sum(row in found for row in one.rows)
            yield one.records(found)
