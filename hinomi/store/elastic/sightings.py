"""Where a record stood when this process read or wrote it last, so that writing over it need not ask first.

Elasticsearch compares sequence numbers, not our versions. A sighting that is no longer true costs one refused request,
never a wrong write: the cluster compares.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_MOST = 20_000


class Sighting(NamedTuple):
    """A record's version and what the cluster knows it by; version 0: there is no such record."""

    version: int
    sequence: int = -1
    term: int = -1


NOTHING = Sighting(0)


def sighting(version: int, told: Mapping[str, Any]) -> Sighting:
    """What an answer of the cluster says of a record's place."""
    return Sighting(version, int(told["_seq_no"]), int(told["_primary_term"]))


@dataclass(slots=True)
class Sightings:
    """The latest of each record, of so many records at most; safe with several threads."""

    most: int = _MOST
    _held: dict[tuple[str, str], Sighting] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, kind: str, identity: str) -> Sighting | None:
        """The latest, or None."""
        return self._held.get((kind, identity))

    def note(self, kind: str, identity: str, found: Sighting) -> None:
        """Remember it; the one that was noted first is forgotten where there are too many."""
        with self._lock:
            self._held.pop((kind, identity), None)
            self._held[kind, identity] = found
            if len(self._held) > self.most:
                del self._held[next(iter(self._held))]

    def note_older(self, kind: str, identity: str, found: Sighting) -> None:
        """Remember what a search said, which may lag behind what was written since."""
        held = self._held.get((kind, identity))
        if held is None or (held.term, held.sequence) < (found.term, found.sequence):
            self.note(kind, identity, found)

    def forget(self, kind: str, identity: str) -> None:
        """It is no longer so."""
        with self._lock:
            self._held.pop((kind, identity), None)
