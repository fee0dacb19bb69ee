"""The incident page: story, timeline, alerts with their evidence, plan, facts, report clock."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from dashboards import times
from dashboards.console import evidence, plans
from dashboards.console.casework import Casework
from dashboards.console.evidence import Shown
from dashboards.console.search import quoted
from dashboards.console.visit import Visit
from dashboards.duties import duties
from dashboards.users import WORKERS
from hinomi.alert import Alert
from hinomi.errors import InputError
from hinomi.incident import Incident
from responders.incidents.casefile import needs_a_person

_AROUND = timedelta(minutes=10)


class NoIncident(InputError):
    """Nobody knows an incident with this number."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An alert with its first events and the address of a search around it."""

    alert: Alert
    events: list[Shown]
    search: str


def wanted(visit: Visit) -> Incident:
    """The incident of the address line. Raises NoIncident."""
    found = Casework(visit.console.records).incident(int(visit.request.path_params["number"]))
    if found is None:
        raise NoIncident("この番号のインシデントはありません。", "there is no incident with this number")
    return found


def show(visit: Visit) -> Response:
    """The page of one incident; looking at it is written to the audit log."""
    incident = wanted(visit)
    visit.console.audit.append(actor=visit.actor, action="console.look", target=incident.id, details={})
    return visit.page("incident.html", **_context(visit, incident))


def _context(visit: Visit, incident: Incident) -> dict[str, Any]:
    casework = Casework(visit.console.records)
    findings = [
        Finding(alert, evidence.of_alert(visit.console.events, alert), _search_around(alert))
        for alert in casework.alerts(incident)
    ]
    runs = plans.of_incident(visit, incident)
    return {
        "incident": incident,
        "waits": needs_a_person(incident),
        "here": f"/incidents/{incident.number}",
        "timeline": sorted(incident.timeline, key=lambda happening: happening.time),
        "findings": findings,
        "runs": runs,
        "mine_to_decide": any(plan.decision and not plan.decision.why_not for plan in runs),
        "people": [user for user in visit.console.users.all() if user.has(WORKERS) and not user.disabled],
        "duties": duties(incident),
        "merged_into": _merged_into(visit, incident),
    }


def _merged_into(visit: Visit, incident: Incident) -> int | None:
    """Number of the incident that took this one in, where one did."""
    record = visit.console.records.get("incident", str(incident.fields.get("merged_into", "")))
    return int(record.body["number"]) if record else None


def _search_around(alert: Alert) -> str:
    """A search for the alert's first entity, ten minutes before to ten after."""
    field, values = next(iter(alert.entities.items()), ("", []))
    query = f"{field}: {quoted(values[0])}" if values else ""
    start, end = times.local_input(alert.first - _AROUND), times.local_input(alert.last + _AROUND)
    return "/search?" + urlencode({"q": query, "range": "own", "from": start, "to": end})
