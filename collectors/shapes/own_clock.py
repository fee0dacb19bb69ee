"""Lines that begin with the program's own time, which a reader of syslog headers would take for a header's.

`2026-11-20T03:14:05.160Z info vpxd[812] …` is no RFC 3164 line from a host called `info`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.source import Shape


@dataclass(frozen=True, slots=True)
class OwnClock:
    """pattern: what a line without a header looks like; all others have their header taken off."""

    pattern: str
    shape: Shape

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of `shape`, of lines split into header and text."""
        bare = intake["message"].str.contains(self.pattern).fill_null(False)
        headless = intake.filter(bare).with_columns(
            pl.lit(None, dtype=kind).alias(name) for name, kind in syslog.HEADER.items()
        )
        parts = [part for part in (headless, syslog.split(intake.filter(~bare))) if part.height]
        return self.shape.read(pl.concat(parts)) if parts else []


def own_clock(pattern: str, shape: Shape) -> OwnClock:
    """The shape of lines that may begin with their program's own time; see `OwnClock`."""
    return OwnClock(pattern, shape)
