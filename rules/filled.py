"""Which columns each of our sources fills, kept beside the compiled rules from one start to the next.

To work it out, every example of every source is read (`collectors.emitted`): that is some five times what all the rest of a
check of 3,780 rules takes.
"""

from dataclasses import dataclass

import orjson

from collectors import emitted
from rules.engine.cache import Cache, key


@dataclass(slots=True)
class Filled:
    """store, name: where the columns are kept; known: those of the datasets that were asked for so far; new: whether one of
    them is not kept yet."""

    store: Cache
    name: str
    known: dict[str, frozenset[str]]
    new: bool = False

    @classmethod
    def of(cls, store: Cache) -> "Filled":
        """What is kept for sources as they are now: the name holds a hash of all that they are made of."""
        name = f"filled-{key(*emitted.decided_by())}"
        kept = orjson.loads(store.read(name) or b"{}")
        return cls(store, name, {dataset: frozenset(columns) for dataset, columns in kept.items()})

    def columns(self, dataset: str) -> frozenset[str]:
        """The columns of a dataset that an event may hold."""
        if dataset not in self.known:
            self.known[dataset], self.new = emitted.columns(dataset), True
        return self.known[dataset]

    def keep(self) -> None:
        """Keep what was worked out."""
        if self.new:
            told = {dataset: sorted(columns) for dataset, columns in self.known.items()}
            self.store.write(self.name, orjson.dumps(told))
            self.new = False
