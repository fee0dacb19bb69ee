"""The acknowledgement link of a notification: looking changes nothing, the button does.

Mail scanners open every link (GET), so only a POST acknowledges. The token is the permission, for one use.
"""

from starlette.responses import Response

from dashboards.console.visit import Visit
from hinomi.errors import InputError, Refused
from hinomi.incident import Incident
from responders.incidents.casefile import link_used, needs_a_person, read


def show(visit: Visit) -> Response:
    """What would be acknowledged, and in whose name; or that it is taken, or the link used up."""
    ticket = visit.console.service.links.ticket(str(visit.request.path_params["token"]))
    incident = _meant(visit, ticket.incident_id)
    return visit.page(
        "ack_link.html",
        incident=incident,
        person=ticket.person,
        waits=needs_a_person(incident),
        used=link_used(incident, ticket.nonce),
    )


def acknowledge(visit: Visit) -> Response:
    """Acknowledge in the name of whoever was sent the link."""
    token = str(visit.request.path_params["token"])
    _meant(visit, visit.console.service.links.ticket(token).incident_id)
    visit.console.service.acknowledge_by_link(token)
    return visit.to(visit.request.url.path, done="acknowledged")


def _meant(visit: Visit, incident_id: str) -> Incident:
    try:
        return read(visit.console.records, incident_id)
    except InputError:
        raise Refused("このリンクの件は残っていません。", "the incident of this link is gone") from None
