"""Every incident in memory, kept up to date by reading what changed since the last look; no page reads them all."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

from dashboards.console.following import Follower
from hinomi.incident import Incident
from hinomi.store import Records

_COMMON = 100
_HELD: WeakKeyDictionary[Records, "Docket"] = WeakKeyDictionary()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """An incident as it is at a version, with what is looked for in it again and again."""

    version: int
    incident: Incident

    @cached_property
    def searchable(self) -> str:
        """Number, titles, story, entities, zones and tags in small letters."""
        one = self.incident
        values = [value for found in one.entities.values() for value in found]
        parts = [f"#{one.number}", one.title_ja, one.title_en, one.story_ja, *values, *one.zones, *one.tags]
        return " ".join(parts).lower()

    @cached_property
    def titles(self) -> frozenset[str]:
        """Titles of the findings without the figures that follow them; they stay when alerts are dropped."""
        return frozenset(
            line.ja.partition("。")[0] for line in self.incident.timeline if line.kind == "alert"
        )


@dataclass(slots=True)
class Docket:
    """The incidents of a store. Safe with several threads."""

    records: Records
    _entries: dict[str, Entry] = field(default_factory=dict)
    _numbers: dict[int, str] = field(default_factory=dict)
    _places: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _ordered: tuple[Entry, ...] | None = None
    _follower: Follower | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def entries(self) -> tuple[Entry, ...]:
        """All, newest number first, as of now."""
        with self._lock:
            self._look()
            if self._ordered is None:
                found = sorted(self._entries.values(), key=lambda entry: -entry.incident.number)
                self._ordered = tuple(found)
            return self._ordered

    def numbered(self, number: int) -> Incident | None:
        """The incident with this number."""
        with self._lock:
            self._look()
            entry = self._entries.get(self._numbers.get(number, ""))
        return entry.incident if entry else None

    def sharing(self, places: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Entry]]:
        """Each place (kind and value) with each incident that has it too. A value that is in very many (a proxy, a
        scanner) says nothing and is left out."""
        with self._lock:
            self._look()
            found = [
                (place, self._entries[identity])
                for place in places
                if place[0] == "title" or len(self._places.get(place, ())) <= _COMMON
                for identity in self._places.get(place, ())
            ]
        return iter(found)

    def _look(self) -> None:
        self._follower = self._follower or Follower(self.records, "incident")
        for record in self._follower.fresh(self._forget):
            held = self._entries.get(record.id)
            if held is None or held.version != record.version:
                self._take(record.id, Entry(record.version, Incident.model_validate(record.body)))

    def _forget(self) -> None:
        self._entries, self._numbers, self._places, self._ordered = {}, {}, {}, None

    def _take(self, identity: str, entry: Entry) -> None:
        old, self._ordered = self._entries.get(identity), None
        for place in places(old) if old else ():
            self._places.get(place, set()).discard(identity)
        for place in places(entry):
            self._places.setdefault(place, set()).add(identity)
        self._entries[identity] = entry
        self._numbers[entry.incident.number] = identity


def places(entry: Entry) -> set[tuple[str, str]]:
    """What makes an incident like another: titles of its findings, and who and where."""
    found = {("title", title) for title in entry.titles}
    return found | {(name, value) for name in ALIKE for value in entry.incident.entities.get(name, ())}


ALIKE = {"user.name": 2.0, "host.name": 1.5, "source.ip": 1.5, "client.ip": 1.0, "file.name": 0.5}
"""Field → how much it says that two incidents share a value of it."""


def docket(records: Records) -> Docket:
    """The docket of a store, one for all who ask."""
    with _LOCK:
        return _HELD.setdefault(records, Docket(records))
