"""Hinomi watches what it cannot read: dead letters that rise far above what is usual for a source go to the audit log, from
which the rules of the pack `own` read them like any other source."""

from dataclasses import dataclass

from hinomi.clock import Clock
from hinomi.store import Records
from ops import counts
from responders.audit import Audit

_PLACE = ("own_watch", "dead_letters")
_FEW, _TIMES, _LEARN = 100, 5.0, 0.1
"""Lines of ten minutes below which nothing is said; how many times the usual; how quickly the usual follows."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Looks every ten minutes. What is usual of a source is a mean that follows slowly, and nothing at the beginning.

    What lies there at the very first look is no rise. From then on a source that gave none so far is said when a hundred lines
    come in ten minutes, and again until the mean has followed: a source that was read well and is not any more is the case
    that matters most.
    """

    records: Records
    clock: Clock

    def look(self) -> list[str]:
        """The sources of which far more lines than usual were not understood since the last look."""
        now: dict[str, int] = {}
        found = self.records.find(counts.KIND, {"what": "dead_letter"}, limit=100_000)
        for line, n in counts.total_of(found).items():
            now[line.dataset] = now.get(line.dataset, 0) + n
        held = self.records.get(*_PLACE)
        before = held.body if held else {"totals": now, "usual": {}}
        risen, usual = [], dict(before["usual"])
        for source, n in sorted(now.items()):
            grown = max(0, n - int(before["totals"].get(source, 0)))
            if grown >= _FEW and grown > _TIMES * float(usual.get(source, 0.0)):
                risen.append(source)
                self._say(source, grown, float(usual.get(source, 0.0)))
            usual[source] = (1 - _LEARN) * float(usual.get(source, 0.0)) + _LEARN * grown
        self.records.put(*_PLACE, {"totals": now, "usual": usual})
        return risen

    def _say(self, source: str, lines: int, usual: float) -> None:
        details = {"lines": lines, "usual": round(usual, 1)}
        Audit(self.records, self.clock).append(
            actor="hinomi", action="source.dead_letters", target=source, details=details
        )
