"""Evidence of an incident as one archive: raw lines, what was understood of them, the decisions, and hashes of each file.

The archive holds what the store holds at this moment; that it was taken, and its hash, is in the audit log.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from dashboards.console.addressed import wanted
from dashboards.console.casework import Casework
from dashboards.console.visit import Visit
from hinomi.alert import Alert
from hinomi.incident import Incident

_WHOLE = {"ja": "検知したログはすべて入っています。", "en": "All events that matched are here."}
_PART = {
    "ja": "検知したログの一部です。検知1件が証拠として挙げるのは200件までで、保存期間を過ぎたログもありません。"
    "残りは、検知の期間(first〜last)を画面で検索して書き出してください。",
    "en": "These are part of the events that matched: an alert names 200 as evidence at most, and what is past its retention"
    " is gone. Search the time of the alert (first to last) in the console and export the rest.",
}


def download(visit: Visit) -> Response:
    """`incident-<number>.zip`: events.ndjson, alerts.json, incident.json, playbook_runs.json, contents.json, SHA256SUMS."""
    incident = wanted(visit)
    content = taken(visit, incident)
    headers = {
        "Content-Disposition": f'attachment; filename="incident-{incident.number}.zip"',
        "X-Hinomi-SHA256": hashlib.sha256(content).hexdigest(),
    }
    return Response(content, media_type="application/zip", headers=headers)


def taken(visit: Visit, incident: Incident) -> bytes:
    """The archive, with its hash in the audit log. Raises Refused where logs about residents need a reason."""
    visit.console.residents.ask(visit, f"incident:{incident.number}", datasets(visit, incident))
    content = archive(visit, incident)
    visit.console.audit.append(
        actor=visit.actor,
        action="console.evidence",
        target=incident.id,
        details={"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)},
    )
    return content


def archive(visit: Visit, incident: Incident) -> bytes:
    """The archive's bytes; the same store gives the same files."""
    alerts = Casework(visit.console.records).alerts(incident)
    events = {alert.id: _events(visit, alert) for alert in alerts}
    unique = {str(event.get("event.id")): event for found in events.values() for event in found}
    runs = [visit.console.records.get("playbook_run", identity) for identity in incident.run_ids]
    files = {
        "events.ndjson": b"".join(_line(event) for event in unique.values()),
        "alerts.json": _pretty([alert.model_dump(mode="json") for alert in alerts]),
        "incident.json": _pretty(incident.model_dump(mode="json")),
        "playbook_runs.json": _pretty([record.body for record in runs if record]),
        "contents.json": _pretty(_contents(alerts, events, len(unique))),
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


def _contents(
    alerts: Sequence[Alert], events: Mapping[str, Sequence[dict[str, Any]]], held: int
) -> dict[str, Any]:
    """How many events each alert stands for, how many of them it names as evidence (200 at most) and how many are here:
    what retention dropped is not."""
    counted = [
        {
            "alert": alert.id,
            "rule": alert.rule_name,
            "first": alert.first.isoformat(),
            "last": alert.last.isoformat(),
            "matched": alert.event_count,
            "named": len(alert.event_ids),
            "in_this_archive": len(events[alert.id]),
        }
        for alert in alerts
    ]
    whole = all(one["matched"] == one["in_this_archive"] for one in counted)
    return {"note": _WHOLE if whole else _PART, "events": held, "alerts": counted}


def _events(visit: Visit, alert: Alert) -> list[dict[str, Any]]:
    return visit.console.events.get(alert.event_ids) if alert.event_ids else []


def _line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS, default=str)


def _pretty(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str)
