"""What is left of a rule set for events that have some values in common.

The events of a batch often share the columns that route them: one channel and event id, one category. What
a program asks of such columns is worked out once for all batches of that kind, so that most rules fall
away before a row is looked at, and the others ask of fewer columns.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from rules.engine.anchors import Anchors
from rules.engine.columns import KEYWORDS
from rules.engine.expression import REFERENCES
from rules.engine.fold import fold_all
from rules.engine.program import ALWAYS, NEVER, Atom, Key, Place, Program, Unit, atoms_of
from rules.engine.routes import Wanted

_WILDCARDS = ("folded", "exact")

Constants = tuple[tuple[str, str | None], ...]
"""(column, its one text or None for a column without values), in order of name."""

Leaf = Callable[[Program], bool]
"""Whether a program that asks of constant columns only holds."""


class Left(NamedTuple):
    """What is left of one rule on one route: where its rows are, what they must hold, and the columns that this asks of."""

    rule: int
    where: Wanted
    program: Program
    anchors: frozenset[int] | None
    asked: frozenset[str]


class Plan:
    """The rules that may hold, found by their anchors."""

    def __init__(self, left: Iterable[Left], atoms: list[Atom]) -> None:
        self.left = list(left)
        self.atoms = atoms

    @cached_property
    def anchored(self) -> dict[int, list[int]]:
        """By anchor: the rules (places in `left`) that can hold where it is found."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, one in enumerate(self.left):
            for anchor in one.anchors or ():
                found[anchor].append(number)
        return found

    @cached_property
    def unanchored(self) -> list[int]:
        """The rules (places in `left`) that may hold whatever is found."""
        return [number for number, one in enumerate(self.left) if one.anchors is None]

    @cached_property
    def keys(self) -> set[Key]:
        """The scans that find the anchors."""
        found = ((self.atoms[anchor].column, self.atoms[anchor].space) for anchor in self.anchored)
        return {(column, space) for column, space in found if space is not None}

    @cached_property
    def keywords(self) -> frozenset[int]:
        """The atoms of wildcard patterns that any of the rules looks for in every text."""
        asked = {n for one in self.left if KEYWORDS in one.asked for n in atoms_of(one.program)}
        return frozenset(
            n for n in asked if self.atoms[n].column == KEYWORDS and self.atoms[n].space in _WILDCARDS
        )

    @cached_property
    def columns(self) -> frozenset[str]:
        """Every column that any of the rules asks of; KEYWORDS where one asks of all."""
        asked = (column for where in {one.where for one in self.left} for column, _ in where)
        return frozenset(asked).union(*{one.asked for one in self.left})


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
        self._whole: dict[int, list[Left]] = {}
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
        for whole in self._wholes(number):
            rule, _, program, anchors, asked = whole
            if asked.isdisjoint(folding.constants):
                yield Left(rule, rest, program, anchors, asked)
                continue
            program = folding.fold(program)
            if program is whole.program:
                yield Left(rule, rest, program, anchors, asked)
            elif program != NEVER:
                left = self.anchors.of(program)
                yield Left(rule, rest, program, left, frozenset(columns(program, self.atoms)))

    def _wholes(self, number: int) -> list[Left]:
        """The rules of a place as they are, before anything is known of its rows."""
        found = self._whole.get(number)
        if found is None:
            where = self.places[number].where
            found = self._whole[number] = [
                Left(
                    unit.rule,
                    where,
                    unit.program,
                    None if unit.anchors is None else frozenset(unit.anchors),
                    frozenset(columns(unit.program, self.atoms)),
                )
                for unit in self.units[number]
            ]
        return found


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
