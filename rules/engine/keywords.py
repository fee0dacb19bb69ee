"""Keywords, which look at every text of an event: all texts of a batch are looked through at once, columns beside columns.

Of each keyword one run of letters is its word. A text without the word cannot hold the keyword; of the texts that
hold a word columns are made, in which the keywords are then looked for exactly. So a rule of keywords costs one pass
over the bytes: distinct values are not gathered, folded and scanned in each of a hundred columns.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import hyperscan
import numpy as np
import polars as pl

from rules.engine import hyperscan_db, pattern
from rules.engine.cache import Cache
from rules.engine.columns import Columns, Part, Rows, part_of_rows
from rules.engine.distinct import distinct
from rules.engine.expression import ANY
from rules.engine.hyperscan_db import Database
from rules.engine.program import Atom
from rules.engine.spoken import FOLDING

_FEW = 32
"""Rows below which Python lists are quicker than a native call a column."""
_BUFFER = 64 * 1024 * 1024
"""Bytes that one scan looks through (Hyperscan counts them in 32 bits), or one longer text."""


def word_of(atom: Atom) -> str:
    """The longest run of a keyword that stands in a text as it is, but for the case of ASCII; empty where it has none."""
    texts = [part for part in atom.operand if isinstance(part, str)]
    return max((run for text in texts for run in _runs(text)), key=len, default="")


def _runs(text: str) -> list[str]:
    return "".join(letter if plain(letter) else "\n" for letter in text).split("\n")


@lru_cache(4096)
def plain(letter: str) -> bool:
    """Whether no other letter folds to this one, but for the case of ASCII and the letters of `FOLDING`."""
    return letter.isascii() or letter.lower() == letter.upper() == letter


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts as they lie in memory, text n from bounds[n] to bounds[n + 1]; and the columns that they are, one after another.

    first: the row of the first text, where they are only a stretch of one column.
    """

    data: memoryview | bytes
    bounds: Rows
    columns: list[str]
    first: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some keywords as a database that takes letters that hide others for words, too."""

    database: Database

    @classmethod
    def of(cls, atoms: Iterable[Atom], store: Cache) -> "Words | None":
        """The words of these keywords; None where one has none."""
        words = sorted({word_of(atom) for atom in atoms})
        if not all(words):
            return None
        said = [pattern.expression((ANY, word, ANY)) for word in words] + list(FOLDING)
        flags = hyperscan.HS_FLAG_CASELESS
        return cls(hyperscan_db.compiled([(n, text, flags) for n, text in enumerate(said)], store))

    def parts(self, columns: Columns) -> list[Part]:
        """Of the columns that keywords search those that may hold one: their texts that hold a word, and lists whole."""
        plain_ones, lists = columns.contents()
        found = [part for column in lists for part in columns.parts(column)]
        for column, rows in self._holding(columns.frame, plain_ones):
            found.append(part_of_rows(columns.frame.get_column(column), rows))
        return found

    def _holding(self, frame: pl.DataFrame, names: list[str]) -> Iterator[tuple[str, Rows]]:
        """The columns with a word in them, and the rows that hold one."""
        texts = (
            [_listed(frame, names)]
            if frame.height <= _FEW
            else itertools.chain.from_iterable(_native(frame, name) for name in names)
        )
        for one in texts:
            _, ends = hyperscan_db.scan_buffer(self.database, one.data)
            if len(ends):
                numbers = distinct(np.searchsorted(one.bounds, ends - 1, side="right") - 1) + one.first
                owners = numbers // frame.height
                for owner in distinct(owners).tolist():
                    yield one.columns[owner], numbers[owners == owner] % frame.height


def _listed(frame: pl.DataFrame, names: list[str]) -> _Texts:
    """All texts of a few rows."""
    texts = [text.encode() if text else b"" for name in names for text in frame.get_column(name).to_list()]
    return _Texts(b"".join(texts), np.cumsum([0, *map(len, texts)]), names)


def _native(frame: pl.DataFrame, name: str) -> Iterator[_Texts]:
    """One column where Arrow has its texts one behind the other, in stretches that one scan takes."""
    array = frame.get_column(name).rechunk().to_arrow()
    _, offsets, data = array.buffers()
    bounds: Rows = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    full = np.arange(bounds[0] + _BUFFER, bounds[-1], _BUFFER)
    cuts = distinct(np.concatenate(([0], np.searchsorted(bounds, full), [len(array)]))).tolist()
    for start, end in itertools.pairwise(cuts):
        held = memoryview(data or b"")[int(bounds[start]) : int(bounds[end])]
        yield _Texts(held, bounds[start : end + 1] - bounds[start], [name], start)
