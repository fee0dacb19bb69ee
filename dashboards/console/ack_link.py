"""The acknowledgement link of a notification: looking changes nothing, the button does.

Mail scanners open every link (GET), so only a POST acknowledges. The token is the permission.
"""

from starlette.responses import Response

from dashboards.console.visit import Visit
from hinomi.errors import Refused
from hinomi.incident import Incident


def show(visit: Visit) -> Response:
    """What would be acknowledged, and in whose name."""
    incident, person = _meant(visit)
    return visit.page("ack_link.html", incident=incident, person=person)


def acknowledge(visit: Visit) -> Response:
    """Acknowledge in the name of whoever was sent the link."""
    incident, person = _meant(visit)
    visit.console.service.acknowledge(incident.id, actor=person)
    return visit.to(visit.request.url.path, done="acknowledged")


def _meant(visit: Visit) -> tuple[Incident, str]:
    identity, person = visit.console.service.links.read(str(visit.request.path_params["token"]))
    record = visit.console.records.get("incident", identity)
    if record is None:
        raise Refused("このリンクの件は残っていません。", "the incident of this link is gone")
    return Incident.model_validate(record.body), person
