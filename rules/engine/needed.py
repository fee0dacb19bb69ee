"""Which lines hold what rules need: one native scan of all lines, then sets of line numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import hyperscan
import numpy as np
import numpy.typing as npt
import orjson

from collectors.narrow import Verbatim
from rules.engine import hyperscan_db
from rules.engine.cache import Cache
from rules.engine.distinct import distinct
from rules.engine.joined import Joined
from rules.engine.necessary import AllOf, AnyOf, Need, Word
from rules.engine.spoken import FOLDING, HIDING, written_anew

Mask = npt.NDArray[np.bool_]
_TWICE = re.compile(rb"\\\\(?:u00[0-7]|u212a|u017f|u0130|/)", re.IGNORECASE)
"""A letter that is still escaped when the line is written anew: of JSON that is text in JSON."""


@dataclass(slots=True)
class Needed:
    """A need, looked for in lines. need: None where one cannot tell."""

    need: Need | None
    verbatim: Verbatim
    store: Cache
    _numbers: dict[str, int] = field(default_factory=dict)
    _database: hyperscan_db.Database | None = None

    def __post_init__(self) -> None:
        if self.need is None:
            return
        self._gather(self.need)
        flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_DOTALL
        patterns = [(number, text.encode(), flags) for text, number in self._numbers.items()]
        signs = HIDING if self.verbatim.escapes else FOLDING
        patterns += [(len(self._numbers), sign, 0) for sign in signs]
        self._database = hyperscan_db.compiled(patterns, self.store)
        if self._database.left_out:
            self.need = None

    def _gather(self, need: Need) -> None:
        match need:
            case Word(expression, _):
                self._numbers.setdefault(expression, len(self._numbers))
            case AllOf(parts) | AnyOf(parts):
                for part in parts:
                    self._gather(part)

    def holding(self, lines: Sequence[bytes]) -> list[int] | None:
        """Places of the lines that hold what is needed, and of those whose letters nobody knows: no UTF-8, no JSON, JSON whose
        letters are escaped twice."""
        looked = self.look(lines)
        if looked is None or self.need is None:
            return None
        places: list[int] = np.flatnonzero(looked.held(self.need) | looked.untold).tolist()
        return places

    def look(self, lines: Sequence[bytes]) -> "Looked | None":
        """What was found where; None where one cannot tell."""
        if self.need is None or self._database is None:
            return None
        if not lines:
            return Looked(self._numbers, {}, np.zeros(0, np.bool_))
        joined = Joined.of(lines)
        found = self._scan(joined, np.arange(len(lines)), len(lines))
        untold = joined.foreign()
        marked = found.pop(len(self._numbers), None)
        hiding = [] if marked is None else np.flatnonzero(marked).tolist()
        if hiding:
            untold[[place for place in hiding if self.verbatim.escapes and not _is_json(lines[place])]] = True
            written = [written_anew(lines[place]) for place in hiding]
            if self.verbatim.escapes:
                untold[
                    [place for place, text in zip(hiding, written, strict=True) if _TWICE.search(text)]
                ] = True
            for number, mask in self._scan(Joined.of(written), np.array(hiding), len(lines)).items():
                found[number] = found[number] | mask if number in found else mask
        return Looked(self._numbers, found, untold)

    def _scan(self, joined: Joined, places: npt.NDArray[np.int64], height: int) -> dict[int, Mask]:
        """By word the lines that hold it."""
        assert self._database is not None
        numbers, ends = hyperscan_db.scan_buffer(self._database, joined.text)
        owners = places[joined.owners(ends - 1)] if len(ends) else ends
        masks: dict[int, Mask] = {}
        for number in distinct(numbers).tolist():
            masks[number] = np.zeros(height, np.bool_)
            masks[number][owners[numbers == number]] = True
        return masks


@dataclass(frozen=True, slots=True)
class Looked:
    """Lines that were looked at. found: by number of a word the lines that hold it; untold: lines of which nobody knows."""

    numbers: Mapping[str, int]
    found: Mapping[int, Mask]
    untold: Mask

    def held(self, need: Need) -> Mask:
        """Which lines hold what is needed."""
        match need:
            case Word(expression, _):
                mask = self.found.get(self.numbers[expression])
                return np.zeros(len(self.untold), np.bool_) if mask is None else mask
            case AllOf(parts):
                held = np.ones(len(self.untold), np.bool_)
                for part in parts:
                    held &= self.held(part)
                return held
            case AnyOf(parts):
                held = np.zeros(len(self.untold), np.bool_)
                for part in parts:
                    held |= self.held(part)
                return held


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
