"""What a person reports that no log told (a lost device, a call from a supplier) becomes an alert with an incident of its own.

An alert, because what follows needs no second way then: graph, story, later alerts about the same things that join it, the
calls, the plans of playbooks.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hinomi.alert import Alert, Level
from hinomi.identity import digest
from hinomi.incident import Happening, Incident
from hinomi.store import Record
from responders.incidents import casefile
from responders.incidents.entities import entities
from responders.incidents.incidents import ALERT, Incidents
from responders.incidents.shared import Shared

KIND = "incident_report"
"""Records: what was said, by whom, when it was known, and the audit entry that was written before. state: `asked`, then `open`
with the incident's number or, where the audit log does not know of it, `void`."""
RULE = "by_hand"
"""Where an alert names the rule that found it."""
REPORT = "report"
"""The kind of such an alert."""
LEVELS = (Level.LOW, Level.MEDIUM, Level.HIGH, Level.CRITICAL)
"""The level that stands for each grade."""


def incident_id(report_id: str) -> str:
    """The id of the incident that the report will open."""
    return digest("incident", _alert_id(report_id))


def said(body: dict[str, Any]) -> dict[str, Any]:
    """What of a report the audit log holds."""
    return {
        name: body[name]
        for name in ("title", "known", "grade", "zone", "targets", "playbook", "organization")
    }


def genuine(incidents: Incidents, asked: Record) -> bool:
    """Whether the audit log knows that this person reported this."""
    body = asked.body
    return incidents.audit.says(
        str(body.get("entry", "")),
        actor=str(body["by"]),
        actions=["incident.open"],
        target=incident_id(asked.id),
        details=said(body),
    )


def take_in(incidents: Incidents, asked: Record) -> Incident:
    """The incident. Done again after a crash it changes nothing more."""
    records, body = incidents.records, asked.body
    alert = _alert(asked, incidents.clock.now())
    fresh = incidents.opened(alert)
    records.put(ALERT, alert.id, {**alert.model_dump(mode="json"), "incident_id": fresh.id})
    Shared(records).note(fresh.id, entities(alert, incidents.settings.common_addresses))
    return casefile.change(records, fresh.id, lambda now: _filled(incidents, now, alert, body), start=fresh)


def known_by(alerts: Iterable[Alert]) -> dict[str, str]:
    """The fields of an incident with these alerts that come of reports: when the first of them was known. Empty where only logs
    told."""
    known = [one.first for one in alerts if one.kind == REPORT]
    return {"known_at": min(known).isoformat()} if known else {}


def settle(incidents: Incidents, asked: Record, state: str, *, number: int | None = None) -> None:
    """It was taken up."""
    body = {**asked.body, "state": state, "number": number}
    incidents.records.put(KIND, asked.id, body, expect=asked.version)


def _alert_id(report_id: str) -> str:
    return digest("report", report_id)


def _alert(asked: Record, now: datetime) -> Alert:
    body = asked.body
    known = datetime.fromisoformat(body["known"])
    return Alert(
        id=_alert_id(asked.id),
        rule_id=RULE,
        rule_name=RULE,
        title_ja=body["title"],
        title_en=body["title"],
        level=LEVELS[int(body["grade"])],
        kind=REPORT,
        first=known,
        last=known,
        detected=now,
        entities=body["targets"],
        zones=[body["zone"]] if body["zone"] else [],
        event_count=0,
        reason_ja=body["what"],
        reason_en=body["what"],
        what_to_do_ja="知らせた人に連絡を取り、分かっていることと、まだ分からないことを確かめてください。",
        what_to_do_en="Call whoever reported it: what is known, and what is not known yet?",
        organization=body["organization"],
    )


def _filled(incidents: Incidents, now: Incident, alert: Alert, body: dict[str, Any]) -> Incident:
    """With the alert, the person's grade and their words. Later alerts may raise the grade, as they do any."""
    if alert.id in now.alert_ids:
        return now
    by, grade = str(body["by"]), int(body["grade"])
    full = incidents.refreshed(now, alert)
    told = Happening(
        time=alert.first,
        kind="alert",
        actor=by,
        ja=f"{alert.title_ja}。{alert.reason_ja}",
        en=f"{alert.title_en}. {alert.reason_en}",
        ref=alert.id,
    )
    opened = Happening(
        time=incidents.clock.now(),
        kind="status",
        actor=by,
        ja="手入力で起票しました(ログによる検知ではありません)。",
        en="Opened by hand: no log told of it.",
    )
    changed = {
        "grade": grade,
        "grade_reason_ja": f"{by} が、起票したときに判断したため",
        "grade_reason_en": f"as {by} judged when opening it",
        "timeline": [*now.timeline, told, opened],
        "fields": {**full.fields, "known_at": body["known"], "opened_by": by},
    }
    return full.model_copy(update=changed)
