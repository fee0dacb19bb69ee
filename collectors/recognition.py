"""Which sources look like each of some lines, at a few microseconds a line.

Two hundred expressions take a tenth of a second to be made ready, each time anew, as Polars keeps few of them. Hyperscan holds
all of them at once and tells in one pass which sources may; those confirm it themselves (`Source.fits`). Making it takes about
a second, once a process, when the first lines come that no known source takes.
"""

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import hyperscan
import polars as pl

from collectors.source import Source

_FLAGS = (
    hyperscan.HS_FLAG_PREFILTER
    | hyperscan.HS_FLAG_UTF8
    | hyperscan.HS_FLAG_SINGLEMATCH
    | hyperscan.HS_FLAG_ALLOWEMPTY
)
"""Without UCP, with which the expressions take half a minute; `_wider` says what is done about it."""
_BEYOND = r"\x{80}-\x{10ffff}"
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")


class Sieve:
    """The expressions of some sources in one database; those that Hyperscan refuses may be in any line."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self.lock = threading.Lock()
        numbered = list(enumerate(expressions))
        self.database = _compiled(numbered)
        refused = [] if self.database else [one for one in numbered if not _compiled([one])]
        self.always = frozenset(number for number, _ in refused)
        if refused:
            self.database = _compiled([one for one in numbered if one not in refused])

    def may_fit(self, lines: Sequence[str]) -> list[set[int]]:
        """Of each line the numbers of the expressions that may be in it: none that is in it is missing."""
        found = [set(self.always) for _ in lines]
        if self.database is None:
            return found

        def seen(number: int, _start: int, _end: int, _flags: int, place: int) -> None:
            found[place].add(number)

        with self.lock:
            for place, line in enumerate(lines):
                self.database.scan(line.encode(), match_event_handler=seen, context=place)
        return found


def looks_like(sources: Sequence[Source], lines: pl.Series) -> list[set[str]]:
    """Of each line (text without nulls) the names of the sources that recognise it."""
    known = [source for source in sources if any(source.recognised_by())]
    expressions = [(n, one) for n, source in enumerate(known) for one in source.recognised_by()]
    texts = lines.to_list()
    places: dict[int, list[int]] = {}
    for place, numbers in enumerate(_sieve(tuple(one for _, one in expressions)).may_fit(texts)):
        for owner in {expressions[number][0] for number in numbers}:
            places.setdefault(owner, []).append(place)
    names: list[set[str]] = [set() for _ in texts]
    for owner, maybe in places.items():
        for place, fits in zip(maybe, known[owner].fits(lines[maybe]), strict=True):
            if fits:
                names[place].add(known[owner].name)
    return names


@lru_cache(maxsize=2)
def _sieve(expressions: tuple[str, ...]) -> Sieve:
    return Sieve(expressions)


def _compiled(expressions: Sequence[tuple[int, str]]) -> Any:
    """The database of numbered expressions; None where there are none, or Hyperscan takes one of them not."""
    if not expressions:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            ids=[number for number, _ in expressions],
            expressions=[_wider(text).encode() for _, text in expressions],
            flags=[_FLAGS] * len(expressions),
            elements=len(expressions),
        )
    except hyperscan.HyperscanError:
        return None
    database.scratch = hyperscan.Scratch(database)
    return database


def _wider(expression: str) -> str:
    r"""With `\w` and `\d` as Rust has them, of every script, and more: what passes is confirmed. `\b` stays ASCII's, which is
    at least where Rust's is beside ASCII letters; a class that leaves out keeps what it leaves out of ASCII."""
    return _PIECE.sub(lambda piece: _wider_piece(piece[0]), expression)


def _wider_piece(piece: str) -> str:
    if piece in (r"\w", r"\d"):
        return rf"[{piece}{_BEYOND}]"
    if piece.startswith("[") and not piece.startswith("[^"):
        return re.sub(r"\\[wd]", lambda short: short[0] + _BEYOND, piece)
    return piece
