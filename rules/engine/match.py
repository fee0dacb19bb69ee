"""A batch against a compiled rule set: which rules hold on which rows.

What all the batch's rows have in common is worked out once for every such batch (`rules.engine.plan`). Of
the rules that are left, only those of whose anchors one was found are looked at, and then only on the rows
that hold an anchor; each step of a program shrinks the rows that the next one sees.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import polars as pl

from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from rules.engine.columns import Columns, Mask, Part, Rows
from rules.engine.distinct import either
from rules.engine.logsource import ANY_DATASET, Tables
from rules.engine.plan import Constants, Plan, Planner
from rules.engine.predicates import ON_ROWS, codes_matching, rows_matching, values_matching
from rules.engine.program import SPACES, Compiled, Key, Program
from rules.engine.routes import Wanted
from rules.engine.scans import Found, Scans

_NO_CODES: list[int] = []
_PLANS = 1024
"""Plans kept: senders choose event ids, so there must be a bound."""
_SPARSE = 4
"""So many distinct values a row asked for, and only those of the rows are tried, anew for each rule that asks."""
_TELLING = frozenset({"winlog.provider_name"})
"""Columns that select no log source and yet are the same in all events of a kind."""


class Matcher:
    """A compiled rule set, indexed for matching. Of the batches that it saw it keeps only what kinds there are."""

    def __init__(self, compiled: Compiled, scans: Scans, tables: Tables) -> None:
        self.compiled = compiled
        self.scans = scans
        self.tables = tables
        self.planner = Planner(compiled.atoms, compiled.places, compiled.units)
        self.places: dict[str, list[int]] = defaultdict(list)
        for number, place in enumerate(compiled.places):
            self.places[place.dataset].append(number)
        self._contents: dict[str, tuple[str, ...]] = {}
        self.plan = lru_cache(_PLANS)(self._plan)
        self._telling = lru_cache(_PLANS)(self._routing)

    def match(self, batch: Batch) -> dict[int, Rows]:
        """For each rule that holds somewhere, its rows in order."""
        if not len(batch):
            return {}
        run, plan = self.begin(batch)
        return run.rules(plan)

    def begin(self, batch: Batch) -> tuple["Run", Plan]:
        """A batch made ready, and the rules that may hold of such a batch."""
        columns = Columns(batch.frame, self._content(batch.dataset))
        plan = self.plan(batch.dataset, self._constants(batch.dataset, columns))
        return Run(self, columns, batch.frame.height, plan.keywords), plan

    def _content(self, dataset: str) -> tuple[str, ...]:
        found = self._contents.get(dataset)
        if found is None:
            found = self._contents[dataset] = self.tables.keywords(dataset)
        return found

    def _constants(self, dataset: str, columns: Columns) -> Constants:
        """The telling columns that have one value in all rows, or none in any."""
        asked = ((name, columns.parts(name)) for name in self._telling(dataset))
        return tuple((name, _only(parts)) for name, parts in asked if not parts or parts[0].constant)

    def _routing(self, dataset: str) -> list[str]:
        places = (self.compiled.places[number] for number in self.places_of(dataset))
        return sorted(_TELLING.union(column for place in places for column, _ in place.where))

    def _plan(self, dataset: str, constants: Constants) -> Plan:
        known = dict(constants)
        row = pl.DataFrame({name: [text] for name, text in constants if text is not None} or {"": [None]})
        leaf = _Leaves(Run(self, Columns(row), 1), known)
        return self.planner.plan(self.places_of(dataset), known, leaf.holds)

    def places_of(self, dataset: str) -> Iterator[int]:
        """The places (by number) that batches of a dataset may be in."""
        yield from self.places.get(dataset, ())
        if dataset not in (SIGNALS, DEAD_LETTERS):
            yield from self.places.get(ANY_DATASET, ())


class _Leaves:
    """Decides over parts of programs that ask of constant columns only."""

    def __init__(self, run: "Run", constants: Mapping[str, str | None]) -> None:
        self.run = run
        self.constants = constants

    @cached_property
    def found(self) -> set[int]:
        """The atoms that the constants hold."""
        keys = [(column, space) for column in self.constants for space in SPACES]
        return {atom for key in keys for _, found in self.run.scan(key) for atom in found}

    def holds(self, program: Program) -> bool:
        """Whether a program of one part holds."""
        match program:
            case ["any", _, atoms]:
                return not self.found.isdisjoint(atoms)
            case ["all", _, atoms]:
                return self.found.issuperset(atoms)
        return bool(self.run.holds(program, np.zeros(1, np.int64))[0])


def _only(parts: list[Part]) -> str | None:
    return parts[0].texts[0] if parts else None


@dataclass(slots=True)
class Run:
    """One batch being matched: what is computed once and shared by all rules.

    keywords: the only atoms without a field that are asked for, of a plan; None: all that there are.
    """

    matcher: Matcher
    columns: Columns
    height: int
    keywords: frozenset[int] | None = None
    _found: dict[tuple[str, str], list[tuple[Part, Found]]] = field(default_factory=dict)
    _masks: dict[Any, list[tuple[Part, Mask]]] = field(default_factory=dict)
    _rows: dict[int, Mask] = field(default_factory=dict)
    _wanted: dict[Any, Mask] = field(default_factory=dict)
    _live: dict[Wanted, Rows] = field(default_factory=dict)

    def rules(self, plan: Plan) -> dict[int, Rows]:
        """For each rule of the plan that holds somewhere, its rows."""
        result: dict[int, Rows] = {}
        for number, rows in self.candidates(plan):
            left = plan.left[number]
            held = rows[self.holds(left.program, rows)]
            if len(held):
                before = result.get(left.rule)
                result[left.rule] = held if before is None else either(before, held)
        return result

    def _place(self, where: Wanted) -> Rows:
        rows = self._live.get(where)
        if rows is None:
            mask: Mask | None = None
            for column, values in where:
                here = self._column_holds(column, values)
                mask = here if mask is None else mask & here
                if not mask.any():
                    break
            rows = np.arange(self.height) if mask is None else np.flatnonzero(mask)
            self._live[where] = rows
        return rows

    def _column_holds(self, column: str, values: tuple[str, ...]) -> Mask:
        key = (column, values)
        mask = self._wanted.get(key)
        if mask is None:
            mask = np.zeros(self.height, np.bool_)
            for part in self.columns.parts(column):
                lut = np.zeros(part.size + 1, np.bool_)
                for value in values:
                    lut[part.codes_of.get(value, _NO_CODES)] = True
                mask |= part.mask(lut, self.height)
            self._wanted[key] = mask
        return mask

    def candidates(self, plan: Plan) -> Iterator[tuple[int, Rows]]:
        """What to look at (number in the plan), with the only rows on which it can hold."""
        anchors: dict[int, list[int]] = defaultdict(list)
        for key in plan.keys:
            for atom in {atom for _, found in self.scan(key) for atom in found}:
                for number in plan.anchored.get(atom, ()):
                    anchors[number].append(atom)
        for number, atoms in anchors.items():
            place = self._place(plan.left[number].where)
            if len(place) and len(rows := self._anchored_rows(atoms, place)):
                yield number, rows
        for number in plan.unanchored:
            if len(rows := self._place(plan.left[number].where)):
                yield number, rows

    def _anchored_rows(self, atoms: list[int], place: Rows) -> Rows:
        by_column: dict[str, list[int]] = defaultdict(list)
        for atom in atoms:
            by_column[self.matcher.compiled.atoms[atom].column].append(atom)
        held = np.zeros(len(place), np.bool_)
        for column, members in by_column.items():
            held |= self._any(column, tuple(members), place)
        return place[held]

    def scan(self, key: Key) -> list[tuple[Part, Found]]:
        """The atoms of one scan that were found, part by part of its column."""
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self.matcher.scans.look(key, self.columns, self.keywords)
        return found

    def holds(self, program: Program, rows: Rows) -> Mask:
        """For each of the rows whether the program holds."""
        match program:
            case ["any", column, atoms]:
                return self._any(column, tuple(atoms), rows)
            case ["all", column, atoms]:
                return self._every([["any", column, [atom]] for atom in atoms], rows)
            case ["and", args]:
                return self._every(args, rows)
            case ["or", args]:
                return self._some(args, rows)
            case ["not", arg]:
                return ~self.holds(arg, rows)
            case ["test", atom]:
                return self._test(atom, rows)
        raise AssertionError(program)

    def _every(self, args: list[Program], rows: Rows) -> Mask:
        if not args:
            return np.ones(len(rows), np.bool_)
        held = self.holds(args[0], rows)
        for arg in args[1:]:
            left = np.flatnonzero(held)
            if not len(left):
                break
            held[left] = self.holds(arg, rows[left])
        return held

    def _some(self, args: list[Program], rows: Rows) -> Mask:
        if not args:
            return np.zeros(len(rows), np.bool_)
        held = self.holds(args[0], rows)
        for arg in args[1:]:
            left = np.flatnonzero(~held)
            if not len(left):
                break
            held[left] = self.holds(arg, rows[left])
        return held

    def _any(self, column: str, atoms: tuple[int, ...], rows: Rows) -> Mask:
        masks = self._masks.get(atoms)
        if masks is None:
            masks = self._masks[atoms] = self._marks(column, atoms)
        return self._on_rows(masks, rows)

    def _marks(self, column: str, atoms: tuple[int, ...]) -> list[tuple[Part, Mask]]:
        """For each part of a column, which values hold any of the atoms; parts that hold none left out."""
        spaces = {self.matcher.compiled.atoms[atom].space for atom in atoms}
        marked: list[tuple[Part, Mask]] = []
        for space in spaces:
            assert space is not None
            for part, found in self.scan((column, space)):
                hits = [found[atom] for atom in atoms if atom in found]
                if hits:
                    lut = np.zeros(part.size + 1, np.bool_)
                    for codes in hits:
                        lut[codes] = True
                    marked.append((part, lut))
        return marked

    def _on_rows(self, masks: list[tuple[Part, Mask]], rows: Rows) -> Mask:
        held: Mask | None = None
        for part, lut in masks:
            here = lut[part.codes[rows]] if part.rows is None else part.mask(lut, self.height)[rows]
            held = here if held is None else held | here
        return np.zeros(len(rows), np.bool_) if held is None else held

    def _test(self, number: int, rows: Rows) -> Mask:
        atom = self.matcher.compiled.atoms[number]
        if atom.operator in ON_ROWS:
            mask = self._rows.get(number)
            if mask is None:
                mask = rows_matching(self.columns, atom.column, atom.operator, atom.operand)
                self._rows[number] = mask
            return mask[rows]
        masks = self._masks.get(number)
        if masks is None:
            parts = self.columns.parts(atom.column)
            if len(parts) == 1 and parts[0].rows is None and len(rows) * _SPARSE < parts[0].size:
                return codes_matching(parts[0], parts[0].codes[rows], atom.operator, atom.operand)
            masks = self._masks[number] = [
                (part, values_matching(part, atom.operator, atom.operand)) for part in parts
            ]
        return self._on_rows(masks, rows)
