"""The compiled rule set: atoms shared by all rules, and one small program a rule and route.

Everything here is plain JSON (`as_bytes`, `from_bytes`), so a warm start reads it and parses nothing.

A program is nested lists:

    ["any", column, [atom, …]]   any of these scanned atoms of one column      ["and", [program, …]]
    ["all", column, [atom, …]]   all of them                                   ["or", [program, …]]
    ["test", atom]               an atom that is not scanned for               ["not", program]

`anchors` are scanned atoms of which at least one must be found for the program to hold; None where no
such set exists (a rule of negations only), so that the rule is evaluated whenever its route has rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from rules.engine.documents import Documents
from rules.engine.routes import Wanted

Program = list[Any]

Key = tuple[str, str]
"""(column, space)"""

NEVER: Program = ["or", []]
ALWAYS: Program = ["and", []]

SPACES = ("folded", "exact", "regex")


class Atom(NamedTuple):
    """One column compared with one operand. `space`: which scan finds it, or None.

    `folded` and `exact` are scans of wildcard patterns with case folded or kept, `regex` of regular
    expressions.
    """

    column: str
    operator: str
    operand: Any
    space: str | None


class Unit(NamedTuple):
    """One rule on one route (indices into the rule and route lists)."""

    rule: int
    route: int
    program: Program
    anchors: list[int] | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit looks: rows of a dataset (`*`: any) whose columns hold any of the values."""

    dataset: str
    where: Wanted


@dataclass(slots=True)
class Compiled:
    """A whole rule set. `rules` … `problems` are JSON, as `rules.engine.parse` makes them.

    unsupported: which of the rules cannot run; off: rules, correlations and others that are switched off, each with who
    decided it (`by`); filters: exceptions, with the rules they apply to (`applied`) and whether they have ended (`ended`);
    whole, merged: how many of the atoms, in all columns and in some (column, space), one database holds; those behind
    them are in a second, small one (`rules.engine.known`).
    """

    atoms: list[Atom] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    rules: Documents = field(default_factory=Documents)
    correlations: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    unsupported: list[int] = field(default_factory=list)
    off: list[dict[str, Any]] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    whole: int = 0
    merged: dict[Key, int] = field(default_factory=dict)

    def behind(self, key: Key) -> int:
        """The first atom (number) that a column's large database does not hold."""
        return self.merged.get(key, self.whole)

    def as_bytes(self) -> bytes:
        """A line of JSON, and behind it one for each rule."""
        said = {
            "atoms": [[a.column, a.operator, a.operand, a.space] for a in self.atoms],
            "places": [[p.dataset, p.where] for p in self.places],
            "units": [[u.rule, u.route, u.program, u.anchors] for u in self.units],
            "correlations": self.correlations,
            "others": self.others,
            "problems": self.problems,
            "unsupported": self.unsupported,
            "off": self.off,
            "filters": self.filters,
            "whole": self.whole,
            "merged": [[column, space, number] for (column, space), number in self.merged.items()],
        }
        return orjson.dumps(said) + b"\n" + self.rules.lines()

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Compiled":
        """The rule set of `as_bytes`."""
        head, _, rules = kept.partition(b"\n")
        data = orjson.loads(head)
        return cls(
            atoms=[
                Atom(column, op, _operand(op, operand), space) for column, op, operand, space in data["atoms"]
            ],
            places=[
                Place(dataset, tuple((column, tuple(values)) for column, values in where))
                for dataset, where in data["places"]
            ],
            units=list(map(Unit._make, data["units"])),
            rules=Documents.of_lines(rules),
            correlations=data["correlations"],
            others=data["others"],
            problems=data["problems"],
            unsupported=data["unsupported"],
            off=data["off"],
            filters=data["filters"],
            whole=data["whole"],
            merged={(column, space): number for column, space, number in data["merged"]},
        )


def atoms_of(program: Program) -> Iterator[int]:
    """Every atom (number) that a program asks for."""
    match program:
        case ["any" | "all", _, numbers]:
            yield from numbers
        case ["test", number]:
            yield number
        case ["not", arg]:
            yield from atoms_of(arg)
        case [_, args]:
            for arg in args:
                yield from atoms_of(arg)


def _operand(operator: str, operand: Any) -> Any:
    return tuple(operand) if operator in ("is", "is_cased") else operand
