"""A batch against a compiled rule set: which rules hold on which rows.

Only rules whose route has rows and of whose anchors one was found are looked at, and then only on the
rows that hold an anchor; each step of a program shrinks the rows that the next one sees.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from rules.engine.columns import Columns, Mask, Part, Rows
from rules.engine.logsource import ANY_DATASET
from rules.engine.predicates import ON_ROWS, rows_matching, values_matching
from rules.engine.program import Compiled, Program
from rules.engine.scans import Found, Key, Scans

_NO_CODES: list[int] = []


class Matcher:
    """A compiled rule set, indexed for matching. Holds no state of the batches it saw."""

    def __init__(self, compiled: Compiled, scans: Scans) -> None:
        self.compiled = compiled
        self.scans = scans
        self.anchored: dict[int, list[int]] = defaultdict(list)
        self.unanchored: dict[int, list[int]] = defaultdict(list)
        self.keys: dict[int, set[Key]] = defaultdict(set)
        self.places: dict[str, list[int]] = defaultdict(list)
        for number, place in enumerate(compiled.places):
            self.places[place.dataset].append(number)
        for number, unit in enumerate(compiled.units):
            self._index(number, unit.route, unit.anchors)

    def _index(self, unit: int, place: int, anchors: list[int] | None) -> None:
        if anchors is None:
            self.unanchored[place].append(unit)
            return
        for anchor in anchors:
            atom = self.compiled.atoms[anchor]
            assert atom.space is not None
            self.anchored[anchor].append(unit)
            self.keys[place].add((atom.column, atom.space))

    def match(self, batch: Batch) -> dict[int, Rows]:
        """For each rule that holds somewhere, its rows in order."""
        if not len(batch):
            return {}
        run = _Run(self, Columns(batch.frame), batch.frame.height)
        return run.rules(self._places(batch.dataset))

    def _places(self, dataset: str) -> Iterator[int]:
        yield from self.places.get(dataset, ())
        if dataset not in (SIGNALS, DEAD_LETTERS):
            yield from self.places.get(ANY_DATASET, ())


@dataclass(slots=True)
class _Run:
    """One batch being matched: what is computed once and shared by all rules."""

    matcher: Matcher
    columns: Columns
    height: int
    _found: dict[tuple[str, str], list[tuple[Part, Found]]] = field(default_factory=dict)
    _masks: dict[Any, list[tuple[Part, Mask]]] = field(default_factory=dict)
    _rows: dict[int, Mask] = field(default_factory=dict)
    _wanted: dict[Any, Mask] = field(default_factory=dict)

    def rules(self, places: Iterable[int]) -> dict[int, Rows]:
        live = {place: rows for place in places if len(rows := self._place(place))}
        compiled = self.matcher.compiled
        result: dict[int, Rows] = {}
        for number, rows in self._candidates(live):
            unit = compiled.units[number]
            held = rows[self._holds(unit.program, rows)]
            if len(held):
                before = result.get(unit.rule)
                result[unit.rule] = held if before is None else np.union1d(before, held)
        return result

    def _place(self, number: int) -> Rows:
        mask: Mask | None = None
        for column, values in self.matcher.compiled.places[number].where:
            here = self._column_holds(column, values)
            mask = here if mask is None else mask & here
            if not mask.any():
                break
        return np.arange(self.height) if mask is None else np.flatnonzero(mask)

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

    def _candidates(self, live: dict[int, Rows]) -> Iterator[tuple[int, Rows]]:
        """Units to look at, with the only rows on which they can hold."""
        matcher = self.matcher
        anchors: dict[int, list[int]] = defaultdict(list)
        for key in set().union(*(matcher.keys[place] for place in live)) if live else ():
            for atom in {atom for _, found in self._scan(key) for atom in found}:
                for unit in matcher.anchored.get(atom, ()):
                    anchors[unit].append(atom)
        for unit, atoms in anchors.items():
            place = live.get(matcher.compiled.units[unit].route)
            if place is not None and len(rows := self._anchored_rows(atoms, place)):
                yield unit, rows
        for number, rows in live.items():
            for unit in matcher.unanchored.get(number, ()):
                yield unit, rows

    def _anchored_rows(self, atoms: list[int], place: Rows) -> Rows:
        by_column: dict[str, list[int]] = defaultdict(list)
        for atom in atoms:
            by_column[self.matcher.compiled.atoms[atom].column].append(atom)
        held = np.zeros(len(place), np.bool_)
        for column, members in by_column.items():
            held |= self._any(column, tuple(members), place)
        return place[held]

    def _scan(self, key: Key) -> list[tuple[Part, Found]]:
        found = self._found.get(key)
        if found is None:
            parts = self.columns.parts(key[0])
            found = self._found[key] = [(part, self.matcher.scans.find(key, part)) for part in parts]
        return found

    def _holds(self, program: Program, rows: Rows) -> Mask:
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
                return ~self._holds(arg, rows)
            case ["test", atom]:
                return self._test(atom, rows)
        raise AssertionError(program)

    def _every(self, args: list[Program], rows: Rows) -> Mask:
        held = np.ones(len(rows), np.bool_)
        for arg in args:
            left = np.flatnonzero(held)
            if not len(left):
                break
            held[left] = self._holds(arg, rows[left])
        return held

    def _some(self, args: list[Program], rows: Rows) -> Mask:
        held = np.zeros(len(rows), np.bool_)
        for arg in args:
            left = np.flatnonzero(~held)
            if not len(left):
                break
            held[left] = self._holds(arg, rows[left])
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
            for part, found in self._scan((column, space)):
                hits = [found[atom] for atom in atoms if atom in found]
                if hits:
                    lut = np.zeros(part.size + 1, np.bool_)
                    for codes in hits:
                        lut[codes] = True
                    marked.append((part, lut))
        return marked

    def _on_rows(self, masks: list[tuple[Part, Mask]], rows: Rows) -> Mask:
        held = np.zeros(len(rows), np.bool_)
        for part, lut in masks:
            held |= lut[part.codes[rows]] if part.rows is None else part.mask(lut, self.height)[rows]
        return held

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
            masks = self._masks[number] = [
                (part, values_matching(part, atom.operator, atom.operand))
                for part in self.columns.parts(atom.column)
            ]
        return self._on_rows(masks, rows)
