"""The incident that an address names, and the way back to its page."""

from starlette.responses import Response

from dashboards.console.casework import Casework
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from hinomi.incident import Incident


class NoIncident(InputError):
    """Nobody knows an incident with this number."""


def wanted(visit: Visit) -> Incident:
    """The incident of the address line. Raises NoIncident."""
    found = Casework(visit.console.records).incident(int(visit.request.path_params["number"]))
    if found is None:
        raise NoIncident("この番号のインシデントはありません。", "there is no incident with this number")
    return found


def back(visit: Visit, incident: Incident, done: str) -> Response:
    """The incident's page, which says what was done."""
    return visit.to(f"/incidents/{incident.number}", done=done)
