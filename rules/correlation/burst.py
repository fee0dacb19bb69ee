"""One alert's stretch of time and what it has shown so far; its entries may be forgotten, this stays."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from hinomi.alert import ENTITIES
from hinomi.identity import is_message_id, is_sha256
from rules.entry import Entry

EVIDENCE = 200
VALUES = 40
ZONES = ("source.zone", "destination.zone", "host.zone", "client.zone")
_TOLD = frozenset({*ENTITIES, *ZONES})
_SHAPES: dict[str, Callable[[str], bool]] = {"email.message_id": is_message_id, "file.hash.sha256": is_sha256}
_NONE = -(2**63)
_ITSELF, _OF_ID, _OF_VALUE = 1_100, 90, 70  # bytes, measured (benchmarks.correlate)


@dataclass(slots=True)
class Burst:
    """first, last: event time in ns; detected: when it was first told (ISO); mark: how far event time had come when
    it last grew; forgotten: the newest of its entries that is gone; n: its events; the rest is evidence, bounded."""

    alert_id: str
    first: int
    last: int
    detected: str
    mark: int
    forgotten: int = _NONE
    n: int = 0
    peak: float = 0.0
    event_ids: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """Bytes that it takes, reckoned."""
        return _ITSELF + _OF_ID * len(self.event_ids) + _OF_VALUE * sum(map(len, self.values.values()))

    def near(self, first: int, last: int, timespan: int) -> bool:
        """Whether no more than a timespan lies between it and that stretch."""
        return self.first <= last + timespan and first <= self.last + timespan

    def take(self, entries: Iterable[Entry]) -> None:
        """Count entries and remember what they show."""
        for entry in entries:
            self.n += 1
            self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        if entry.event and len(self.event_ids) < EVIDENCE and entry.event not in self.event_ids:
            self.event_ids.append(entry.event)
        if entry.dataset and entry.dataset not in self.datasets:
            self.datasets.append(entry.dataset)
        for name, whole in entry.fields.items():
            if name not in _TOLD:
                continue
            value = whole if whole.__class__ is str else entry.value(name)
            if value and value != "-":
                self._value(name, value)

    def _value(self, name: str, value: str) -> None:
        held = self.values.setdefault(name, [])
        if len(held) < VALUES and value not in held and (name not in _SHAPES or _SHAPES[name](value)):
            held.append(value)

    def absorb(self, other: "Burst") -> None:
        """Take over what another burst has shown, when a late entry closes the gap between the two."""
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.forgotten = max(self.forgotten, other.forgotten)
        self.n += other.n
        self.peak = max(self.peak, other.peak)
        self.event_ids = list(dict.fromkeys([*self.event_ids, *other.event_ids]))[:EVIDENCE]
        self.datasets = list(dict.fromkeys([*self.datasets, *other.datasets]))
        for name, values in other.values.items():
            for value in values:
                self._value(name, value)

    def forget(self, time: int) -> None:
        """An entry of that time is gone; remember so when it was one of ours."""
        if self.first <= time <= self.last:
            self.forgotten = max(self.forgotten, time)

    def as_json(self) -> dict[str, Any]:
        """For the state that outlives the process."""
        return asdict(self)

    @classmethod
    def of_json(cls, body: dict[str, Any]) -> "Burst":
        """What `as_json` gave."""
        return cls(**body)
