"""Alerts become incidents: those that share a person, a machine or an address within a window belong together.

An alert is stored with its incident's id, then its incident takes it in: a crash in between is mended by receiving the
same alert again. People write to the same incidents at the same time, so every change is a compare-and-set.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hinomi.alert import Alert, Level
from hinomi.clock import Clock
from hinomi.errors import Conflict
from hinomi.faults import Faults
from hinomi.identity import digest
from hinomi.incident import Happening, Incident, Status
from hinomi.ledger import Ledger
from hinomi.store import Records
from responders.audit import Audit
from responders.incidents import casefile, merging
from responders.incidents.entities import entities
from responders.incidents.grade import grade
from responders.incidents.growing import BEHIND, HUGE, KEEP, LARGE, WORKED_OUT, added, due, told
from responders.incidents.risk import risk
from responders.incidents.settings import IncidentSettings
from responders.incidents.shared import Shared
from responders.incidents.story import story, title
from responders.incidents.suppression import covering

ALERT, NUMBER, NUMBER_OF = merging.ALERT, "incident_number", "incident_number_of"
_TRIES = 20


@dataclass(slots=True)
class Incidents:
    """One writer of alerts (the respond process); replaying the same alerts changes nothing."""

    records: Records
    clock: Clock
    settings: IncidentSettings
    audit: Audit
    ledger: Ledger = field(default_factory=Ledger)
    behind: set[str] = field(default_factory=set)

    def each(self, alerts: Iterable[Alert]) -> Iterator[tuple[Incident, bool]]:
        """Store the alerts; the incident of each as it is now, and whether it changed: an alert that comes again changes
        nothing, but what follows from it may not have been done before a crash.

        What one alert holds may be broken: the others are taken in all the same, then it is raised.
        """
        coming, behind = list(alerts), dict[str, Incident]()
        with Faults() as faults:
            for alert in coming:
                with faults.kept():
                    for incident, news in self._each(alert, one_of_many=len(coming) > 1):
                        if incident.fields.get(BEHIND):
                            behind[incident.id] = incident
                        yield incident, news
            for identity, incident in behind.items():
                self.behind.add(identity)
                if due(incident):
                    with faults.kept():
                        yield self.caught_up(identity), True

    def _each(self, coming: Alert, *, one_of_many: bool) -> Iterator[tuple[Incident, bool]]:
        alert, known = self._known(coming)
        if known is not None and not _more(alert, known):
            own = self._own(known)
            if own is not None or not known.incident_id:  # else a crash came before its incident took it in
                yield from [(own, False)] if own else []
                return
        if (incident := self._receive_one(alert, known, one_of_many)) is not None:
            yield incident, True

    def _known(self, alert: Alert) -> tuple[Alert, Alert | None]:
        """The alert and what is held of it. One that has the id of another organisation's is kept beside that, under an id
        of its own: it never takes its place, nor its incident."""
        held = self.records.get(ALERT, alert.id)
        known = held.read_as(Alert) if held else None
        if known is None or known.organization == alert.organization:
            return alert, known
        own = alert.model_copy(update={"id": digest("alert", alert.id, alert.organization)})
        held = self.records.get(ALERT, own.id)
        return own, held.read_as(Alert) if held else None

    def _receive_one(self, alert: Alert, known: Alert | None, one_of_many: bool) -> Incident | None:
        suppressed = covering(self.records, alert, self.clock.now())
        if suppressed is not None and not (known and known.incident_id):
            self.ledger.count("suppressed", dataset=alert.rule_id, reason=suppressed.reason)
            self._store(alert.model_copy(update={"suppressed_by": suppressed.id}))
            return None
        for _ in range(_TRIES):
            home = self._home(alert, known)
            self._store(alert.model_copy(update={"incident_id": home.id if home else ""}))
            if home is None:
                return None
            Shared(self.records).note(home.id, entities(alert, self.settings.common_addresses))
            after = self._take_in(home, alert, one_of_many)
            if alert.id in after.alert_ids:
                return after
        raise Conflict("インシデントが次々に閉じられました。", "incidents were closed one after another")

    def _own(self, known: Alert) -> Incident | None:
        """The incident that has taken the alert in, followed to where it was merged."""
        if not known.incident_id or self.records.get(casefile.KIND, known.incident_id) is None:
            return None
        incident = casefile.read(self.records, known.incident_id)
        return incident if known.id in incident.alert_ids else None

    def _home(self, alert: Alert, known: Alert | None) -> Incident | None:
        """The incident that the alert belongs to: its own, an open one that shares an entity, or a new one. What a known alert has
        grown by may be another incident's: they are joined."""
        own = self._own(known) if known is not None else None
        if own is not None and not (known and self._about(alert) - self._about(known)):
            return own
        matching = self._matching(alert, own)
        while others := _joinable(matching):
            if merging.merge(self.records, self.audit, self.clock, matching[0], others):
                return casefile.read(self.records, matching[0].id)
            matching = self._matching(alert, own)  # a person closed the oldest in this very moment
        if matching:
            return matching[0]
        return self.opened(alert) if alert.level.rank >= self.settings.opens_at.rank else None

    def _matching(self, alert: Alert, own: Incident | None = None) -> list[Incident]:
        """Open incidents of the same organisation within the window that share an entity with the alert, oldest first. own: the
        alert's, if it has one; then those alone that may be joined with it."""
        about = self._about(alert)
        window = timedelta(hours=self.settings.window_hours)
        found = []
        for incident in Shared(self.records).open_with(about):
            near = alert.first <= incident.last + window and alert.last >= incident.first - window
            same = incident.organization == alert.organization
            if near and same and about & set(incident.fields.get("joins_on", [])):
                found.append(incident)
        if own is not None:
            found = _with(own, found)
        return sorted(found, key=lambda incident: incident.number)

    def _about(self, alert: Alert) -> set[str]:
        return entities(alert, self.settings.common_addresses)

    def opened(self, alert: Alert, *, salt: str = "") -> Incident:
        """A new incident, not written before its alert is. Its number is the alert's for good, also after a crash.

        salt: tells apart incidents that begin with the same alert: one that was split off.
        """
        key = f"{alert.id}|{salt}" if salt else alert.id
        number = self._number(key)
        now = self.clock.now()
        return Incident(
            id=incident_id(alert.id, salt),
            number=number,
            title_ja=alert.title_ja,
            title_en=alert.title_en,
            level=alert.level,
            first=alert.first,
            last=alert.last,
            opened=now,
            updated=now,
            organization=alert.organization,
        )

    def _number(self, key: str) -> int:
        """The running number of the incident that begins with this alert: looked up by its own record."""
        held = self.records.get(NUMBER_OF, key)
        if held is not None:
            return int(held.body["number"])
        taken = self.records.find(NUMBER, {"alert": key}, limit=1)  # written before a crash, not yet noted
        number = int((taken[0] if taken else self.records.append(NUMBER, {"alert": key})).id)
        self.records.put(NUMBER_OF, key, {"number": number})
        return number

    def _take_in(self, home: Incident, alert: Alert, one_of_many: bool) -> Incident:
        """The incident with the alert and all that follows, but for what is worked out behind the last of many; as it is when it was
        closed before it could take it in."""

        def taken_in(incident: Incident) -> Incident:
            if incident.status is Status.CLOSED and alert.id not in incident.alert_ids:
                return incident
            if len(incident.alert_ids) >= (LARGE if one_of_many else HUGE):
                return self._grown(incident, alert)
            return self.refreshed(incident, alert)

        return casefile.change(self.records, home.id, taken_in, start=home)

    def _grown(self, incident: Incident, alert: Alert) -> Incident:
        more = added(incident, alert, entities(alert, self.settings.common_addresses))
        new = alert.id not in incident.alert_ids
        lines = told(incident.timeline, _line(alert)) if new else incident.timeline
        grown = incident.model_copy(update={**more, "timeline": lines, "updated": self.clock.now()})
        return grown.model_copy(update=self._graded(grown, grown.level, grown.zones, grown=True))

    def restart(self) -> None:
        """Another process may have led meanwhile: for which incidents it was put off is read anew."""
        found = self.records.find(casefile.KIND, {"status": casefile.OPEN}, limit=1_000_000)
        self.behind = {one.id for one in found if one.body.get("fields", {}).get(BEHIND)}

    def caught_up(self, identity: str, *, planned: bool = True) -> Incident:
        """The incident worked out as a whole, where that was put off (`behind`). planned: whether its plans are seen to by who gives the
        alerts; else it stays behind until they are (`planned`)."""

        def whole(incident: Incident) -> Incident:
            if not incident.fields.get(BEHIND):
                return incident
            again = self.worked_out(incident, grown=True)
            fields = again.fields if planned else {**again.fields, BEHIND: True}
            return again.model_copy(update={"fields": fields})

        found = casefile.change(self.records, identity, whole)
        if planned:
            self.behind.discard(identity)
        return found

    def planned(self, identity: str) -> None:
        """All that follows from the incident's alerts is done, too; alerts that came since are not part of that."""

        def over(incident: Incident) -> Incident:
            if incident.fields.get(WORKED_OUT) != len(incident.alert_ids):
                return incident
            fields = {name: value for name, value in incident.fields.items() if name != BEHIND}
            return incident.model_copy(update={"fields": fields})

        if not casefile.change(self.records, identity, over).fields.get(BEHIND):
            self.behind.discard(identity)

    def refreshed(self, incident: Incident, alert: Alert) -> Incident:
        """The incident with everything that follows from its alerts worked out again; what people set stands."""
        ids = list(dict.fromkeys([*incident.alert_ids, alert.id]))
        new = alert.id not in incident.alert_ids
        again = self.worked_out(
            incident.model_copy(update={"alert_ids": ids}), grown=bool(incident.alert_ids)
        )
        return again.model_copy(
            update={"timeline": told(incident.timeline, _line(alert)) if new else incident.timeline}
        )

    def worked_out(self, incident: Incident, *, grown: bool = False) -> Incident:
        """What follows from the incident's alerts. grown: it had alerts before, so its grade does not fall."""
        alerts = [
            held.read_as(Alert)
            for i in incident.alert_ids
            if (held := self.records.get(ALERT, i)) is not None
        ]
        if not alerts:
            return incident  # retention dropped them: what followed from them stands
        changed = {
            **_gathered(alerts),
            **self._told(alerts),
            **self._graded(self._scored(incident, alerts), _highest(alerts), _zones(alerts), grown=grown),
            "updated": self.clock.now(),
            "playbooks": sorted({one.playbook for one in alerts if one.playbook} | set(incident.playbooks)),
        }
        return incident.model_copy(update=changed)

    def _told(self, alerts: Sequence[Alert]) -> dict[str, Any]:
        heading, told = title(alerts, _who(alerts)), story(alerts, _zones(alerts))
        return {
            "title_ja": heading.ja,
            "title_en": heading.en,
            "story_ja": told.ja,
            "story_en": told.en,
        }

    def _scored(self, incident: Incident, alerts: Sequence[Alert]) -> Incident:
        """What the incident joins on, and its risk."""
        joins = set().union(*(entities(one, self.settings.common_addresses) for one in alerts))
        score = risk(alerts, self.settings.privileged).kept()
        fields = {name: value for name, value in incident.fields.items() if name != BEHIND}
        known = {"joins_on": sorted(joins), "risk": score, WORKED_OUT: len(incident.alert_ids)}
        return incident.model_copy(update={"fields": {**fields, **known}})

    def _graded(
        self, incident: Incident, level: Level, zones: Sequence[str], *, grown: bool
    ) -> dict[str, Any]:
        """Its proposed grade: it never falls, and a person's grade stands."""
        fields = {**incident.fields}
        if incident.fields.get("grade_by"):
            return {"fields": fields}
        step, reason = grade(level, zones)
        if grown and step < incident.grade:
            return {"fields": fields}
        if step > incident.grade:
            fields["graded_at"] = self.clock.now().isoformat()
        return {
            "grade": step,
            "grade_reason_ja": reason.ja,
            "grade_reason_en": reason.en,
            "fields": fields,
        }

    def _store(self, alert: Alert) -> None:
        self.records.put(ALERT, alert.id, alert.model_dump(mode="json"))


def incident_id(alert_id: str, salt: str = "") -> str:
    """The id of the incident that begins with this alert."""
    return digest("incident", *filter(None, (alert_id, salt)))


def _joinable(matching: Sequence[Incident]) -> list[Incident]:
    """Those that the oldest one may take in: none from which a person parted it, or another one that it takes in."""
    taken = [*matching[:1]]
    for one in matching[1:]:
        if not any(_parted(one, other) for other in taken):
            taken.append(one)
    return taken[1:]


def _parted(one: Incident, other: Incident) -> bool:
    """Whether a person split one off from the other, or what either took in: `apart` has the names of that time."""
    sides = (one, other), (other, one)
    return any({*a.fields.get("apart", [])} & {*casefile.family(b)} for a, b in sides)


def _with(own: Incident, matching: Sequence[Incident]) -> list[Incident]:
    """An alert's own incident and those that may be joined with it; alone where it is no open one."""
    if own.id not in {one.id for one in matching}:
        return [own]
    return [one for one in matching if one.id == own.id or _joinable([own, one])]


def _more(alert: Alert, known: Alert) -> bool:
    """Whether an alert seen before says more than it did; a replay may for a while say less, which is no news."""
    return (
        alert.event_count > known.event_count
        or alert.last > known.last
        or alert.level.rank > known.level.rank
    )


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


def _highest(alerts: Sequence[Alert]) -> Level:
    return max((one.level for one in alerts), key=lambda level: level.rank)


def _zones(alerts: Sequence[Alert]) -> list[str]:
    return sorted({zone for one in alerts for zone in one.zones})


def _gathered(alerts: Sequence[Alert]) -> dict[str, Any]:
    """What the incident's alerts say together."""
    gathered: dict[str, dict[str, None]] = {}
    for alert in alerts:
        for name, values in alert.entities.items():
            gathered.setdefault(name, {}).update(dict.fromkeys(values))
    return {
        "level": _highest(alerts),
        "zones": _zones(alerts),
        "first": min(one.first for one in alerts),
        "last": max(one.last for one in alerts),
        "entities": {name: list(values)[:KEEP] for name, values in gathered.items()},
        "tags": sorted({tag for one in alerts for tag in one.tags}),
        "guideline": sorted({clause for one in alerts for clause in one.guideline}),
    }


def _line(alert: Alert) -> Happening:
    return Happening(
        time=alert.first,
        kind="alert",
        actor="hinomi",
        ja=f"{alert.title_ja}。{alert.reason_ja}" if alert.reason_ja else alert.title_ja,
        en=f"{alert.title_en}. {alert.reason_en}" if alert.reason_en else alert.title_en,
        ref=alert.id,
    )
