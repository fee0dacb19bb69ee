"""Alerts become incidents: those that share a person, a machine or an address within a window belong together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hinomi.alert import Alert
from hinomi.clock import Clock
from hinomi.identity import digest
from hinomi.incident import Happening, Incident, Status
from hinomi.ledger import Ledger
from hinomi.store import Records
from responders.audit import Audit
from responders.incidents.entities import entities
from responders.incidents.grade import grade
from responders.incidents.settings import IncidentSettings
from responders.incidents.story import story, title
from responders.incidents.suppression import covering

ALERT, INCIDENT = "alert", "incident"
_KEEP = 40  # entity values shown of each field


@dataclass(slots=True)
class Incidents:
    """One writer (the respond process); replaying the same alerts changes nothing."""

    records: Records
    clock: Clock
    settings: IncidentSettings
    audit: Audit
    ledger: Ledger = field(default_factory=Ledger)

    def receive(self, alerts: Iterable[Alert]) -> list[Incident]:
        """Store the alerts and return the incidents that changed, as they are now."""
        changed: dict[str, Incident] = {}
        for alert in alerts:
            incident = self._receive_one(alert)
            if incident is not None:
                changed[incident.id] = incident
        return list(changed.values())

    def _receive_one(self, alert: Alert) -> Incident | None:
        held = self.records.get(ALERT, alert.id)
        known = Alert.model_validate(held.body) if held else None
        if known is not None and not _more(alert, known):
            return None
        suppressed = covering(self.records, alert, self.clock.now())
        if suppressed is not None:
            self.ledger.count("suppressed", dataset=alert.rule_id, reason=suppressed.reason)
            self._store(alert.model_copy(update={"suppressed_by": suppressed.id}))
            return None
        joined = self._joined(alert, known)
        if joined is None:
            self._store(alert)
            return None
        self._store(alert.model_copy(update={"incident_id": joined.id}))
        return self._refresh(joined, alert, new=known is None)

    def _joined(self, alert: Alert, known: Alert | None) -> Incident | None:
        """The incident that the alert belongs to: its own, an open one that shares an entity, or a new one."""
        if known is not None and known.incident_id:
            held = self.records.get(INCIDENT, known.incident_id)
            if held is not None:
                return Incident.model_validate(held.body)
        matching = self._matching(alert)
        if matching:
            return self._merged(matching) if len(matching) > 1 else matching[0]
        if alert.level.rank < self.settings.opens_at.rank:
            return None
        return self._open(alert)

    def _matching(self, alert: Alert) -> list[Incident]:
        about = entities(alert, self.settings.common_addresses)
        window = timedelta(hours=self.settings.window_hours)
        open_ = self.records.find(
            INCIDENT, {"status": [s.value for s in Status if s is not Status.CLOSED]}, order="number"
        )
        found = []
        for record in open_:
            incident = Incident.model_validate(record.body)
            near = alert.first <= incident.last + window and alert.last >= incident.first - window
            if near and about & set(incident.fields.get("joins_on", [])):
                found.append(incident)
        return found

    def _open(self, alert: Alert) -> Incident:
        now = self.clock.now()
        number = int(self.records.append("incident_number", {"alert": alert.id}).id)
        return Incident(
            id=digest("incident", alert.id),
            number=number,
            title_ja=alert.title_ja,
            title_en=alert.title_en,
            level=alert.level,
            first=alert.first,
            last=alert.last,
            opened=now,
            updated=now,
        )

    def _merged(self, incidents: Sequence[Incident]) -> Incident:
        """The oldest takes in the others; they are closed with a word where they went."""
        first, *others = incidents
        for other in others:
            self._take_in(first, other)
        alerts = [alert for incident in incidents for alert in incident.alert_ids]
        lines = sorted(
            (line for incident in incidents for line in incident.timeline), key=lambda line: line.time
        )
        return first.model_copy(update={"alert_ids": list(dict.fromkeys(alerts)), "timeline": lines})

    def _take_in(self, first: Incident, other: Incident) -> None:
        now = self.clock.now()
        self.audit.append(
            actor="hinomi",
            action="incident.merge",
            target=other.id,
            details={"into": first.id, "number": other.number},
        )
        for identity in other.alert_ids:
            held = self.records.get(ALERT, identity)
            if held is not None:
                self.records.put(ALERT, identity, {**held.body, "incident_id": first.id})
        line = Happening(
            time=now,
            kind="status",
            actor="hinomi",
            ja=f"共通の対象があるため、インシデント #{first.number} にまとめました。",
            en=f"Joined into incident #{first.number}, which it shares an entity with.",
        )
        closed = other.model_copy(
            update={
                "status": Status.CLOSED,
                "updated": now,
                "timeline": [*other.timeline, line],
                "fields": {**other.fields, "merged_into": first.id},
            }
        )
        self.records.put(INCIDENT, other.id, closed.model_dump(mode="json"))

    def _refresh(self, incident: Incident, alert: Alert, *, new: bool) -> Incident:
        """The incident with everything that follows from its alerts worked out again."""
        ids = list(dict.fromkeys([*incident.alert_ids, alert.id]))
        alerts = [
            Alert.model_validate(held.body) for i in ids if (held := self.records.get(ALERT, i)) is not None
        ]
        zones = sorted({zone for one in alerts for zone in one.zones})
        level = max((one.level for one in alerts), key=lambda one: one.rank)
        step, reason = grade(level, zones)
        joins = sorted(set().union(*(entities(one, self.settings.common_addresses) for one in alerts)))
        who = _who(alerts)
        heading, told = title(alerts, who), story(alerts, zones)
        changed = {
            "alert_ids": ids,
            "title_ja": heading.ja,
            "title_en": heading.en,
            "story_ja": told.ja,
            "story_en": told.en,
            "level": level,
            "zones": zones,
            "first": min(one.first for one in alerts),
            "last": max(one.last for one in alerts),
            "updated": self.clock.now(),
            "entities": _gathered(alerts),
            "tags": sorted({tag for one in alerts for tag in one.tags}),
            "guideline": sorted({clause for one in alerts for clause in one.guideline}),
            "playbooks": sorted({one.playbook for one in alerts if one.playbook} | set(incident.playbooks)),
            "timeline": [*incident.timeline, _line(alert)] if new else incident.timeline,
            "fields": {**incident.fields, "joins_on": joins},
        }
        if not incident.fields.get("grade_by"):  # a person's grade stands
            changed |= {
                "grade": max(step, incident.grade if incident.alert_ids else 0),
                "grade_reason_ja": reason.ja,
                "grade_reason_en": reason.en,
            }
        refreshed = incident.model_copy(update=changed)
        self.records.put(INCIDENT, refreshed.id, refreshed.model_dump(mode="json"))
        return refreshed

    def _store(self, alert: Alert) -> None:
        self.records.put(ALERT, alert.id, alert.model_dump(mode="json"))


def _more(alert: Alert, known: Alert) -> bool:
    """Whether an alert seen before says more than it did."""
    return (alert.event_count, alert.last, alert.level) != (known.event_count, known.last, known.level)


def _who(alerts: Sequence[Alert]) -> str:
    """The entity that most alerts are about, people first."""
    for field_name in ("user.name", "host.name", "source.ip"):
        counts: dict[str, int] = {}
        for alert in alerts:
            for value in alert.entities.get(field_name, [])[:3]:
                counts[value] = counts.get(value, 0) + alert.level.rank
        if counts:
            return max(counts, key=lambda value: counts[value])
    return ""


def _gathered(alerts: Sequence[Alert]) -> dict[str, list[str]]:
    gathered: dict[str, dict[str, None]] = {}
    for alert in alerts:
        for name, values in alert.entities.items():
            gathered.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: list(values)[:_KEEP] for name, values in gathered.items()}


def _line(alert: Alert) -> Happening:
    return Happening(
        time=alert.first,
        kind="alert",
        actor="hinomi",
        ja=f"{alert.title_ja}。{alert.reason_ja}" if alert.reason_ja else alert.title_ja,
        en=f"{alert.title_en}. {alert.reason_en}" if alert.reason_en else alert.title_en,
        ref=alert.id,
    )
