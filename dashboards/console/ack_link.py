"""The acknowledgement link of a notification: looking changes nothing, the button does.

Mail scanners open every link (GET), so only a POST acknowledges. The token is the permission, for one use.
"""

from starlette.responses import Response

from dashboards.console.on_duty import person_name
from dashboards.console.visit import Visit
from responders.incidents.casefile import link_used, needs_a_person


def show(visit: Visit) -> Response:
    """What would be acknowledged, and in whose name; or that it is taken, or the link used up."""
    ticket, incident = visit.console.service.open_link(str(visit.request.path_params["token"]))
    return visit.page(
        "ack_link.html",
        incident=incident,
        person=person_name(visit, ticket.person),
        taker=person_name(visit, incident.acknowledged_by),
        waits=needs_a_person(incident),
        used=link_used(incident, ticket.nonce),
    )


def acknowledge(visit: Visit) -> Response:
    """Acknowledge in the name of whoever was sent the link."""
    visit.console.service.acknowledge_by_link(str(visit.request.path_params["token"]))
    return visit.to(visit.request.url.path, done="acknowledged")
