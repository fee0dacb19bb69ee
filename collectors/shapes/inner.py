"""A line of another shape inside a field of a JSON object: what a logging library or a shipper wraps around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from collectors.shapes.json_fields import json_fields
from collectors.source import Shape

OUTER = "outer."
"""Prefix of the columns that the object around the line gives."""


@dataclass(frozen=True, slots=True)
class Inner:
    """field: the object's field with the line; shape: of that line, and of lines without an object around.

    The object's other fields are columns `outer.<path>`; a line without an object has none.
    """

    field: str
    shape: Shape

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """The frames of the inner shape, one for wrapped lines and one for bare ones."""
        wrapped = pl.col("message").str.contains(r"^\s*\{").fill_null(False)
        frames: list[pl.DataFrame] = []
        for part in (self._opened(intake.filter(wrapped)), intake.filter(~wrapped)):
            if part is not None and part.height:
                frames.extend(self.shape.read(part))
        return frames

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
