"""A batch's columns as the engine reads them: distinct texts, and which rows hold which.

Work is done once for each distinct value; a row is touched only by one native gather. Every type has one
text: integers and booleans (`true`, `false`) as usual, floats without a fraction as integers, times as
ISO 8601 in UTC, lists element by element. Null is absence: an empty list is absent too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from rules.engine.fold import fold
from rules.engine.pattern import EDGE

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

KEYWORDS = ""
"""The name of the column that is every text of the event."""

_NOT_CONTENT = {"event.id", "event.dataset", "event.module", "event.kind"}
"""Texts that we put there ourselves: a keyword does not search them."""

_WHOLE = 2**53


@dataclass(slots=True)
class Edged:
    """All values in one buffer between edges, and where each begins."""

    buffer: bytes
    starts: Rows

    def owners(self, ends: Rows) -> Rows:
        """The value in which each match (by its exclusive end) lies."""
        return np.searchsorted(self.starts, ends - 1, side="right") - 1


class Part:
    """One column: distinct texts `values`, and for each element the code of its text (`size` if absent).

    rows: the row of each element where a row may hold several, else None (element = row).
    """

    def __init__(self, values: pl.Series, codes: Codes, rows: Rows | None = None) -> None:
        self.values = values
        self.codes = codes
        self.rows = rows
        self.size = len(values)

    @cached_property
    def folded(self) -> pl.Series:
        """The values with case folded."""
        return fold(self.values)

    @cached_property
    def texts(self) -> list[str]:
        """The values as Python texts, for what nothing native can do."""
        return self.values.to_list()

    def edged(self, *, folded: bool) -> Edged:
        """The values as one buffer to scan."""
        values = (self.folded if folded else self.values).to_arrow().cast(pa.large_binary())
        whole = pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)
        joined = pc.binary_join(whole, pa.scalar(EDGE, pa.large_binary()))[0].as_py()
        lengths = pc.binary_length(values).to_numpy()
        starts = np.empty(len(lengths), np.int64)
        starts[0] = 1
        np.cumsum(lengths[:-1] + 1, out=starts[1:])
        starts[1:] += 1
        return Edged(EDGE + joined + EDGE, starts)

    def mask(self, lut: Mask, height: int) -> Mask:
        """Rows of which any element's value is marked; lut has `size` + 1 entries, the last False."""
        marked = lut[self.codes]
        if self.rows is None:
            return marked
        mask = np.zeros(height, np.bool_)
        mask[self.rows[marked]] = True
        return mask


@dataclass(slots=True)
class Columns:
    """The columns of one frame, each prepared when first asked for."""

    frame: pl.DataFrame
    _parts: dict[str, list[Part]] = field(default_factory=dict)

    def parts(self, name: str) -> list[Part]:
        """A column's parts: none where the frame lacks it, many for KEYWORDS."""
        found = self._parts.get(name)
        if found is None:
            found = self._parts[name] = list(self._read(name))
        return found

    def present(self, name: str) -> Mask:
        """Rows where the column has a value."""
        mask = np.zeros(self.frame.height, np.bool_)
        for part in self.parts(name):
            lut = np.ones(part.size + 1, np.bool_)
            lut[-1] = False
            mask |= part.mask(lut, self.frame.height)
        return mask

    def _read(self, name: str) -> Iterator[Part]:
        if name == KEYWORDS:
            for column, dtype in self.frame.schema.items():
                if column not in _NOT_CONTENT and dtype in (pl.String, pl.List(pl.String)):
                    yield from self.parts(column)
        elif name in self.frame.columns:
            series = self.frame.get_column(name)
            if series.null_count() < len(series):
                yield _part(series)


def _part(series: pl.Series) -> Part:
    if not isinstance(series.dtype, pl.List):
        return Part(*_encode(as_text(series)))
    lengths = series.list.len().fill_null(0).to_numpy()
    rows = np.repeat(np.arange(len(series), dtype=np.int64), lengths)
    elements = series.filter(pl.Series(lengths > 0)).explode()
    return Part(*_encode(as_text(elements)), rows)


def _encode(texts: pl.Series) -> tuple[pl.Series, Codes]:
    encoded = texts.to_arrow().cast(pa.large_string()).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    values = pl.Series(encoded.dictionary, dtype=pl.String)
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return values, codes.astype(np.int32, copy=False)


def as_text(series: pl.Series) -> pl.Series:
    """Every value as the one text that rules compare with."""
    dtype = series.dtype
    if dtype == pl.String:
        return series
    if dtype.is_float():
        whole = (series.abs() < _WHOLE) & (series == series.floor())
        return (
            series.cast(pl.Int64, strict=False)
            .cast(pl.String)
            .zip_with(whole.fill_null(False), series.cast(pl.String))
        )
    if isinstance(dtype, pl.Datetime):
        return series.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    return series.cast(pl.String, strict=False)
