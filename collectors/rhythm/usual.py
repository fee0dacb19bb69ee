"""What is usual of one origin or sender: learned slot by slot, and small enough to keep for thousands."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from math import log
from statistics import median
from typing import Any, Self

from collectors.rhythm.tally import SLOT, Arrived, Sender
from hinomi.calendar import is_day_off
from hinomi.clock import JST

_DAY = 86_400
_MOST = 240  # slots of an hour of the day that count: some forty days; older ones fade
_LATE_KEPT = 36
_FADES = 0.998  # of the peak, a slot
_SHARE = 0.1  # weight of a new slot in the usual share of lines not understood
_RICH = 100  # lines from which on a slot tells which fields are usual
_MOST_FIELDS = 400
_DENSE = 0.7  # share of the warm-up in which the tower itself must have run


@lru_cache(maxsize=4096)
def hour_of(slot: int) -> str:
    """Which hour of which kind of day (`w` working day, `o` day off) a slot belongs to."""
    local = datetime.fromtimestamp(slot, UTC).astimezone(JST)
    return f"{'o' if is_day_off(local.date()) else 'w'}{local.hour:02}"


@dataclass(slots=True)
class Usual:
    """first, last: of its lines, seconds since 1970; longest: the longest pause between them; hours: slots seen and
    slots with lines of each hour; peak: lines of a busy slot; late: of the latest slots; dead: the usual share of lines
    not understood (None: nothing was understood yet); fields: the least share of lines that filled a field in `rich`
    slots; slots: how many were learned; resumed: when it last spoke again."""

    origin: str
    sender: str = ""
    source: str = ""
    first: float = 0.0
    last: float = 0.0
    longest: float = 0.0
    slots: int = 0
    hours: dict[str, list[int]] = field(default_factory=dict)
    peak: float = 0.0
    late: list[float] = field(default_factory=list)
    dead: float | None = None
    fields: dict[str, float] = field(default_factory=dict)
    rich: int = 0
    resumed: float = 0.0

    def heard(self, last: float) -> None:
        """A line came at this time, the latest."""
        if not self.first:
            self.first = last
        elif last > self.last:
            self.longest = max(self.longest, last - self.last)
        self.last = max(self.last, last)

    def learn(self, slot: int, came: Sender | None, *, flood: bool = False, odd: bool = False) -> None:
        """A slot is over. flood, odd: what was found wrong with it is not learned."""
        self.slots += 1
        if not self.sender:
            self._learn_hour(slot, came)
        if came is None:
            return
        self.peak *= _FADES
        if not flood:
            self.peak = max(self.peak, float(came.n))
        if came.of and not odd:
            self.late = [*self.late[1 - _LATE_KEPT :], came.late]
        if isinstance(came, Arrived) and not odd:
            self._learn_form(came)

    def _learn_hour(self, slot: int, came: Sender | None) -> None:
        seen = self.hours.setdefault(hour_of(slot), [0, 0])
        seen[0], seen[1] = seen[0] + 1, seen[1] + (came is not None)
        if seen[0] > _MOST:
            seen[0], seen[1] = seen[0] // 2, seen[1] // 2

    def _learn_form(self, came: Arrived) -> None:
        share = came.dead / came.n
        if self.dead is not None:
            self.dead += _SHARE * (share - self.dead)
        elif came.dead < came.n:
            self.dead = share
        understood = came.n - came.dead
        if understood < _RICH:
            return
        self.rich += 1
        for name in list(self.fields):
            self.fields[name] = min(self.fields[name], came.fields.get(name, 0) / understood)
        for name, n in came.fields.items():
            if name not in self.fields and len(self.fields) < _MOST_FIELDS:
                self.fields[name] = n / understood if self.rich == 1 else 0.0

    def warm(self, now: float, days: float) -> bool:
        """Whether enough was seen for its habits to count."""
        return now - self.first >= days * _DAY and self.slots >= _DENSE * days * _DAY / SLOT

    def surprise(self, slots: Iterator[int]) -> float:
        """How unlikely it is that these slots are empty: minus the logarithm of the chance."""
        total = 0.0
        for slot in slots:
            seen, came = self.hours.get(hour_of(slot), (0, 0))
            total -= log(1 - came / (seen + 1))
        return total

    def usually_late(self) -> float:
        """Seconds by which the middle line usually comes after its own time."""
        return median(self.late) if self.late else 0.0

    def body(self) -> dict[str, Any]:
        """As JSON; see `read`."""
        return asdict(self)

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """See `body`."""
        return cls(**body)
