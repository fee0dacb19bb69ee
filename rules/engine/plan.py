"""What is left of a rule set for events that have some values in common.

The events of a batch often share the columns that route them: one channel and event id, one category. What
a program asks of such columns is worked out once for all batches of that kind, so that most rules fall
away before a row is looked at, and the others ask of fewer columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from rules.engine.anchors import Anchors
from rules.engine.columns import KEYWORDS
from rules.engine.expression import REFERENCES
from rules.engine.fold import fold_all
from rules.engine.logsource import Wanted
from rules.engine.program import ALWAYS, NEVER, Atom, Key, Place, Program, Unit, atoms_of

_WILDCARDS = ("folded", "exact")

Constants = tuple[tuple[str, str | None], ...]
"""(column, its one text or None for a column without values), in order of name."""

Leaf = Callable[[Program], bool]
"""Whether a program that asks of constant columns only holds."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one rule on one route: where its rows are, and what they must hold."""

    rule: int
    where: Wanted
    program: Program
    anchors: frozenset[int] | None


class Plan:
    """The rules that may hold, found by their anchors."""

    def __init__(self, left: Iterable[Left], atoms: list[Atom]) -> None:
        self.left = list(left)
        self.atoms = atoms
        self.anchored: dict[int, list[int]] = defaultdict(list)
        self.unanchored: list[int] = []
        self.keys: set[Key] = set()
        for number, one in enumerate(self.left):
            self._index(number, one.anchors)

    def _index(self, number: int, anchors: frozenset[int] | None) -> None:
        if anchors is None:
            self.unanchored.append(number)
            return
        for anchor in anchors:
            atom = self.atoms[anchor]
            assert atom.space is not None
            self.anchored[anchor].append(number)
            self.keys.add((atom.column, atom.space))

    @cached_property
    def keywords(self) -> frozenset[int]:
        """The atoms of wildcard patterns that any of the rules looks for in every text."""
        asked = {number for one in self.left for number in atoms_of(one.program)}
        return frozenset(
            n for n in asked if self.atoms[n].column == KEYWORDS and self.atoms[n].space in _WILDCARDS
        )

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every column that any of the rules asks of; KEYWORDS where one asks of all."""
        asked = {column for one in self.left for column, _ in one.where}
        return frozenset(asked.union(*(columns(one.program, self.atoms) for one in self.left)))


def columns(program: Program, atoms: list[Atom]) -> set[str]:
    """The columns that a program asks of."""
    match program:
        case ["any" | "all", str(column), _]:
            return {column}
        case ["test", int(number)]:
            atom = atoms[number]
            return {atom.column, atom.operand} if atom.operator in REFERENCES else {atom.column}
        case ["not", arg]:
            return columns(arg, atoms)
    found: set[str] = set()
    return found.union(*(columns(arg, atoms) for arg in program[1]))


def asking(
    program: Program, atoms: list[Atom], known: Callable[[set[str]], bool], held: Program = ALWAYS
) -> Program:
    """The program with what it asks of unknown columns taken to hold where that makes it true, and not under `not`."""
    match program:
        case ["not", arg]:
            return ["not", asking(arg, atoms, known, NEVER if held == ALWAYS else ALWAYS)]
        case ["and" | "or" as kind, args]:
            return [kind, [asking(arg, atoms, known, held) for arg in args]]
    return program if known(columns(program, atoms)) else held


class Planner:
    """Makes plans of one rule set."""

    def __init__(self, atoms: list[Atom], places: list[Place], units: Iterable[Unit]) -> None:
        self.atoms = atoms
        self.places = places
        self.units: dict[int, list[Unit]] = defaultdict(list)
        self.anchors = Anchors(atoms)
        for unit in units:
            self.units[unit.route].append(unit)

    def plan(self, places: Iterable[int], constants: Mapping[str, str | None], holds: Leaf) -> Plan:
        """What may hold in these places; `holds` decides over programs that ask of the constants only."""
        folding = _Folding(self.atoms, constants, holds)
        return Plan(
            (one for place in places for one in self._of_place(place, constants, folding)), self.atoms
        )

    def _of_place(
        self, number: int, constants: Mapping[str, str | None], folding: "_Folding"
    ) -> Iterator[Left]:
        where = self.places[number].where
        if not all(folding.may_be(column, values) for column, values in where):
            return
        rest = tuple((column, values) for column, values in where if column not in constants)
        for unit in self.units[number]:
            program = folding.fold(unit.program)
            if program != NEVER:
                yield Left(unit.rule, rest, program, self._anchors(unit, program))

    def _anchors(self, unit: Unit, program: Program) -> frozenset[int] | None:
        if program is not unit.program:
            return self.anchors.of(program)
        return None if unit.anchors is None else frozenset(unit.anchors)


class _Folding:
    """Works out what asks of constants. An unchanged program stays the same object."""

    def __init__(self, atoms: list[Atom], constants: Mapping[str, str | None], holds: Leaf) -> None:
        self.atoms = atoms
        self.constants = constants.keys()
        self.holds = holds
        self.texts = {
            column: None if text is None else fold_all([text])[0] for column, text in constants.items()
        }

    def may_be(self, column: str, values: tuple[str, ...]) -> bool:
        """Whether a column can have one of these (folded) values."""
        return column not in self.texts or self.texts[column] in values

    def fold(self, program: Program) -> Program:
        """What is left of a program: ALWAYS, NEVER, or what asks of other columns."""
        match program:
            case ["not", arg]:
                return self._not(program, self.fold(arg))
            case ["and" | "or" as kind, args]:
                return self._joined(program, kind, [self.fold(arg) for arg in args])
            case ["any" | "all", column, _] if column not in self.constants:
                return program
            case ["test", number] if self.atoms[number].column not in self.constants:
                return program
        if columns(program, self.atoms) <= self.constants:
            return ALWAYS if self.holds(program) else NEVER
        return program

    def _not(self, program: Program, arg: Program) -> Program:
        if arg == NEVER:
            return ALWAYS
        if arg == ALWAYS:
            return NEVER
        return program if arg is program[1] else ["not", arg]

    def _joined(self, program: Program, kind: str, args: list[Program]) -> Program:
        stops, passes = (NEVER, ALWAYS) if kind == "and" else (ALWAYS, NEVER)
        if stops in args:
            return stops
        left = [arg for arg in args if arg != passes]
        if not left:
            return passes
        if len(left) == 1:
            return left[0]
        if len(left) == len(args) and all(new is old for new, old in zip(args, program[1], strict=True)):
            return program
        return [kind, left]
