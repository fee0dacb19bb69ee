"""Keywords in raw lines: every text of an event stands in its line, letter by letter unless it is escaped.

Of a keyword the longest run of letters that JSON writes as they are is its word: a line without the word
holds no text with the keyword. Where a line hides letters (`\\u006d`, a long s, a Kelvin sign), it is written
anew without escapes and with case folded before it is looked at.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import hyperscan
import numpy as np
import numpy.typing as npt
import orjson

from rules.engine import hyperscan_db
from rules.engine.cache import Cache
from rules.engine.fold import fold_all
from rules.engine.program import Atom

_RUN = re.compile(r"[a-z0-9 :;,._=()&%$#@!~+/-]+")
_SIGNS = re.compile(r"true|false|null|[0-9e.+:, -]")
"""What JSON's own signs and numbers may be rewritten in; a word needs more than these."""
_SHORTEST = 3
_ESCAPES = (b"\\u", b"\\/")
_BACKSLASH = 0x5C
_FOLDING = (b"\xe2\x84\xaa", b"\xc5\xbf", b"\xc4\xb0")
"""Letters beyond ASCII whose lower case is, or holds, one of ASCII: Kelvin sign, long s, dotted I."""


def word_of(atom: Atom) -> str:
    """The word of a keyword; empty where it has none that is long enough."""
    if atom.operator not in ("is", "is_cased"):
        return ""
    texts = [part.lower() for part in atom.operand if isinstance(part, str)]
    runs = [run for text in texts for run in _RUN.findall(text)]
    longest = max((run for run in runs if _SIGNS.sub("", run)), key=len, default="")
    return longest if len(longest) >= _SHORTEST else ""


class Words:
    """Finds words in lines."""

    def __init__(self, words: Sequence[str], store: Cache) -> None:
        self.words = words
        patterns = [
            (number, re.escape(word).encode(), hyperscan.HS_FLAG_CASELESS)
            for number, word in enumerate(words)
        ]
        self.database = hyperscan_db.compiled(patterns, store)

    def find(self, lines: Sequence[bytes]) -> list[tuple[int, set[str]]]:
        """(place of a line, words in it) of the lines that hold any."""
        if not self.words or not lines:
            return []
        whole = _Joined.of(lines)
        found = self._scan(range(len(lines)), whole)
        hiding = whole.hiding()
        if hiding:
            shown = _Joined.of([_shown(lines[place]) for place in hiding])
            for place, words in self._scan(hiding, shown).items():
                found.setdefault(place, set()).update(words)
        return sorted(found.items())

    def _scan(self, places: Sequence[int], joined: "_Joined") -> dict[int, set[str]]:
        numbers, ends = hyperscan_db.scan_buffer(self.database, joined.text)
        found: dict[int, set[str]] = {}
        for owner, number in zip(joined.owners(ends - 1), numbers.tolist(), strict=True):
            found.setdefault(places[owner], set()).add(self.words[number])
        return found


@dataclass(slots=True)
class _Joined:
    """Lines in one buffer, and where each begins."""

    text: bytes
    starts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> "_Joined":
        starts = np.zeros(len(lines), np.int64)
        np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines))[:-1] + 1, out=starts[1:])
        return cls(b"\n".join(lines), starts)

    def owners(self, places: npt.NDArray[np.int64] | list[int]) -> list[int]:
        """The number of the line in which each byte lies."""
        found: list[int] = (np.searchsorted(self.starts, places, side="right") - 1).tolist()
        return found

    def hiding(self) -> list[int]:
        """The lines in which letters are hidden."""
        escapes = [place for sign in _ESCAPES for place in _places(self.text, sign) if self._escapes(place)]
        folding = [] if self.text.isascii() else [p for sign in _FOLDING for p in _places(self.text, sign)]
        return sorted(set(self.owners(escapes + folding))) if escapes or folding else []

    def _escapes(self, place: int) -> bool:
        """Whether the backslash here is no backslash that is itself escaped."""
        before = place
        while before and self.text[before - 1] == _BACKSLASH:
            before -= 1
        return (place - before) % 2 == 0


def _places(text: bytes, sign: bytes) -> Iterator[int]:
    place = text.find(sign)
    while place >= 0:
        yield place
        place = text.find(sign, place + len(sign))


def _shown(line: bytes) -> bytes:
    """The line without escapes but those that JSON demands, in folded case."""
    try:
        written = orjson.dumps(orjson.loads(line)).decode()
    except orjson.JSONDecodeError:
        written = line.decode("utf-8", "replace")
    return fold_all([written])[0].encode()
