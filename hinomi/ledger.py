"""Everything dropped, masked, sampled or suppressed is counted with its reason."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

What = Literal[
    "received",
    "stored",
    "dropped",
    "masked",
    "hashed",
    "suppressed",
    "sampled",
    "dead_letter",
    "duplicate",
    "truncated",
    "escaped",
]


class Line(NamedTuple):
    """What happened, to which dataset or source, and why (a short stable English key)."""

    what: What
    dataset: str
    reason: str


@dataclass(slots=True)
class Ledger:
    """Counts since the last `take()`; the owner persists what it takes."""

    counts: Counter[Line] = field(default_factory=Counter)

    def count(self, what: What, n: int = 1, *, dataset: str = "", reason: str = "") -> None:
        """Add n events to the line of (what, dataset, reason)."""
        if n:
            self.counts[Line(what, dataset, reason)] += n

    def take(self) -> Counter[Line]:
        """The counts so far; the ledger starts again from zero."""
        taken, self.counts = self.counts, Counter()
        return taken
