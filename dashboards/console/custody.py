"""Evidence of an incident on the page: taken in, its hashes and chain of custody; reading and sealing ask for a reason."""

from urllib.parse import quote

from starlette.responses import Response

from dashboards.console.addressed import back, wanted
from dashboards.console.bundle import datasets
from dashboards.console.fields import text
from dashboards.console.visit import Visit
from hinomi.errors import InputError
from hinomi.incident import Incident
from hinomi.store import Record
from responders.incidents.casefile import family
from responders.incidents.evidence import KIND

MOST_FILE = 24 * 1024 * 1024
"""Bytes: a file is in memory as a whole. Larger ones are taken in with `hinomi evidence add`."""


def take(visit: Visit) -> Response:
    """A file that somebody brings goes into the vault: hashed, and its chain of custody begins with them."""
    incident, given = wanted(visit), visit.files.get("file")
    if given is None or not given.name:
        raise InputError("保全するファイルを選んでください。", "choose the file to keep")
    visit.console.service.cases.take_evidence(
        incident.id,
        given.name,
        given.content,
        origin=text(visit, "origin"),
        note=visit.form.get("note", "").strip()[:2000],
        **visit.who,
    )
    return back(visit, incident, "evidence_kept")


def hand(visit: Visit) -> Response:
    """Somebody takes a piece in hand: one more link of its chain."""
    incident, piece = _piece(visit)
    visit.console.service.cases.hand_evidence(piece.id, text(visit, "note"), **visit.who)
    return back(visit, incident, "evidence_handed")


def read(visit: Visit) -> Response:
    """The bytes of a piece, after the reason is written to its chain."""
    _, piece = _piece(visit)
    content = visit.console.service.cases.read_evidence(piece.id, text(visit, "note"), **visit.who)
    return _download(content, str(piece.body["name"]))


def seal(visit: Visit) -> Response:
    """A sealed ZIP of everything collected, for the police or an examiner."""
    incident = wanted(visit)
    visit.console.residents.ask(visit, f"incident:{incident.number}", datasets(visit, incident))
    content = visit.console.service.cases.seal(incident.id, text(visit, "note"), **visit.who)
    at = visit.console.clock.now()
    return _download(content, f"evidence-{incident.number}-{at:%Y%m%dT%H%M%SZ}.zip", "application/zip")


def _piece(visit: Visit) -> tuple[Incident, Record]:
    """The incident and a piece of this very one. Raises InputError for any other."""
    incident, identity = wanted(visit), str(visit.request.path_params["piece"])
    held = visit.console.records.get(KIND, identity)
    if held is None or held.body["incident_id"] not in family(incident):
        raise InputError("この証拠はありません。", "there is no such evidence")
    return incident, held


def _download(content: bytes, name: str, kind: str = "application/octet-stream") -> Response:
    """A file that browsers save and never show."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=kind, headers=headers)
