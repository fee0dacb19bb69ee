"""What an earlier rule set knows, so that one changed rule is compiled alone.

A rule that says the same of the same log source becomes the same programs: its units are taken over with the
numbers of their atoms, and atoms that are new come behind those that are there. The database of a column, which
takes up to half a second to compile, stays as it is; what came later is in a second, small one beside it
(`rules.engine.scans`), until that has grown to a share of the first and both are made one (`settle`).
Atoms that no rule asks for any more stay in the large database until then: found for nobody.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from rules.engine.program import Atom, Compiled, Key, Program, atoms_of

FEW = 64
"""Atoms that a column's small database may hold at any rate."""
SHARE = 16
"""And otherwise one for so many of the large one."""
MANY = 1_000
"""Atoms that may be added at any rate until all is compiled at once again."""
_MADE: tuple[str, ...] = ("feeds", "said", "unsupported")
"""What compiling adds to what a rule says of itself."""
GONE = Atom("", "gone", None, None)
"""Stands where an atom was that nobody asks for: the others keep their numbers."""


class Piece(NamedTuple):
    """What one rule became: what is known of it beside what it says of itself, and (place, program, anchors)."""

    about: dict[str, Any]
    units: list[tuple[int, Program, list[int] | None]]


@dataclass(slots=True)
class Known:
    """The pieces of an earlier rule set."""

    earlier: Compiled
    _pieces: dict[tuple[bytes, str], Piece] = field(default_factory=dict)

    def __post_init__(self) -> None:
        units = defaultdict(list)
        for unit in self.earlier.units:
            units[unit.rule].append((unit.route, unit.program, unit.anchors))
        for index, rule in enumerate(self.earlier.rules):
            about = {name: rule[name] for name in _MADE if name in rule}
            self._pieces[_named(rule["logsource"], rule["said"])] = Piece(about, units[index])

    def piece(self, logsource: Mapping[str, str], said: str) -> Piece | None:
        """What a rule that says this became."""
        return self._pieces.get(_named(logsource, said))

    def start(self) -> Compiled:
        """A rule set without rules whose atoms and places are there already."""
        one = self.earlier
        return Compiled(
            atoms=list(one.atoms), places=list(one.places), whole=one.whole, merged=dict(one.merged)
        )


def worn(made: Compiled) -> bool:
    """Whether so much was added since all was compiled at once that all should be again."""
    return len(made.atoms) - made.whole > max(MANY, made.whole // 4)


def settle(made: Compiled) -> None:
    """Where a column's small database has grown too large, one database is to be made of both."""
    large, small = Counter[Key](), Counter[Key]()
    for number, atom in enumerate(made.atoms):
        if atom.space is not None:
            key = (atom.column, atom.space)
            (small if number >= made.behind(key) else large)[key] += 1
    grown = {key for key, held in small.items() if held > max(FEW, large[key] // SHARE)}
    if not grown:
        return
    asked = {number for unit in made.units for number in atoms_of(unit.program)}
    for number, atom in enumerate(made.atoms):
        if number not in asked and (atom.column, atom.space) in grown:
            made.atoms[number] = GONE
    made.merged.update(dict.fromkeys(grown, len(made.atoms)))


def _named(logsource: Mapping[str, str], said: str) -> tuple[bytes, str]:
    return orjson.dumps(logsource, option=orjson.OPT_SORT_KEYS), said
