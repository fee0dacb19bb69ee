"""Which incidents an entity belongs to: one small record an entity, so that an alert finds its incident among any number.

The index only grows by what may be true: an entity is noted before its incident takes the alert in. Whoever reads it checks
the incident itself; what is closed is forgotten on the way.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hinomi.errors import Conflict, InputError
from hinomi.faults import readable
from hinomi.identity import digest
from hinomi.incident import Incident, Status
from hinomi.store import Record, Records
from responders.incidents import casefile

KIND = "entity_incidents"
READY = ("entity_index", "built")


@dataclass(frozen=True, slots=True)
class Shared:
    """The index over the records."""

    records: Records

    def note(self, incident_id: str, about: Iterable[str]) -> None:
        """The entities belong to the incident (too)."""
        for entity in about:
            self._change(entity, add=incident_id)

    def open_with(self, about: Iterable[str]) -> Iterator[Incident]:
        """Open incidents to which one of the entities was noted, each once."""
        seen: set[str] = set()
        for entity in sorted(about):
            for identity in self._noted(entity):
                incident = self._open(identity)
                if incident is None:
                    self._change(entity, drop=identity)
                elif incident.id not in seen:
                    seen.add(incident.id)
                    if incident.id != identity:
                        self._change(entity, add=incident.id, drop=identity)
                    yield incident

    def build(self) -> int:
        """Once, for records that are older than the index. Returns how many incidents were read."""
        if self.records.get(*READY) is not None:
            return 0
        found = self.records.find(casefile.KIND, {"status": casefile.OPEN}, limit=1_000_000)
        n = sum(1 for _ in readable(found, self._again))
        self.records.put(*READY, {"incidents": n})
        return n

    def _again(self, held: Record) -> None:
        self.note(held.id, held.body.get("fields", {}).get("joins_on", []))

    def _noted(self, entity: str) -> list[str]:
        return _incidents(self.records.get(KIND, digest(entity)))

    def _open(self, identity: str) -> Incident | None:
        """The incident, or the one that it was merged into, while it is open."""
        try:
            incident = casefile.read(self.records, identity)
        except InputError:
            return None  # noted, but the process died before it was written: its alert comes again
        return incident if incident.status is not Status.CLOSED else None

    def _change(self, entity: str, *, add: str = "", drop: str = "") -> None:
        while True:
            held = self.records.get(KIND, digest(entity))
            before = _incidents(held)
            after = [one for one in before if one != drop]
            after += [add] if add and add not in after else []
            if after == before:
                return
            try:
                self.records.put(
                    KIND,
                    digest(entity),
                    {"entity": entity, "incidents": after},
                    expect=held.version if held else 0,
                )
            except Conflict:
                continue
            return


def _incidents(held: Record | None) -> list[str]:
    """What is noted; nothing where the note is damaged: its alerts open an incident of their own."""
    noted = held.body.get("incidents") if held else None
    return [str(one) for one in noted] if isinstance(noted, list) else []
