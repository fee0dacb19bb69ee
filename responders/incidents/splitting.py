"""Some alerts of an incident turn out to be another matter: they move to an incident of their own, which stays apart."""

from collections.abc import Sequence

from hinomi.alert import Alert
from hinomi.errors import InputError
from hinomi.incident import SPLIT_FROM, Happening, Incident
from hinomi.store import Record, Records
from responders.incidents import casefile
from responders.incidents.incidents import ALERT, Incidents, incident_id
from responders.incidents.reported import known_by
from responders.incidents.shared import Shared

KIND = "incident_split"


def split(incidents: Incidents, asked: Record) -> tuple[Incident, Incident]:
    """Carry out what a person asked for: what stays behind, and what was split off. Done again after a crash it changes nothing more.

    Raises InputError where it cannot be done any more: the alerts are elsewhere, or none would be left.
    """
    records, body = incidents.records, asked.body
    home = casefile.read(records, str(body["incident_id"]))
    chosen, begun = _chosen(incidents, asked, home)
    if not chosen:
        raise InputError(
            "分ける警報が、もうこのインシデントにありません。",
            "the alerts to split off are not here any more",
        )
    if not begun and len(chosen) == len(home.alert_ids):
        raise InputError("分けると、警報が一つも残りません。", "no alert would be left")
    fresh = incidents.opened(chosen[0], salt=_salt(asked))
    other = casefile.change(records, fresh.id, lambda now: _filled(incidents, now, home, chosen), start=fresh)
    Shared(records).note(other.id, other.fields["joins_on"])
    for alert in chosen:
        records.put(ALERT, alert.id, {**alert.model_dump(mode="json"), "incident_id": other.id})
    return casefile.change(records, home.id, lambda now: _without(incidents, now, other, chosen)), other


def done(records: Records, asked: Record, other: Incident) -> None:
    """All that follows from it is done, too."""
    records.put(KIND, asked.id, {**asked.body, "state": "done", "into": other.id})


def refused(incidents: Incidents, asked: Record, why: InputError) -> None:
    """It cannot be done any more: whoever asked finds it in the timeline."""
    records, home, by = incidents.records, str(asked.body["incident_id"]), str(asked.body["by"])
    incidents.audit.append(actor=by, action="incident.split.refused", target=home, details={"why": why.en})
    line = _line(
        incidents,
        f"{by} が求めた警報を分けませんでした: {why.ja}",
        f"The alerts were not split off as {by} asked: {why.en}",
    )
    if records.get(casefile.KIND, home) is not None:
        casefile.change(records, home, lambda now: casefile.with_line(now, line))
    records.put(KIND, asked.id, {**asked.body, "state": "refused", "why": why.en})


def _line(incidents: Incidents, ja: str, en: str) -> Happening:
    """What the tower says of a split in a timeline."""
    return Happening(time=incidents.clock.now(), kind="status", actor="hinomi", ja=ja, en=en)


def _chosen(incidents: Incidents, asked: Record, home: Incident) -> tuple[list[Alert], bool]:
    """The alerts that are to go and are still there, or went before a crash; and whether it was begun."""
    records, wanted = incidents.records, [str(one) for one in asked.body["alerts"]]
    fresh = (records.get(casefile.KIND, incident_id(one, _salt(asked))) for one in wanted)
    begun = next((one.read_as(Incident) for one in fresh if one is not None), None)
    there = {*home.alert_ids, *(begun.alert_ids if begun else [])}
    found = (records.get(ALERT, one) for one in wanted if one in there)
    return [held.read_as(Alert) for held in found if held is not None], begun is not None


def _salt(asked: Record) -> str:
    """Tells this request apart from an earlier one for the same alerts, which were joined again since."""
    return "|".join(filter(None, ("split", str(asked.body.get("at", "")))))


def _filled(incidents: Incidents, now: Incident, home: Incident, alerts: Sequence[Alert]) -> Incident:
    if set(now.alert_ids) >= {alert.id for alert in alerts}:
        return now
    for alert in alerts:
        now = incidents.refreshed(now, alert)
    line = _line(
        incidents, f"インシデント #{home.number} から分けました。", f"Split off from incident #{home.number}."
    )
    return casefile.with_line(now, line).model_copy(
        update={"fields": _apart(now, home.id) | known_by(alerts) | {SPLIT_FROM: home.id}}
    )


def _without(incidents: Incidents, now: Incident, other: Incident, gone: Sequence[Alert]) -> Incident:
    names = {alert.id for alert in gone}
    if not names & set(now.alert_ids):
        return now
    kept = [one for one in now.alert_ids if one not in names]
    left = now.model_copy(
        update={"alert_ids": kept, "playbooks": _without_playbooks(incidents, now, kept, gone)}
    )
    line = _line(
        incidents,
        f"警報 {len(names)} 件をインシデント #{other.number} に分けました。",
        f"{len(names)} alerts split off into incident #{other.number}.",
    )
    again = incidents.worked_out(left)
    return casefile.with_line(again, line).model_copy(update={"fields": _apart(again, other.id)})


def _without_playbooks(
    incidents: Incidents, now: Incident, kept: Sequence[str], gone: Sequence[Alert]
) -> list[str]:
    """The playbooks of the incident but those that only the alerts asked for which went."""
    held = (incidents.records.get(ALERT, one) for one in kept)
    wanted = {one.body["playbook"] for one in held if one is not None}
    dropped = {alert.playbook for alert in gone} - wanted
    return [name for name in now.playbooks if name not in dropped]


def _apart(incident: Incident, other: str) -> dict[str, object]:
    apart = dict.fromkeys([*incident.fields.get("apart", []), other])
    return {**incident.fields, "apart": list(apart)}
