"""Lines in one buffer, each between line ends, so that one native scan reads all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(slots=True)
class Joined:
    """The lines, the buffer, and where in it each line begins."""

    lines: Sequence[bytes]
    text: bytes
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> "Joined":
        """The buffer of some lines (at least one)."""
        starts = np.ones(len(lines), np.int64)
        np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines))[:-1] + 1, out=starts[1:])
        starts[1:] += 1
        return cls(lines, b"\n".join((b"", *lines, b"")), starts)

    def owners(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The number of the line in which each byte lies; its end belongs to a line."""
        return np.maximum(np.searchsorted(self.starts, places, side="right") - 1, 0)

    def foreign(self) -> npt.NDArray[np.bool_]:
        """The lines that are no UTF-8."""
        if self.text.isascii():
            return np.zeros(len(self.lines), np.bool_)
        try:
            pl.Series(self.lines, dtype=pl.Binary).cast(pl.String)
        except pl.exceptions.ComputeError:
            return np.array([not _is_utf8(line) for line in self.lines], np.bool_)
        return np.zeros(len(self.lines), np.bool_)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
