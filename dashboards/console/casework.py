"""Incidents, alerts and playbook runs as the pages read them from the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from hinomi.alert import Alert
from hinomi.incident import Incident, Status
from hinomi.store import Record, Records
from responders.playbooks.run import APPROVAL, KIND

OPEN = [status.value for status in Status if status is not Status.CLOSED]
_MOST = 5_000
_KNOWN: WeakKeyDictionary[Records, dict[str, tuple[int, Incident]]] = WeakKeyDictionary()
"""By store: incident id → version and incident, so that a queue of thousands is not parsed for every reader."""


@dataclass(frozen=True, slots=True)
class Casework:
    """Reads of the records that more than one page needs."""

    records: Records

    def incident(self, number: int) -> Incident | None:
        """The incident with this number."""
        found = self.records.find("incident", {"number": number}, limit=1)
        return Incident.model_validate(found[0].body) if found else None

    def incidents(self, statuses: Sequence[str] = ()) -> list[Incident]:
        """Incidents with one of the statuses (all where empty), newest number first."""
        where = {"status": list(statuses)} if statuses else None
        found = self.records.find("incident", where, order="-number", limit=_MOST)
        return [self._parsed(record) for record in found]

    def _parsed(self, record: Record) -> Incident:
        """The record as an incident; one that did not change since it was last read is not read again."""
        known = _KNOWN.setdefault(self.records, {})
        held = known.get(record.id)
        if held is None or held[0] != record.version:
            if len(known) > 4 * _MOST:
                known.clear()
            held = known[record.id] = (record.version, Incident.model_validate(record.body))
        return held[1]

    def alerts(self, incident: Incident) -> list[Alert]:
        """The incident's alerts in order of first event; ones that retention dropped are left out."""
        held = (self.records.get("alert", identity) for identity in incident.alert_ids)
        alerts = [Alert.model_validate(record.body) for record in held if record]
        return sorted(alerts, key=lambda alert: alert.first)

    def closed_counts(self) -> int:
        """How many incidents are closed."""
        return self.records.count("incident", {"status": Status.CLOSED.value})

    def waiting(self) -> frozenset[str]:
        """Ids of incidents with a step that waits for approval."""
        asked = self.records.find(APPROVAL, {"state": "open"}, limit=_MOST)
        proposed = {record.id for record in self.records.find(KIND, {"state": "proposed"}, limit=_MOST)}
        return frozenset(
            str(record.body["incident_id"]) for record in asked if record.body["run_id"] in proposed
        )

    def notifications(self, incident: Incident) -> list[Record]:
        """What was sent about the incident, oldest first."""
        return self.records.find("notification", {"incident_id": incident.id}, order="created", limit=200)
