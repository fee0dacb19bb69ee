"""A batch's columns as the engine reads them: distinct texts, and which rows hold which.

Work is done once for each distinct value; a row is touched only by one native gather. Every type has one
text: integers and booleans (`true`, `false`) as usual, floats without a fraction as integers, times as
ISO 8601 in UTC, lists element by element. Null is absence: an empty list is absent too.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from collectors.coded import Coded
from hinomi import ecs
from rules.engine import derived
from rules.engine.content import is_ours
from rules.engine.distinct import distinct
from rules.engine.fold import fold, fold_all
from rules.engine.pattern import EDGE

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

KEYWORDS = ""
"""The name of the column that is every text of the event as its source wrote it (`rules.engine.content`)."""

_WHOLE = 2**53

_BUFFER = 64 * 1024 * 1024
FEW = 256
"""Below this many values a Python list is quicker than a native call a step."""


@dataclass(slots=True)
class Edged:
    """Values in one buffer between edges: where each begins, and the code of the first."""

    buffer: bytes
    starts: Rows
    first: int

    def owners(self, ends: Rows) -> Rows:
        """The code of the value in which each match (by its exclusive end) lies."""
        return self.first + np.searchsorted(self.starts, ends - 1, side="right") - 1


class Part:
    """One column: distinct texts, and for each element the code of its text (`size` where absent).

    Few texts are held as a Python list, many as a native series; each form is made when asked for.
    rows: the row of each element where a row may hold several, else None (element = row).
    """

    def __init__(self, held: pl.Series | list[str], codes: Codes, rows: Rows | None = None) -> None:
        self._held = held
        self.codes = codes
        self.rows = rows
        self.size = len(held)

    @property
    def few(self) -> bool:
        """Whether Python is quicker than a native call."""
        return isinstance(self._held, list)

    @cached_property
    def constant(self) -> bool:
        """Whether every row has the one same text."""
        return self.size == 1 and self.rows is None and not bool(self.codes.any())

    @cached_property
    def values(self) -> pl.Series:
        """The texts as a series."""
        held = self._held
        return pl.Series(held, dtype=pl.String) if isinstance(held, list) else held

    @cached_property
    def texts(self) -> list[str]:
        """The texts as a list."""
        held = self._held
        return held if isinstance(held, list) else held.to_list()

    @cached_property
    def folded(self) -> pl.Series:
        """The texts with case folded."""
        return fold(self.values)

    @cached_property
    def folded_ascii(self) -> bool:
        """Whether no folded text goes beyond ASCII."""
        return bool((self.folded.str.len_bytes() == self.folded.str.len_chars()).all())

    @cached_property
    def folded_texts(self) -> list[str]:
        """The same as a list."""
        return fold_all(self._held) if isinstance(self._held, list) else self.folded.to_list()

    @cached_property
    def codes_of(self) -> dict[str, list[int]]:
        """The codes of a folded text."""
        found: dict[str, list[int]] = {}
        for code, text in enumerate(self.folded_texts):
            found.setdefault(text, []).append(code)
        return found

    def edged(self, *, folded: bool) -> Iterator[Edged]:
        """The texts in buffers to scan, each of some tens of megabytes at most (or of one longer text)."""
        if isinstance(self._held, list):
            yield _edged_list(self.folded_texts if folded else self._held)
            return
        texts = self.folded if folded else self.values
        sizes = texts.str.len_bytes().cum_sum().to_numpy()
        cuts = np.searchsorted(sizes, np.arange(_BUFFER, int(sizes[-1]), _BUFFER), side="right")
        bounds = distinct(np.concatenate(([0], cuts, [self.size]))).tolist()
        for first, end in itertools.pairwise(bounds):
            yield _edged_series(texts[first:end], first)

    def only(self, codes: Codes) -> "Part":
        """The texts of some codes (distinct, none that of absence), as a column of their own."""
        held, own = self._held, np.arange(len(codes), dtype=np.int32)
        if isinstance(held, list):
            return Part([held[code] for code in codes.tolist()], own)
        chosen = held.gather(codes)
        return Part(chosen.to_list() if len(codes) <= FEW else chosen, own)

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
    """The columns of one frame, each prepared when first asked for.

    content: how the names begin of the columns that a keyword searches; empty for every text.
    """

    frame: pl.DataFrame
    content: tuple[str, ...] = ()
    _parts: dict[str, list[Part]] = field(default_factory=dict)

    @classmethod
    def of_codes(cls, columns: Mapping[str, Coded], height: int, asked: Iterable[str]) -> "Columns":
        """Columns whose texts are distinct already. asked: all that may be asked of them, made columns among them."""
        bases = {base for name in asked for base in derived.bases(name)} & columns.keys()
        frame = pl.DataFrame(
            [pl.int_range(height, eager=True).alias("row"), *(_spread(name, columns[name]) for name in bases)]
        )
        return cls(frame, (), {name: _coded(name, one) for name, one in columns.items()})

    def parts(self, name: str) -> list[Part]:
        """A column's parts: none where the frame lacks it, many for KEYWORDS."""
        found = self._parts.get(name)
        if found is None:
            found = self._parts[name] = list(self._read(name))
        return found

    def named(self, name: str) -> Iterator[tuple[str, Part]]:
        """A column's parts with the names of the columns that they are: the same but for KEYWORDS."""
        columns = itertools.chain(*self.contents()) if name == KEYWORDS else [name]
        for column in columns:
            for part in self.parts(column):
                yield column, part

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
            for column in itertools.chain(*self.contents()):
                yield from self.parts(column)
        else:
            series = derived.column(self.frame, name)
            if series is not None and series.null_count() < len(series):
                yield _part(series)

    def contents(self) -> tuple[list[str], list[str]]:
        """The names of the columns that a keyword searches: of texts, and of lists of texts."""
        held = [
            (column, dtype)
            for column, dtype in self.frame.schema.items()
            if not is_ours(column) and (not self.content or column.startswith(self.content))
        ]
        lists = [column for column, dtype in held if dtype == pl.List(pl.String)]
        return [column for column, dtype in held if dtype == pl.String], lists


def part_of_rows(texts: pl.Series, rows: Rows) -> Part:
    """A column of texts of which only some rows are looked at: the others are taken to have none."""
    part = _part(texts.gather(rows))
    if part.rows is not None:
        part.rows = rows[part.rows]
        return part
    few, part.codes = part.codes, np.full(len(texts), part.size, np.int32)
    part.codes[rows] = few
    return part


def _coded(name: str, column: Coded) -> list[Part]:
    texts, codes = column
    if _parted(name, texts):
        return [_part(_spread(name, column))]
    held = texts if len(texts) <= FEW else pl.Series(texts, dtype=pl.String)
    return [Part(held, codes)] if texts else []


def _spread(name: str, column: Coded) -> pl.Series:
    texts, codes = column
    return pl.Series(name, [*texts, None], dtype=pl.String).gather(codes)


def _part(series: pl.Series) -> Part:
    if isinstance(series.dtype, pl.List):
        return _elements(series)
    held, codes = _encode(as_text(series))
    if series.dtype == pl.String and _parted(series.name, held):
        return _elements(series.str.split(ecs.BETWEEN))
    return Part(held, codes)


def _parted(name: str, held: pl.Series | list[str]) -> bool:
    """Whether any of the distinct texts of a column is several values, as only a vendor's may be."""
    if not ecs.several(name):
        return False
    if isinstance(held, list):
        return any(ecs.BETWEEN in text for text in held)
    return bool(held.str.contains(ecs.BETWEEN, literal=True).any())


def _elements(lists: pl.Series) -> Part:
    lengths = lists.list.len().fill_null(0).to_numpy()
    rows = np.repeat(np.arange(len(lists), dtype=np.int64), lengths)
    elements = lists.filter(pl.Series(lengths > 0)).explode()
    return Part(*_encode(as_text(elements)), rows)


def _encode(texts: pl.Series) -> tuple[pl.Series | list[str], Codes]:
    """Distinct texts, and the code of each element."""
    if len(texts) <= FEW:
        return _encode_few(texts.to_list())
    from rules.engine import many  # Arrow, which a start over few events does without

    found, codes = many.encoded(texts)
    return found.to_list() if len(found) <= FEW else found, codes


def _encode_few(texts: list[str | None]) -> tuple[list[str], Codes]:
    numbers: dict[str, int] = {}
    codes = [-1 if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    coded = np.array(codes, np.int32)
    coded[coded < 0] = len(numbers)
    return list(numbers), coded


def _edged_list(texts: list[str]) -> Edged:
    values = [text.encode() for text in texts]
    return Edged(EDGE + EDGE.join(values) + EDGE, _starts(np.array([len(value) for value in values])), 0)


def _edged_series(texts: pl.Series, first: int) -> Edged:
    from rules.engine import many

    joined, lengths = many.joined(texts, EDGE)
    return Edged(EDGE + joined + EDGE, _starts(lengths), first)


def _starts(lengths: Rows) -> Rows:
    """Where each value begins: one edge before the first, one between each two."""
    starts = np.ones(len(lengths), np.int64)
    np.cumsum(lengths[:-1] + 1, out=starts[1:])
    starts[1:] += 1
    return starts


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
