"""How loud each rule is: its alerts of a stretch of time and how people judged them, counted without reading them all."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from dashboards import times
from dashboards.console.docket import Docket, docket
from dashboards.console.following import Follower, OnePerStore
from hinomi.store import Record, Records

_HELD: "OnePerStore[Loudness]" = OnePerStore()


class _Alert(NamedTuple):
    """What is kept of an alert."""

    rule: str
    detected: datetime
    incident: str


@dataclass(slots=True)
class Volume:
    """A rule's alerts, the last of them, and the verdicts of the incidents that they are in."""

    alerts: int = 0
    last: datetime | None = None
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Loudness:
    """The alerts of a store, as far as counting needs them. cases: its incidents. Safe with several threads."""

    records: Records
    cases: Docket
    _alerts: dict[str, _Alert] = field(default_factory=dict)
    _follower: Follower | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def since(self, start: datetime) -> dict[str, Volume]:
        """Rule → what it said from a time on."""
        with self._lock:
            self._follower = self._follower or Follower(self.records, "alert")
            for record in self._follower.fresh(self._alerts.clear):
                self._take(record)
            alerts = list(self._alerts.values())
        judged = {
            entry.incident.id: entry.incident.verdict.value
            for entry in self.cases.entries()
            if entry.incident.verdict
        }
        found: dict[str, Volume] = {}
        for alert in alerts:
            if alert.detected >= start:
                _add(found.setdefault(alert.rule, Volume()), alert, judged.get(alert.incident))
        return found

    def _take(self, record: Record) -> None:
        detected = times.parse(record.body["detected"])
        if detected is not None:
            rule, incident = str(record.body["rule_id"]), str(record.body.get("incident_id", ""))
            self._alerts[record.id] = _Alert(rule, detected, incident)


def _add(volume: Volume, alert: _Alert, verdict: str | None) -> None:
    volume.alerts += 1
    volume.last = max(volume.last, alert.detected) if volume.last else alert.detected
    if verdict is not None:
        volume.verdicts[verdict] += 1


def loudness(records: Records) -> Loudness:
    """The count of a store, one for all who ask."""
    return _HELD.of(records, lambda store: Loudness(store, docket(records)))
