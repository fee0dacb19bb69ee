"""Contacts of one machine to one far end at even intervals, as programs make them that wait for orders.

Evenness is robust: the median absolute deviation of the latest intervals against their median, so that a pause for the
night or a few lost lines do not hide it. Far ends that many machines visit (updates, time) are left out.

Options: field (the far end), jitter (0.15), contacts (16), least_seconds (20), most_seconds (14400), common (5 entities),
memory_mb (32).
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding, short
from rules.baselines.days import day_of
from rules.baselines.recent import Recent
from rules.entry import Entry

_NO_FIELDS = "{}"
_SECOND = 1_000_000_000
_KEPT = 48
_OF_CONTACT, _OF_NAME = 250, 80  # bytes, measured

Contact = tuple[int, str, str, str]
"""Time (ns), event, rule and dataset of one contact."""


@dataclass(slots=True)
class _Pair:
    """Latest contacts in order of time."""

    contacts: list[Contact] = field(default_factory=list)

    def weigh(self) -> int:
        """The bytes of the contacts."""
        return _OF_CONTACT * len(self.contacts)


class Type(Baseline):
    """Keeps the latest contacts of each pair, and how many visit a far end."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("field", "destination.ip")
        self.jitter = declared.number("jitter", 0.15)
        self.contacts = int(declared.number("contacts", 16, 2))
        self.least, self.most = declared.number("least_seconds", 20), declared.number("most_seconds", 14_400)
        self.common = int(declared.number("common", 5))
        self.pairs = Recent(_Pair, _Pair.weigh, room=self.room * 3 // 4)
        self.visitors: Recent[list[str]] = Recent(list, _weight, room=self.room // 4)

    def look(self, entry: Entry) -> list[Finding]:
        """A finding when the latest contacts are even; one a pair and day."""
        far = entry.who(self.field)
        if not far:
            return []
        who, far = self.person(entry), short(far)
        if self._is_common(far, who):
            return []
        key = f"{who}|{far}"
        pair, contact = self.pairs.of(key, self.newest), (entry.time, entry.event, entry.rule, entry.dataset)
        if contact in pair.contacts:
            return []
        held = len(pair.contacts)
        insort(pair.contacts, contact)
        del pair.contacts[:-_KEPT]
        self.pairs.grew(key, _OF_CONTACT * (len(pair.contacts) - held))
        even = self._interval([one[0] for one in pair.contacts])
        return [] if even is None else [self._finding(entry, who, far, pair, even)]

    def _is_common(self, far: str, who: str) -> bool:
        visitors = self.visitors.of(far, self.newest)
        if who not in visitors and len(visitors) <= self.common:
            visitors.append(who)
            self.visitors.grew(far, _OF_NAME + len(who))
        return len(visitors) > self.common

    def _interval(self, times: list[int]) -> float | None:
        """Seconds between contacts where they are even; None where not."""
        gaps = [(late - early) / _SECOND for early, late in pairwise(times)]
        gaps = [gap for gap in gaps if gap >= 1]
        if len(gaps) < self.contacts - 1:
            return None
        middle = median(gaps)
        if not self.least <= middle <= self.most:
            return None
        return middle if median(abs(gap - middle) for gap in gaps) <= self.jitter * middle else None

    def _finding(self, entry: Entry, who: str, far: str, pair: _Pair, seconds: float) -> Finding:
        n = len(pair.contacts)
        return Finding(
            key=f"{who}|{far}|{day_of(entry.time)}",
            entries=[
                entry if one[1] == entry.event else Entry(*one, raw=_NO_FIELDS) for one in pair.contacts
            ],
            ja=f"「{far}」へ約{seconds:,.0f}秒ごとの規則的な通信(直近{n}回)",
            en=f'contacts to "{far}" about every {seconds:,.0f} seconds (the latest {n})',
            fields={self.entity: who, self.field: far},
        )

    def take_forgotten(self) -> int:
        """Pairs and far ends given up."""
        return self.pairs.take_lost() + self.visitors.take_lost()

    def dump(self) -> Any:
        """Pairs with their contacts, far ends with who visits them."""
        return [self.pairs.dump(lambda pair: [list(one) for one in pair.contacts]), self.visitors.dump(list)]

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.pairs.load(state[0], lambda body: _Pair([_contact(*one) for one in body]))
        self.visitors.load(state[1], list)


def _weight(names: Sequence[str]) -> int:
    return sum(_OF_NAME + len(name) for name in names)


def _contact(time: int, event: str, rule: str = "", dataset: str = "") -> Contact:
    """As it was kept; states before knew neither rule nor dataset."""
    return time, event, rule, dataset
