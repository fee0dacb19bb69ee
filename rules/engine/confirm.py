"""Lines that hold a rule's words are looked at once more: a few of their values, read alone, may show that it cannot hold.

Words tell nothing of what must not be there, nor which name a text belongs to. A rule is asked of the values that can be read
alone (`collectors.cells`), and taken to hold wherever it asks of others; so no line is left out that may match.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from collectors.cells import Cells
from collectors.narrow import Verbatim
from rules.engine.columns import Columns
from rules.engine.match import Matcher, Run
from rules.engine.necessary import Need, needs_always, needs_of_each
from rules.engine.needed import Looked
from rules.engine.plan import asking
from rules.engine.program import Program


@dataclass(slots=True)
class Confirm:
    """The rules of one source's plan, each with the words it needs and what it asks of the cells."""

    matcher: Matcher
    dataset: str
    verbatim: Verbatim
    cells: Cells
    _always: Need = field(init=False)
    _rules: list[tuple[Need, Program]] = field(init=False)

    def __post_init__(self) -> None:
        left, atoms = self.matcher.plan(self.dataset, ()).left, self.matcher.compiled.atoms
        known = frozenset(self.cells.columns)
        self._always = needs_always(self.verbatim)
        self._rules = [
            (need, asking(one.program, atoms, known.issuperset))
            for one, need in zip(left, needs_of_each(left, atoms, self.verbatim), strict=True)
            if need is not None
        ]

    def places(self, lines: Sequence[bytes], looked: Looked) -> list[int]:
        """Of the lines that were looked at those that may match."""
        kept = looked.untold | looked.held(self._always)
        asked = [(looked.held(need) & ~kept, program) for need, program in self._rules]
        asked = [(mask, program) for mask, program in asked if mask.any()]
        if asked:
            doubtful = np.flatnonzero(np.logical_or.reduce([mask for mask, _ in asked]))
            frame, odd = self.cells.read([lines[place] for place in doubtful.tolist()])
            kept[doubtful[odd]] = True
            run = Run(self.matcher, Columns(frame), frame.height)
            for mask, program in asked:
                rows = np.flatnonzero(mask[doubtful])
                kept[doubtful[rows[run.holds(program, rows)]]] = True
        places: list[int] = np.flatnonzero(kept).tolist()
        return places
