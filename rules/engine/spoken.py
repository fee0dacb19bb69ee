"""Keywords in raw lines: every text of an event stands in its line, letter by letter unless it is escaped.

Of a keyword the longest run of letters that JSON writes as they are is its word: a line without the word
holds no text with the keyword. Where a line hides letters (`\\u006d`, a long s, a Kelvin sign), it is written
anew without escapes and with case folded before it is looked at.
"""

import re
from collections.abc import Sequence

import hyperscan
import orjson

from collectors import json_text
from hinomi import ecs
from rules.engine import hyperscan_db
from rules.engine.cache import Cache
from rules.engine.fold import fold_all
from rules.engine.joined import Joined
from rules.engine.program import Atom

_RUN = re.compile(r"[a-z0-9 :;,._=()&%$#@!~+/-]+")
_SIGNS = re.compile(r"true|false|null|[0-9e.+:, -]")
"""What JSON's own signs and numbers may be rewritten in; a word needs more than these."""
_SHORTEST = 3
HIDING = (
    *(rb"\\u00%d" % digit for digit in range(8)),
    rb"\\u212[aA]",
    rb"\\u017[fF]",
    rb"\\u0130",
    rb"\\/",
    rb"\xe2\x84\xaa",
    rb"\xc5\xbf",
    rb"\xc4\xb0",
    rb"\x1f",
)
"""Letters of ASCII that are escaped, and those beyond it whose lower case is, or holds, one of ASCII: the Kelvin sign,
the long s, the dotted I; the sign for which the full reading has a blank (`ecs.BETWEEN`)."""
FOLDING = HIDING[-4:]
"""Those beyond and the sign, which hide letters in lines of any kind."""


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
        patterns += [(len(words), sign, 0) for sign in HIDING]
        self.database = hyperscan_db.compiled(patterns, store)

    def find(self, lines: Sequence[bytes]) -> list[tuple[int, set[str]]]:
        """(place of a line, words in it) of the lines that hold any."""
        if not self.words or not lines:
            return []
        found, hiding = self._scan(range(len(lines)), lines)
        if hiding:
            shown, _ = self._scan(hiding, [written_anew(lines[place]) for place in hiding])
            for place, words in shown.items():
                found.setdefault(place, set()).update(words)
        return sorted(found.items())

    def _scan(self, places: Sequence[int], lines: Sequence[bytes]) -> tuple[dict[int, set[str]], list[int]]:
        """The words of each line that has any, and the lines in which letters are hidden."""
        joined = Joined.of(lines)
        numbers, ends = hyperscan_db.scan_buffer(self.database, joined.text)
        found: dict[int, set[str]] = {}
        hiding: set[int] = set()
        for owner, number in zip(joined.owners(ends - 1).tolist(), numbers.tolist(), strict=True):
            if number == len(self.words):
                hiding.add(places[owner])
            else:
                found.setdefault(places[owner], set()).add(self.words[number])
        return found, sorted(hiding)


def written_anew(line: bytes) -> bytes:
    """The line as the full reading takes it, without escapes but those that JSON demands, in folded case."""
    try:
        written = orjson.dumps(json_text.read(line)).decode()
    except json_text.UnreadableError:
        written = line.decode("utf-8", "replace").replace(ecs.BETWEEN, " ")
    return fold_all([written])[0].encode()
