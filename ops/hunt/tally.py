"""What a hunt counted: of one part, and of all. Parts are added in their order, so that the sum is the same whoever counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hinomi.ledger import Line

NOT_CORRELATED = "not_correlated"
"""Why signals are lost to correlations that are beyond what a hunt keeps for them."""
UNDATED = Line("dropped", "", f"{NOT_CORRELATED}:no_time")
"""Signals lost to them that have no legible time."""


@dataclass(slots=True)
class Tally:
    """Events read, signals by (level, title, id) of their rule, and what was not read and why.

    lost: by (file, reason) how many records or chunks; generic: files whose product nobody knew, and as what they were read;
    counted: signals of rules that are only counted, by correlations and baselines;
    rebuilt: files of the rule cache that were made again, by (kind, reason); seconds: by stage, all processes together.
    """

    events: int = 0
    passed_over: int = 0
    by_rule: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    counted: int = 0
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    generic: dict[Path, str] = field(default_factory=dict)
    counts: Counter[Line] = field(default_factory=Counter)
    rebuilt: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)

    @property
    def signals(self) -> int:
        """Of all rules."""
        return self.by_rule.total()

    @property
    def not_understood(self) -> Counter[str]:
        """Lines that no event came of, by the name of their file, but for files that are among the lost."""
        told = {Path(path).name for path, _ in self.lost}
        found: Counter[str] = Counter()
        for line, n in self.counts.items():
            reason, _, name = line.reason.partition(":")
            if line.what == "dropped" and reason == "not_understood" and name not in told:
                found[name] += n
        return found

    @property
    def not_correlated(self) -> int:
        """Signals that correlations and baselines did not look at."""
        return sum(n for line, n in self.counts.items() if line.reason == NOT_CORRELATED)

    @property
    def empty(self) -> bool:
        """Whether there was nothing at all to look at."""
        return not (self.events or self.lost or self.counts)

    def add(self, other: Self) -> None:
        """Add what was counted after this."""
        self.events += other.events
        self.passed_over += other.passed_over
        self.by_rule.update(other.by_rule)
        self.counted += other.counted
        self.lost.update(other.lost)
        self.generic |= other.generic
        self.counts.update(other.counts)
        self.rebuilt |= other.rebuilt  # each process tells all of its own: the same file may be among several
        self.seconds.update(other.seconds)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "events": self.events,
            "passed_over": self.passed_over,
            "by_rule": _rows(self.by_rule),
            "counted": self.counted,
            "lost": _rows(self.lost),
            "generic": [[str(path), name] for path, name in self.generic.items()],
            "counts": _rows(self.counts),
            "rebuilt": _rows(self.rebuilt),
            "seconds": dict(self.seconds),
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """The tally of `as_json`'s values."""
        return cls(
            said["events"],
            said["passed_over"],
            Counter({(level, title, number): n for level, title, number, n in said["by_rule"]}),
            said["counted"],
            Counter({(path, reason): n for path, reason, n in said["lost"]}),
            {Path(path): name for path, name in said["generic"]},
            Counter({Line(what, dataset, reason): n for what, dataset, reason, n in said["counts"]}),
            Counter({(kind, reason): n for kind, reason, n in said["rebuilt"]}),
            Counter(said["seconds"]),
        )


def _rows(counted: Counter[Any]) -> list[list[Any]]:
    return [[*key, n] for key, n in _items(counted)]


def _items(counted: Counter[Any]) -> Iterable[tuple[tuple[Any, ...], int]]:
    return counted.items()
