"""The databases of a rule set, one for each column and kind of scan, made or read when first needed."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import orjson

from rules.engine import hyperscan_db, pattern
from rules.engine.cache import Cache
from rules.engine.columns import Part, Rows
from rules.engine.hyperscan_db import Database
from rules.engine.predicates import values_matching
from rules.engine.program import Atom

Key = tuple[str, str]
"""(column, space)"""

Found = dict[int, Rows]
"""For each atom that was found, the codes of the values that hold it."""


@dataclass(slots=True)
class Scans:
    """Every scan of a rule set."""

    atoms: list[Atom]
    store: Cache
    _members: dict[Key, list[int]] = field(default_factory=dict)
    _databases: dict[Key, Database] = field(default_factory=dict)

    def __post_init__(self) -> None:
        members = defaultdict(list)
        for number, atom in enumerate(self.atoms):
            if atom.space is not None:
                members[atom.column, atom.space].append(number)
        self._members = dict(members)

    def prepare(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Make every database now, so that the cache holds them."""
        for done, key in enumerate(sorted(self._members)):
            self._database(key)
            if on_progress:
                on_progress(done + 1, len(self._members))

    def find(self, key: Key, part: Part) -> Found:
        """The atoms of one scan that any distinct value of a part holds, and which values."""
        if part.size == 0 or key not in self._members:
            return {}
        members, database = self._members[key], self._database(key)
        if key[1] == "regex":
            values = [text.encode("utf-8", "surrogatepass") for text in part.texts]
            numbers, codes = hyperscan_db.scan_values(database, values)
        else:
            numbers, codes = _scan_buffers(database, part, folded=key[1] == "folded")
        found = {members[local]: held for local, held in _grouped(numbers, codes, part.size)}
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

    def _database(self, key: Key) -> Database:
        database = self._databases.get(key)
        if database is None:
            database = self._databases[key] = self._made(key)
        return database

    def _made(self, key: Key) -> Database:
        atoms = [self.atoms[number] for number in self._members[key]]
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


def _scan_buffers(database: Database, part: Part, *, folded: bool) -> tuple[Rows, Rows]:
    scanned = [
        (numbers, edged.owners(ends))
        for edged in part.edged(folded=folded)
        for numbers, ends in [hyperscan_db.scan_buffer(database, edged.buffer)]
    ]
    numbers, codes = zip(*scanned, strict=True)
    return np.concatenate(numbers), np.concatenate(codes)


def _grouped(numbers: Rows, codes: Rows, size: int) -> Iterator[tuple[int, Rows]]:
    """The matches by pattern; a value that holds a pattern twice is named once."""
    if not len(numbers):
        return
    packed = np.unique(numbers * size + codes)
    numbers, codes = packed // size, packed % size
    bounds = np.flatnonzero(np.diff(numbers)) + 1
    firsts = numbers[np.concatenate(([0], bounds))].tolist()
    yield from zip(firsts, np.split(codes, bounds), strict=True)
