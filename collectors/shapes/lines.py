"""Plain lines behind a syslog header: the text stays in `message` and the source's expressions read it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.source import Shape


@dataclass(frozen=True, slots=True)
class Lines:
    """A line is ours when its text (behind the header) matches `pattern`."""

    pattern: str

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """One frame of the lines that match; `text` holds what stands behind the header."""
        frame = syslog.split(intake).with_columns(pl.col("message").alias("text"))
        return [frame.filter(pl.col("text").str.contains(self.pattern))]


def lines(pattern: str) -> Lines:
    """The shape of plain lines."""
    return Lines(pattern)


@dataclass(frozen=True, slots=True)
class Either:
    """Lines that match `pattern`, as they are or behind a relay's header, go to `first`, all others to `second`."""

    pattern: str
    first: Shape
    second: Shape

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of both shapes."""
        message = pl.col("message").str.contains(self.pattern).fill_null(False).alias("fits")
        fits = intake.select(message)["fits"]
        behind = syslog.behind(intake)
        if behind is not intake:
            fits |= behind.select(message)["fits"]
        frames: list[pl.DataFrame] = []
        for shape, part in ((self.first, intake.filter(fits)), (self.second, intake.filter(~fits))):
            if part.height:
                frames.extend(shape.read(part))
        return frames


def either(pattern: str, first: Shape, second: Shape) -> Either:
    """Two shapes, told apart by a regular expression."""
    return Either(pattern, first, second)
