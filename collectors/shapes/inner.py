"""A line of another shape inside a field of a JSON object: what a logging library or a shipper wraps around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors import syslog
from collectors.shapes.json_fields import json_fields
from collectors.source import Shape

_WRAPPED = pl.col("message").str.contains(r"^\s*\{").fill_null(False)
OUTER = "outer."
"""Prefix of the columns that the object around the line gives."""


@dataclass(frozen=True, slots=True)
class Inner:
    """field: the object's field with the line; shape: of that line, and of lines without an object around.

    The object's other fields are columns `outer.<path>`; a line without an object has none. A syslog header
    may stand before either.
    """

    field: str
    shape: Shape

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of the inner shape, apart for wrapped lines, those behind a header, and bare ones."""
        bare = intake.filter(~_WRAPPED)
        split = syslog.split(bare) if bare.height else bare
        parts = (
            self._opened(intake.filter(_WRAPPED)),
            self._opened(split.filter(_WRAPPED)),
            split.filter(~_WRAPPED),
        )
        return [
            frame for part in parts if part is not None and part.height for frame in self.shape.read(part)
        ]

    def _opened(self, intake: pl.DataFrame) -> pl.DataFrame | None:
        column = f"{self.field}_" if self.field in intake.columns else self.field
        frame = next(iter(json_fields().read(intake)), None) if intake.height else None
        if frame is None or column not in frame.columns:
            return None
        new = [name for name in frame.columns if name not in intake.columns and name != column]
        whole = frame.with_columns(pl.col(column).alias("message")).drop(column)
        return whole.rename({name: f"{OUTER}{name}" for name in new}).drop_nulls("message")


def inner(field: str, shape: Shape) -> Inner:
    """The shape of lines inside JSON; see `Inner`."""
    return Inner(field, shape)
