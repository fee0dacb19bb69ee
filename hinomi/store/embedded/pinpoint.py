"""Events by id within a short stretch of time, as the evidence of an alert is asked for: only the rows of that time are read.

Files are written once, so that which of a file's rows are of which time is found out once, and kept for the next question.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hinomi import ecs
from hinomi.store.embedded.integrity import Integrity
from hinomi.store.embedded.manifest import File, nanoseconds
from hinomi.store.protocols import Span
from hinomi.store.values import within

LONGEST = timedelta(days=1)
"""Over more, DuckDB takes less: it reads the ids of many files at once."""
_BLOCK, _KEPT = 1_024, 2_000
"""Rows whose times are told apart from others'; files that are remembered, 16 bytes a block."""
_AT_ONCE = 32_768
"""Rows whose columns are unpacked at a time: some 64 MiB, where an alert's evidence spans a busy day."""
_State = tuple[str, int]
_Blocks = tuple["np.ndarray[Any, np.dtype[np.int64]]", "np.ndarray[Any, np.dtype[np.int64]]"]


@dataclass(slots=True)
class Pinpoint:
    """Safe with several threads. _known: a file's path and when it was written → the first and the last time of each block."""

    integrity: Integrity
    _known: OrderedDict[_State, _Blocks] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def fits(span: Span | None) -> bool:
        """Whether a span is short enough."""
        return bool(span and span.start and span.end and span.end - span.start <= LONGEST)

    def rows(self, files: Sequence[File], ids: Sequence[str], span: Span) -> list[dict[str, Any]]:
        """The files' events of the span that have one of the ids, the oldest first. Raises PartDamaged, Replaced."""
        found = [one for file in files for one in self._of(file, ids, span)]
        found.sort(key=lambda one: one[:2])
        return [row for _, _, row in found]

    def _of(self, file: File, ids: Sequence[str], span: Span) -> list[tuple[int, str, dict[str, Any]]]:
        """(time in ns, id, event) of each."""
        assert span.start and span.end
        with self.integrity.reading(file) as path:
            first, count = self._stretch(path, span)
            if not count:
                return []
            time = pl.col("@timestamp")
            wanted = (
                (time >= within(span.start)) & (time < within(span.end)) & pl.col("event.id").is_in(list(ids))
            )
            rows = pl.scan_parquet(path)
            parts = [
                rows.slice(at, min(_AT_ONCE, first + count - at)).filter(wanted).collect()
                for at in range(first, first + count, _AT_ONCE)
            ]
        frame = pl.concat(parts)
        times = frame["@timestamp"].dt.epoch("ns")
        return list(zip(times, frame["event.id"], ecs.rows(frame), strict=True))

    def _stretch(self, path: Path, span: Span) -> tuple[int, int]:
        """The rows among which those of the span are: the first, and how many."""
        assert span.start and span.end
        firsts, lasts = self._blocks(path)
        held = np.flatnonzero((lasts >= nanoseconds(span.start)) & (firsts < nanoseconds(span.end)))
        if not len(held):
            return 0, 0
        return int(held[0]) * _BLOCK, int(held[-1] - held[0] + 1) * _BLOCK

    def _blocks(self, path: Path) -> _Blocks:
        state = (str(path), path.stat().st_mtime_ns)  # one that was put back is another
        with self._lock:
            if (known := self._known.get(state)) is not None:
                self._known.move_to_end(state)
                return known
        found = _read(path)
        with self._lock:
            self._known[state] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found


def _read(path: Path) -> _Blocks:
    """One without a time (its names are damaged) is of no span."""
    times = pl.read_parquet(path, columns=["@timestamp"])["@timestamp"].dt.epoch("ns").fill_null(0).to_numpy()
    starts = np.arange(0, len(times), _BLOCK)
    return np.minimum.reduceat(times, starts), np.maximum.reduceat(times, starts)
