"""Reading only what detection asks for: most events match no rule, and nobody asks for their whole document.

A source that can tells, of each line, what its events have in common (`Constants`), asks which columns
rules read of such events, and reads those columns alone. Lines about which it is not certain it names in
`whole`: only the source's full reading can tell. What is in neither is understood and cannot match.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from collectors.cells import Cells
from collectors.coded import Coded

Rows = np.ndarray[Any, np.dtype[np.int64]]
"""Positions."""

Constants = tuple[tuple[str, str | None], ...]
"""(column, text) pairs that hold of every event of a kind, in order of column."""

Asked = Callable[[Constants], frozenset[str] | None]
"""The columns that rules read of a kind of event: none where no rule can hold, None for the whole event."""


class Kind(NamedTuple):
    """Events of one kind: the numbers of their lines, and the columns asked, each text as the full reading would write it."""

    constants: Constants
    rows: Rows
    columns: Mapping[str, Coded]


class Narrowed(NamedTuple):
    """What a narrow reading made of lines: the kinds that rules ask of, and the lines that need the full reading."""

    kinds: list[Kind]
    whole: list[int]


class Reading(Protocol):
    """Lines that are read narrowly, block by block. weight: about how many bytes are held for their kinds, however few lines
    there are of each."""

    weight: int

    def add(self, first: int, lines: Sequence[bytes]) -> list[int]:
        """Read lines, which are numbered from `first` on: the numbers of those of which anything is asked, or that need the
        full reading."""
        ...

    def finish(self) -> Narrowed:
        """All that was read. Asked once."""
        ...


class Narrow(Protocol):
    """How a source reads narrowly. Neither raises, whatever the lines."""

    def reading(self, asked: Asked) -> Reading:
        """Begin to read lines."""
        ...

    def constants(self, line: bytes) -> Constants | None:
        """The kind of one line; None where only the full reading can tell."""
        ...


EDGE = r"[^!-~]"
"""A byte that no value begins or ends with once blanks are taken off: a blank, a line's end, no ASCII."""


@dataclass(frozen=True, slots=True)
class Text:
    """How a line holds the text of a column: letter by letter, case and signs beyond `Verbatim.signs` aside.

    All are regular expressions without case, of bytes; `{name}` is what a family's column has for its `*`,
    `{longest}` the longest of the names in it.
    marks: a line that fills the column at all holds one of them (none: unknown); before, after: what stands right before
    and right behind the whole text (empty: anything); number: the text is a whole number, whose zeros and sign in front are
    lost; empty: what an empty text looks like (None: unknown); filled: the text is never empty; only: the texts that it
    can be, where the source writes them itself whatever the line.
    """

    marks: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    number: bool = False
    empty: str | None = None
    filled: bool = False
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What a source says of its lines, so that a line that no rule can match need not be read.

    columns: by column, or by family (`vendor.*`), what its text is in the line; where: by routing column and text (case
    folded), expressions of which the line of such an event holds one; always: lines that hold one of these are read
    whatever they hold else; escapes: whether letters may stand as JSON writes them (`\\u0041`); signs: the class of signs that
    stand as they are; own: the class of signs of which texts consist that the source writes itself; joints: signs at
    which texts are put together that stand apart in the line; cells: values that can be read without the rest.
    """

    columns: Mapping[str, Text]
    where: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    escapes: bool = True
    signs: str = r"a-z0-9 _.()&%$#@!~+;,\-"
    own: str = r"a-z0-9 _.,\-"
    joints: str = ""
    cells: Cells | None = None

    def of(self, column: str) -> Text | None:
        """What is known of a column; None where nothing is."""
        if (known := self.columns.get(column)) is not None:
            return known
        if "[]" in column or "|" in column:
            return None  # made of other columns, see `rules.engine.derived`
        for family, text in self.columns.items():
            if family.endswith("*") and column.startswith(family[:-1]):
                return _named(text, column[len(family) - 1 :])
        return None


def _named(text: Text, name: str) -> Text:
    longest = re.escape(max(name.lower().split("."), key=len))
    name = re.escape(name.removesuffix("_").lower())
    return replace(
        text,
        marks=tuple(mark.replace("{name}", name).replace("{longest}", longest) for mark in text.marks),
        before=text.before.replace("{name}", name),
        after=text.after.replace("{name}", name),
        empty=None if text.empty is None else text.empty.replace("{name}", name),
    )


DOCUMENT = r'\{\s*"|^(?:\xef\xbb\xbf|[ \t])*"|\\"'
"""A line of text that is inside a shipper's JSON document, behind a container's clock too, is a JSON string, or has its quotation
marks escaped (`collectors.carried`): its letters, and what stands around texts, may be escaped."""


ADDRESSES = (r"(?:^|[^g-z])::", r"(?:[0-9a-f]{1,4}:){6}")
"""What every line with an IPv6 address holds: a column has its short form (RFC 5952), the line may have another. No reader
takes an address that begins right behind a letter beyond f: `arn:aws:sts::1` is none."""


class Passing(NamedTuple):
    """Of events of a kind: rule → places where it holds, and places where only the full reading can tell."""

    rules: Mapping[int, Rows]
    untold: Rows


class Sieve(Protocol):
    """What the rules ask of one source's events; see `rules.engine.sieve`."""

    def asked(self, constants: Constants) -> frozenset[str] | None:
        """The columns asked of a kind."""
        ...

    def passing(self, kind: Kind) -> Passing:
        """Which rules hold where in the events of a kind."""
        ...

    def spoken(self, lines: Sequence[bytes]) -> Iterable[tuple[int, set[str]]]:
        """Lines that hold words of keywords."""
        ...

    def holding(self, verbatim: Verbatim, lines: Sequence[bytes]) -> list[int] | None:
        """Lines that hold what every match needs; None where one cannot tell."""
        ...

    def speaks(self, constants: Constants, words: set[str]) -> bool:
        """Whether a kind may match by such words."""
        ...
