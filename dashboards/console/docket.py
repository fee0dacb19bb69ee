"""Every incident in memory, kept up to date by reading what changed since the last look; no page reads them all."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from dashboards.console.following import Follower, OnePerStore
from hinomi.incident import Incident, Status
from hinomi.store import Records

_COMMON, _NEWEST = 100, 300
_HELD: "OnePerStore[Docket]" = OnePerStore()


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
    def places(self) -> frozenset[tuple[str, str]]:
        """What makes it like another: titles of its findings, and who and where."""
        found = {("title", title) for title in self.titles}
        return frozenset(
            found | {(name, value) for name in ALIKE for value in self.incident.entities.get(name, ())}
        )

    @cached_property
    def tags(self) -> frozenset[str]:
        """The incident's tags."""
        return frozenset(self.incident.tags)

    @cached_property
    def titles(self) -> frozenset[str]:
        """Titles of the findings without the figures that follow them; they stay when alerts are dropped."""
        return frozenset(
            line.ja.partition("。")[0] for line in self.incident.timeline if line.kind == "alert"
        )


@dataclass(frozen=True)
class Stand:
    """Every incident as it stood in one moment, newest number first."""

    entries: tuple[Entry, ...]

    @cached_property
    def open(self) -> tuple[Entry, ...]:
        """Those that are not closed: one in ten of a year's."""
        return tuple(one for one in self.entries if one.incident.status is not Status.CLOSED)

    @cached_property
    def assignees(self) -> tuple[str, ...]:
        """Who works or worked on any of them."""
        return tuple(sorted({one.incident.assignee for one in self.entries} - {""}))


@dataclass(slots=True)
class Docket:
    """The incidents of a store. Safe with several threads. _numbers: number → id, one for good (`Incidents`); _places: place →
    numbers of those that have it, which are the newest first when sorted, and are counted without looking at any incident."""

    records: Records
    _entries: dict[str, Entry] = field(default_factory=dict)
    _numbers: dict[int, str] = field(default_factory=dict)
    _places: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    _stand: Stand | None = None
    _follower: Follower | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def stand(self) -> Stand:
        """All of them as of now."""
        with self._lock:
            self._look()
            if self._stand is None:
                self._stand = Stand(
                    tuple(sorted(self._entries.values(), key=lambda entry: -entry.incident.number))
                )
            return self._stand

    def entries(self) -> tuple[Entry, ...]:
        """All, newest number first, as of now."""
        return self.stand().entries

    def numbered(self, number: int) -> Incident | None:
        """The incident with this number."""
        with self._lock:
            self._look()
            entry = self._entries.get(self._numbers.get(number, ""))
        return entry.incident if entry else None

    def sharing(self, worth: Mapping[tuple[str, str], float]) -> list[tuple[float, Entry]]:
        """The incidents that have one of the places (kind and value), too, each with what the places that it shares are worth
        together: all that share an entity, and the newest of those that share a finding. For a value that is in very many
        (a proxy, a scanner) alone nobody is taken."""
        with self._lock:
            self._look()
            held = {place: self._places[place] for place in worth if place in self._places}
            titled = set[int]().union(*(ones for (kind, _), ones in held.items() if kind == "title"))
            named = (ones for (kind, _), ones in held.items() if kind != "title" and len(ones) <= _COMMON)
            taken = set(sorted(titled, reverse=True)[:_NEWEST]).union(*named)
            sums = dict.fromkeys(taken, 0.0)
            # all of one worth at once: they are counted without a step of Python's each
            for each in set(worth.values()):
                alike = (ones for place, ones in held.items() if worth[place] == each)
                for one, n in Counter(chain.from_iterable(map(taken.intersection, alike))).items():
                    sums[one] += each * n
            return [(total, self._entries[self._numbers[one]]) for one, total in sums.items()]

    def _look(self) -> None:
        self._follower = self._follower or Follower(self.records, "incident")
        for record in self._follower.fresh(self._forget):
            held = self._entries.get(record.id)
            if held is None or held.version != record.version:
                self._take(record.id, Entry(record.version, record.read_as(Incident)))

    def _forget(self) -> None:
        self._entries, self._numbers, self._places, self._stand = {}, {}, {}, None

    def _take(self, identity: str, entry: Entry) -> None:
        old, self._stand = self._entries.get(identity), None
        if old is not None:
            for place in old.places:
                self._places.get(place, set()).discard(old.incident.number)
        for place in entry.places:
            self._places.setdefault(place, set()).add(entry.incident.number)
        self._entries[identity] = entry
        self._numbers[entry.incident.number] = identity


ALIKE = {"user.name": 2.0, "host.name": 1.5, "source.ip": 1.5, "client.ip": 1.0, "file.name": 0.5}
"""Field → how much it says that two incidents share a value of it."""


def docket(records: Records) -> Docket:
    """The docket of a store, one for all who ask."""
    return _HELD.of(records, Docket)
