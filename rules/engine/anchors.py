"""Anchors: scanned atoms of which at least one must be found wherever a program holds."""

from collections.abc import Sequence

from rules.engine import pattern
from rules.engine.program import Atom, Program

_COMMON = {"winlog.event_id": 500.0, "winlog.channel": 1000.0, "winlog.provider_name": 500.0}
"""Columns of few values: an atom there is found in every other event and makes a poor anchor."""


class Anchors:
    """Chooses anchors among the atoms of a rule set (a list that may still grow)."""

    def __init__(self, atoms: Sequence[Atom]) -> None:
        self.atoms = atoms
        self._weights: dict[int, float] = {}

    def of(self, program: Program) -> frozenset[int] | None:
        """The rarest set that one can tell; None where there is none (a program of negations only)."""
        match program:
            case ["any", _, atoms]:
                return frozenset(atoms)
            case ["all", _, atoms]:
                return frozenset([min(atoms, key=self.weight)])
            case ["or", args]:
                found = [self.of(arg) for arg in args]
                return None if None in found else frozenset().union(*(f for f in found if f is not None))
            case ["and", args]:
                known = [f for f in map(self.of, args) if f is not None]
                return min(known, key=lambda atoms: sum(map(self.weight, atoms)), default=None)
        return None

    def weight(self, number: int) -> float:
        """How often an atom is likely to be found: guessed from its longest literal and its column."""
        known = self._weights.get(number)
        if known is None:
            known = self._weights[number] = _weight(self.atoms[number])
        return known


def _weight(atom: Atom) -> float:
    if atom.operator == "re":
        return 1.0
    runs = pattern.literals(tuple(atom.operand))
    whole = len(runs) == 1 and runs[0].startswith(pattern.EDGE) and runs[0].endswith(pattern.EDGE)
    length = max(map(len, runs)) + (3 if whole else 0)
    return _COMMON.get(atom.column, 1.0) * (0.8**length + 0.001)
