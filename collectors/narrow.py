"""Reading only what detection asks for: most events match no rule, and nobody asks for their whole document.

A source that can tells, of each line, what its events have in common (`Constants`), asks which columns
rules read of such events, and reads those columns alone. Lines about which it is not certain it names in
`whole`: only the source's full reading can tell. What is in neither is understood and cannot match.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

Constants = tuple[tuple[str, str | None], ...]
"""(column, text) pairs that hold of every event of a kind, in order of column."""

Asked = Callable[[Constants], frozenset[str] | None]
"""The columns that rules read of a kind of event: none where no rule can hold, None for the whole event."""


@dataclass(slots=True)
class Narrowed:
    """What a narrow reading made of lines.

    kinds: for each kind that rules ask of, a frame of `row` (position of the line) and the columns asked,
    each text as the full reading would write it; whole: lines that need the full reading.
    """

    kinds: list[tuple[Constants, pl.DataFrame]] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)


class Narrow(Protocol):
    """How a source reads narrowly. Neither raises, whatever the lines."""

    def read(self, lines: Sequence[bytes], asked: Asked) -> Narrowed:
        """The kinds of these lines of which anything is asked."""
        ...

    def constants(self, line: bytes) -> Constants | None:
        """The kind of one line; None where only the full reading can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Columns whose texts stand in the line as they are, escapes and case aside, or joined of such by signs.

    columns: each with what a line has that fills it at all (nothing: unknown); always: words of lines of which
    one cannot tell.
    """

    columns: Mapping[str, tuple[str, ...]]
    always: tuple[str, ...] = ()


class Sieve(Protocol):
    """What the rules ask of one source's events; see `rules.engine.sieve`."""

    def asked(self, constants: Constants) -> frozenset[str] | None:
        """The columns asked of a kind."""
        ...

    def passing(self, constants: Constants, frame: pl.DataFrame) -> Iterable[int]:
        """Places in a frame of those columns that may match."""
        ...

    def spoken(self, lines: Sequence[bytes]) -> Iterable[tuple[int, set[str]]]:
        """Lines that hold words of keywords."""
        ...

    def holding(
        self, held: Mapping[str, tuple[str, ...]], always: Sequence[str], lines: Sequence[bytes]
    ) -> list[int] | None:
        """Lines that hold what every match needs; None where one cannot tell."""
        ...

    def speaks(self, constants: Constants, words: set[str]) -> bool:
        """Whether a kind may match by such words."""
        ...


def sift(narrow: Narrow, sieve: Sieve, lines: Sequence[bytes]) -> list[int]:
    """Positions, in order, of the lines that may match a rule or that only the full reading understands."""
    narrowed = narrow.read(lines, sieve.asked)
    passing = set(narrowed.whole)
    for constants, frame in narrowed.kinds:
        places = sieve.passing(constants, frame)
        passing.update(frame["row"].gather(pl.Series(places, dtype=pl.UInt32)).to_list())
    for place, words in sieve.spoken(lines):
        if place not in passing:
            kind = narrow.constants(lines[place])
            if kind is None or sieve.speaks(kind, words):
                passing.add(place)
    return sorted(passing)
