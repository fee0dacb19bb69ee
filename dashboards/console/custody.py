"""Evidence of an incident on the page: its hashes and chain of custody; reading and sealing ask for a reason."""

from datetime import datetime
from urllib.parse import quote

from starlette.responses import Response

from dashboards.console.bundle import datasets
from dashboards.console.decisions import text
from dashboards.console.incident_page import wanted
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from responders.incidents.evidence import KIND


def hand(visit: Visit) -> Response:
    """Somebody takes a piece in hand: one more link of its chain."""
    incident, piece = wanted(visit), _piece(visit)
    visit.console.service.cases.hand_evidence(
        piece, text(visit, "note"), actor=visit.actor, roles=visit.roles
    )
    return visit.to(f"/incidents/{incident.number}", done="evidence_handed")


def read(visit: Visit) -> Response:
    """The bytes of a piece, after the reason is written to its chain."""
    wanted(visit)
    piece = _piece(visit)
    held = visit.console.records.get(KIND, piece)
    content = visit.console.service.cases.read_evidence(
        piece, text(visit, "note"), actor=visit.actor, roles=visit.roles
    )
    name = str(held.body["name"]) if held else piece
    return _download(content, name)


def seal(visit: Visit) -> Response:
    """A sealed ZIP of everything collected, for the police or an examiner."""
    incident = wanted(visit)
    visit.console.residents.ask(visit, f"incident:{incident.number}", datasets(visit, incident))
    content = visit.console.service.cases.seal(
        incident.id, text(visit, "note"), actor=visit.actor, roles=visit.roles
    )
    at = visit.console.clock.now()
    return _download(content, f"evidence-{incident.number}-{_day(at)}.zip", "application/zip")


def _piece(visit: Visit) -> str:
    """The id of a piece of this very incident. Raises InputError for any other."""
    incident, identity = wanted(visit), str(visit.request.path_params["piece"])
    held = visit.console.records.get(KIND, identity)
    if held is None or held.body["incident_id"] != incident.id:
        raise InputError("この証拠はありません。", "there is no such evidence")
    return identity


def _download(content: bytes, name: str, kind: str = "application/octet-stream") -> Response:
    """A file that browsers save and never show."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=kind, headers=headers)


def _day(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")
