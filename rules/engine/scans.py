"""The databases of a rule set, one for each column and kind of scan, made or read when first needed."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import orjson

from rules.engine import hyperscan_db, pattern
from rules.engine.cache import Cache
from rules.engine.columns import KEYWORDS, Columns, Part, Rows
from rules.engine.distinct import distinct
from rules.engine.hyperscan_db import Database
from rules.engine.keywords import Words
from rules.engine.predicates import values_matching
from rules.engine.program import Atom, Compiled, Key

_WORDS = 1024
"""Sets of keywords kept, as many as plans are: each holds a database."""
Found = dict[int, Rows]
"""For each atom that was found, the codes of the values that hold it."""


@dataclass(slots=True)
class _Group:
    """Atoms that one database finds."""

    members: list[int]
    database: Database | None = None


@dataclass(slots=True)
class Scans:
    """Every scan of a rule set: for each column and space a database, and one beside it of what came later."""

    compiled: Compiled
    store: Cache
    atoms: list[Atom] = field(init=False)
    _groups: dict[Key, list[_Group]] = field(default_factory=dict)
    _words_of: Callable[[frozenset[int]], Words | None] = field(init=False)

    def __post_init__(self) -> None:
        self.atoms = self.compiled.atoms
        self._words_of = lru_cache(_WORDS)(self._made_words)
        members: dict[Key, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for number, atom in enumerate(self.atoms):
            if atom.space is not None:
                key = (atom.column, atom.space)
                members[key][number >= self.compiled.behind(key)].append(number)
        self._groups = {key: [_Group(held) for held in both if held] for key, both in members.items()}

    def prepare(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Make every database now, so that the cache holds them."""
        for done, key in enumerate(sorted(self._groups)):
            for group in self._groups[key]:
                self._database(key, group)
            if on_progress:
                on_progress(done + 1, len(self._groups))

    def look(self, key: Key, columns: Columns, keywords: frozenset[int] | None) -> list[tuple[Part, Found]]:
        """The parts of a scan's column in which something may be found, and what is found there.

        keywords: the only atoms that are asked for where the column is that of keywords, if one knows.
        """
        column, space = key
        words = (
            None if keywords is None or column != KEYWORDS or space == "regex" else self._words_of(keywords)
        )
        parts = columns.parts(column) if words is None else words.parts(columns)
        return [(part, self.find(key, part)) for part in parts]

    def _made_words(self, keywords: frozenset[int]) -> Words | None:
        return Words.of((self.atoms[number] for number in keywords), self.store)

    def find(self, key: Key, part: Part) -> Found:
        """The atoms of one scan that any distinct value of a part holds, and which values."""
        found: Found = {}
        groups = self._groups.get(key, []) if part.size else []
        databases = [self._database(key, group) for group in groups]
        for group, database, hits in zip(groups, databases, _scanned(key, databases, part), strict=True):
            members = group.members
            found.update((members[local], held) for local, held in _grouped(*hits, part.size))
            for local in database.approximate:
                self._confirm(found, members[local], part)
            for local in database.left_out:
                self._evaluate(found, members[local], part)
        return found

    def _confirm(self, found: Found, number: int, part: Part) -> None:
        """Hyperscan only approximates this regular expression: `re` decides over what it found.

        Of very long values the approximation, which never misses, stands.
        """
        if number in found:
            search = hyperscan_db.python_regex(*self.atoms[number].operand).search
            values = ((code, part.texts[code]) for code in found[number].tolist())
            kept = [code for code, text in values if len(text) > hyperscan_db.LONG or search(text)]
            found[number] = np.array(kept, np.int64)
            if not kept:
                del found[number]

    def _evaluate(self, found: Found, number: int, part: Part) -> None:
        """Hyperscan refuses this pattern: every distinct value is tried."""
        atom = self.atoms[number]
        codes = np.flatnonzero(values_matching(part, atom.operator, atom.operand))
        if len(codes):
            found[number] = codes

    def _database(self, key: Key, group: _Group) -> Database:
        if group.database is None:
            group.database = self._made(key, [self.atoms[number] for number in group.members])
        return group.database

    def _made(self, key: Key, atoms: list[Atom]) -> Database:
        if key[1] == "regex":
            return hyperscan_db.regexes(
                [(local, atom.operand[0], atom.operand[1]) for local, atom in enumerate(atoms)], self.store
            )
        said = orjson.dumps(
            [atom.operand for atom in atoms]
        )  # what decides the expressions, and is there already
        return hyperscan_db.literals(
            said,
            lambda: [(local, pattern.expression(atom.operand)) for local, atom in enumerate(atoms)],
            self.store,
        )


def _scanned(key: Key, databases: list[Database], part: Part) -> list[tuple[Rows, Rows]]:
    """(numbers, codes) of what each database finds; the values are laid out once for all."""
    if key[1] == "regex":
        values = [text.encode("utf-8", "surrogatepass") for text in part.texts] if databases else []
        return [hyperscan_db.scan_values(database, values) for database in databases]
    found: list[list[tuple[Rows, Rows]]] = [[] for _ in databases]
    for edged in part.edged(folded=key[1] == "folded") if databases else ():
        for database, hits in zip(databases, found, strict=True):
            numbers, ends = hyperscan_db.scan_buffer(database, edged.buffer)
            hits.append((numbers, edged.owners(ends)))
    return [_one(hits) for hits in found]


def _one(hits: list[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    numbers, codes = zip(*hits, strict=True)
    return np.concatenate(numbers), np.concatenate(codes)


def _grouped(numbers: Rows, codes: Rows, size: int) -> Iterator[tuple[int, Rows]]:
    """The matches by pattern; a value that holds a pattern twice is named once."""
    if not len(numbers):
        return
    packed = distinct(numbers * size + codes)
    numbers, codes = packed // size, packed % size
    bounds = np.flatnonzero(np.diff(numbers)) + 1
    firsts = numbers[np.concatenate(([0], bounds))].tolist()
    yield from zip(firsts, np.split(codes, bounds), strict=True)
