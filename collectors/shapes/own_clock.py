"""Lines that begin with the program's own time, which a reader of syslog headers would take for a header's.

`2026-11-20T03:14:05.160Z info vpxd[812] …` is no RFC 3164 line from a host called `info`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.source import Shape

_PRIORITY = r"^<\d{1,3}> ?"


@dataclass(frozen=True, slots=True)
class OwnClock:
    """pattern: what a line without a header looks like (a priority may stand before it); all others have their header taken off."""

    pattern: str
    shape: Shape

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of `shape`, of lines split into header and text."""
        text = intake["message"].str.replace(_PRIORITY, "")
        bare = text.str.contains(self.pattern).fill_null(False)
        headless = syslog.bare(intake.with_columns(text).filter(bare))
        parts = [part for part in (headless, syslog.split(intake.filter(~bare))) if part.height]
        return self.shape.read(pl.concat(parts)) if parts else []


def own_clock(pattern: str, shape: Shape) -> OwnClock:
    """The shape of lines that may begin with their program's own time; see `OwnClock`."""
    return OwnClock(pattern, shape)
