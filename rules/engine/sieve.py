"""A sieve before the engine: which events may match, asking of as few columns as can be.

It never misses a match and may let pass what matches nothing; what it lets pass is read whole and matched.
Keywords look at every text of an event; they are looked for in the raw line (`rules.engine.spoken`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from collectors.narrow import Kind, Passing, Verbatim
from rules.engine.cache import Cache
from rules.engine.columns import KEYWORDS, Columns
from rules.engine.confirm import Confirm
from rules.engine.distinct import distinct
from rules.engine.match import Matcher, Run
from rules.engine.necessary import needs
from rules.engine.needed import Needed
from rules.engine.plan import Constants, Plan, asking, columns
from rules.engine.spoken import Words, word_of


@dataclass(frozen=True, slots=True)
class Sifting:
    """What the sieve does with one kind of event.

    columns: what it asks of (none: only keywords may match; None: every event passes); words: by which
    an event passes whatever its columns hold; weakened: rules of which the plan asks less than they say.
    """

    columns: frozenset[str] | None
    plan: Plan
    words: frozenset[str]
    weakened: frozenset[int]


@dataclass(slots=True)
class Sieve:
    """The sieve of one dataset."""

    matcher: Matcher
    dataset: str
    store: Cache
    words: Words = field(init=False)
    sifting: Any = field(init=False)
    _needed: Needed | None = None
    _confirm: Confirm | None = None

    def __post_init__(self) -> None:
        self.sifting = lru_cache(1024)(self._sifting)
        atoms = self.matcher.compiled.atoms
        units = (self.matcher.planner.units[place] for place in self.matcher.places_of(self.dataset))
        anchors = {anchor for some in units for unit in some for anchor in unit.anchors or ()}
        spoken = {word_of(atoms[anchor]) for anchor in anchors if atoms[anchor].column == KEYWORDS}
        self.words = Words(sorted(word for word in spoken if word), self.store)

    def asked(self, constants: Constants) -> frozenset[str] | None:
        """The columns that the sieve asks of a kind; empty where they decide nothing, None for the whole."""
        found: Sifting = self.sifting(constants)
        return found.columns

    def passing(self, kind: Kind) -> Passing:
        """Which rules hold where in the events of a kind; places in order."""
        found: Sifting = self.sifting(kind.constants)
        height, asked = len(kind.rows), found.plan.columns
        columns = Columns.of_codes(kind.columns, height, asked)
        hits = Run(self.matcher, columns, height, found.plan.keywords).rules(found.plan)
        weak = [hits.pop(rule) for rule in found.weakened if rule in hits]
        return Passing(hits, distinct(np.concatenate([np.zeros(0, np.int64), *weak])))

    def spoken(self, lines: Sequence[bytes]) -> list[tuple[int, set[str]]]:
        """(place of a line, the keywords' words in it) of the lines that hold any."""
        return self.words.find(lines)

    def speaks(self, constants: Constants, words: Iterable[str]) -> bool:
        """Whether an event of a kind passes for the words in its line."""
        found: Sifting = self.sifting(constants)
        return not found.words.isdisjoint(words)

    def holding(self, verbatim: Verbatim, lines: Sequence[bytes]) -> list[int] | None:
        """Places of the lines that hold what every match needs; None where one cannot tell."""
        if self._needed is None:
            plan = self.matcher.plan(self.dataset, ())
            self._needed = Needed(
                needs(plan.left, self.matcher.compiled.atoms, verbatim), verbatim, self.store
            )
            if verbatim.cells is not None:
                self._confirm = Confirm(self.matcher, self.dataset, verbatim, verbatim.cells)
        if self._confirm is None:
            return self._needed.holding(lines)
        looked = self._needed.look(lines)
        return None if looked is None else self._confirm.places(lines, looked)

    def _sifting(self, constants: Constants) -> Sifting:
        plan = self.matcher.plan(self.dataset, constants)
        atoms = self.matcher.compiled.atoms
        lefts, words, whole, weakened = [], set[str](), False, set[int]()
        for left in plan.left:
            if KEYWORDS not in left.asked:
                lefts.append(left)
                continue
            spoken = {anchor for anchor in left.anchors or () if atoms[anchor].column == KEYWORDS}
            said = {word_of(atoms[anchor]) for anchor in spoken}
            whole |= left.anchors is None or "" in said
            words |= said
            weakened.add(left.rule)
            if left.anchors is not None and (rest := left.anchors - spoken):
                program = asking(left.program, atoms, _without_keywords)
                asked = frozenset(columns(program, atoms))
                lefts.append(left._replace(program=program, anchors=rest, asked=asked))
        sifted = Plan(lefts, atoms)
        always = bool(sifted.left) and not sifted.columns
        columns_asked = None if whole or always else sifted.columns
        return Sifting(columns_asked, sifted, frozenset(words), frozenset(weakened))


def _without_keywords(columns: set[str]) -> bool:
    return KEYWORDS not in columns
