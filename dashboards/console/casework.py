"""Incidents, alerts and playbook runs as the pages read them from the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.console.docket import docket
from hinomi.alert import Alert
from hinomi.incident import Incident, Status
from hinomi.store import Record, Records
from responders.incidents.casefile import family
from responders.playbooks.run import APPROVAL, KIND

OPEN = [status.value for status in Status if status is not Status.CLOSED]
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Casework:
    """Reads of the records that more than one page needs."""

    records: Records

    def incident(self, number: int) -> Incident | None:
        """The incident with this number."""
        return docket(self.records).numbered(number)

    def incidents(self, statuses: Sequence[str] = ()) -> list[Incident]:
        """Incidents with one of the statuses (all where empty), newest number first."""
        wanted, stand = frozenset(statuses), docket(self.records).stand()
        among = stand.entries if not wanted or Status.CLOSED in wanted else stand.open
        return [one.incident for one in among if not wanted or one.incident.status in wanted]

    def alerts(self, incident: Incident) -> list[Alert]:
        """The incident's alerts in order of first event; ones that retention dropped are left out."""
        held = (self.records.get("alert", identity) for identity in incident.alert_ids)
        alerts = [record.read_as(Alert) for record in held if record]
        return sorted(alerts, key=lambda alert: alert.first)

    def waiting(self) -> frozenset[str]:
        """Ids of incidents with a step that waits for approval."""
        asked = self.records.find(APPROVAL, {"state": "open"}, limit=_MOST)
        runs = {
            state: {record.id for record in self.records.find(KIND, {"state": state}, limit=_MOST)}
            for state in ("proposed", "running")
        }
        return frozenset(
            str(one.body["incident_id"])
            for one in asked
            if one.body["run_id"] in runs["proposed" if one.body.get("gate") is None else "running"]
        )

    def not_over(self, kind: str, now: datetime) -> list[Record]:
        """Records of something that holds from `start` to `end` and was not ended early: running ones and planned ones."""
        held = self.records.find(kind, {"state": "open"}, limit=200)
        return [one for one in held if datetime.fromisoformat(one.body["end"]) > now]

    def notifications(self, incident: Incident) -> list[Record]:
        """What was sent about the incident and those that it took in, oldest first."""
        return self.records.find(
            "notification", {"incident_id": family(incident)}, order="created", limit=200
        )
