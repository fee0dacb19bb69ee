"""Some alerts of an incident turn out to be another matter: they move to an incident of their own, which stays apart."""

from collections.abc import Sequence

from hinomi.alert import Alert
from hinomi.errors import InputError
from hinomi.incident import Happening, Incident
from hinomi.store import Record
from responders.incidents import casefile
from responders.incidents.incidents import ALERT, Incidents

KIND = "incident_split"


def split(incidents: Incidents, asked: Record) -> Incident:
    """Carry out what a person asked for. Done again after a crash it changes nothing more."""
    records, body = incidents.records, asked.body
    home = casefile.read(records, str(body["incident_id"]))
    chosen = [
        held.read_as(Alert)
        for identity in body["alerts"]
        if (held := records.get(ALERT, identity)) is not None
    ]
    if not chosen:
        raise InputError("分ける警報がありません。", "no alert to split off")
    fresh = incidents.opened(chosen[0], salt="split")
    other = casefile.change(records, fresh.id, lambda now: _filled(incidents, now, home, chosen), start=fresh)
    for alert in chosen:
        records.put(ALERT, alert.id, {**alert.model_dump(mode="json"), "incident_id": other.id})
    casefile.change(records, home.id, lambda now: _without(incidents, now, other, chosen))
    records.put(KIND, asked.id, {**body, "state": "done", "into": other.id})
    return other


def _filled(incidents: Incidents, now: Incident, home: Incident, alerts: Sequence[Alert]) -> Incident:
    if set(now.alert_ids) >= {alert.id for alert in alerts}:
        return now
    for alert in alerts:
        now = incidents.refreshed(now, alert)
    line = Happening(
        time=incidents.clock.now(),
        kind="status",
        actor="hinomi",
        ja=f"インシデント #{home.number} から分けました。",
        en=f"Split off from incident #{home.number}.",
    )
    return casefile.with_line(now, line).model_copy(update={"fields": _apart(now, home.id)})


def _without(incidents: Incidents, now: Incident, other: Incident, gone: Sequence[Alert]) -> Incident:
    names = {alert.id for alert in gone}
    if not names & set(now.alert_ids):
        return now
    left = now.model_copy(update={"alert_ids": [one for one in now.alert_ids if one not in names]})
    line = Happening(
        time=incidents.clock.now(),
        kind="status",
        actor="hinomi",
        ja=f"警報 {len(names)} 件をインシデント #{other.number} に分けました。",
        en=f"{len(names)} alerts split off into incident #{other.number}.",
    )
    again = incidents.worked_out(left)
    return casefile.with_line(again, line).model_copy(update={"fields": _apart(again, other.id)})


def _apart(incident: Incident, other: str) -> dict[str, object]:
    apart = dict.fromkeys([*incident.fields.get("apart", []), other])
    return {**incident.fields, "apart": list(apart)}
