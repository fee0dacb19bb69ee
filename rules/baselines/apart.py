"""One baseline for each organisation: what is usual in one town says nothing of another, nor is it told there."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hinomi.organization import FIELD
from rules.baselines.baseline import Baseline, Finding
from rules.entry import Entry

_PARTS = {"nobody", "organizations"}


class Apart(Baseline):
    """Hands each entry to the baseline of whose it is. A tower of one city has the first alone."""

    def __init__(self, first: Baseline) -> None:
        super().__init__(first.declared)
        self._own: dict[str, Baseline] = {"": first}

    def feed(self, entries: Iterable[Entry], newest: int) -> list[Finding]:
        """See `Baseline.feed`; a finding says whose it is, in `fields`: findings of two may have one key."""
        parts: dict[str, list[Entry]] = {}
        for entry in entries:
            parts.setdefault(entry.value(FIELD) or "", []).append(entry)
        return [
            _of(whose, finding)
            for whose, own in parts.items()
            for finding in self._part(whose).feed(own, newest)
        ]

    def _part(self, whose: str) -> Baseline:
        if whose not in self._own:
            self._own[whose] = type(self._own[""])(self.declared)
        return self._own[whose]

    def look(self, entry: Entry) -> list[Finding]:
        """See `Baseline.look`."""
        whose = entry.value(FIELD) or ""
        return [_of(whose, finding) for finding in self._part(whose).look(entry)]

    @property
    def meaning(self) -> str:
        """See `Baseline.meaning`."""
        return self._own[""].meaning

    def take_forgotten(self) -> int:
        """See `Baseline.take_forgotten`."""
        return sum(one.take_forgotten() for one in self._own.values())

    def dump(self) -> Any:
        """The first one's state; with those of organisations beside it where there are any."""
        first, *others = self._own
        if not others:
            return self._own[first].dump()
        told = {whose: self._own[whose].dump() for whose in others}
        return {"nobody": self._own[first].dump(), "organizations": told}

    def load(self, state: Any) -> None:
        """See `dump`."""
        parted = isinstance(state, dict) and set(state) == _PARTS
        self._own[""].load(state["nobody"] if parted else state)
        for whose, held in state["organizations"].items() if parted else ():
            self._part(whose).load(held)


def _of(whose: str, finding: Finding) -> Finding:
    if not whose:
        return finding
    return replace(finding, fields={**finding.fields, FIELD: whose})
