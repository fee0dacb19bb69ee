"""Evidence of an incident as one archive: raw lines, what was understood of them, the decisions, and hashes of each file.

The archive holds what the store holds at this moment; that it was taken, and its hash, is in the audit log.
"""

import hashlib
import io
import zipfile
from typing import Any

import orjson
from starlette.responses import Response

from dashboards.console.casework import Casework
from dashboards.console.incident_page import wanted
from dashboards.console.visit import Visit
from hinomi.alert import Alert
from hinomi.incident import Incident

_MARGIN_IDS = 200


def download(visit: Visit) -> Response:
    """`incident-<number>.zip`: events.ndjson, alerts.json, incident.json, SHA256SUMS."""
    incident = wanted(visit)
    visit.console.residents.ask(visit, f"incident:{incident.number}", datasets(visit, incident))
    content = archive(visit, incident)
    digest = hashlib.sha256(content).hexdigest()
    visit.console.audit.append(
        actor=visit.actor,
        action="console.evidence",
        target=incident.id,
        details={"sha256": digest, "bytes": len(content)},
    )
    headers = {
        "Content-Disposition": f'attachment; filename="incident-{incident.number}.zip"',
        "X-Hinomi-SHA256": digest,
    }
    return Response(content, media_type="application/zip", headers=headers)


def archive(visit: Visit, incident: Incident) -> bytes:
    """The archive's bytes; the same store gives the same files."""
    alerts = Casework(visit.console.records).alerts(incident)
    events = [event for alert in alerts for event in _events(visit, alert)]
    unique = {str(event.get("event.id")): event for event in events}
    runs = [visit.console.records.get("playbook_run", identity) for identity in incident.run_ids]
    files = {
        "events.ndjson": b"".join(_line(event) for event in unique.values()),
        "alerts.json": _pretty([alert.model_dump(mode="json") for alert in alerts]),
        "incident.json": _pretty(incident.model_dump(mode="json")),
        "playbook_runs.json": _pretty([record.body for record in runs if record]),
    }
    sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in files.items())
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in {**files, "SHA256SUMS": sums.encode()}.items():
            made.writestr(zipfile.ZipInfo(name, date_time=visit.console.clock.now().timetuple()[:6]), body)
    return held.getvalue()


def datasets(visit: Visit, incident: Incident) -> set[str]:
    """Where the incident's events come from."""
    return {name for alert in Casework(visit.console.records).alerts(incident) for name in alert.datasets}


def _events(visit: Visit, alert: Alert) -> list[dict[str, Any]]:
    return visit.console.events.get(alert.event_ids[:_MARGIN_IDS]) if alert.event_ids else []


def _line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS, default=str)


def _pretty(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str)
