"""What a playbook's evidence step keeps: the events about its entities and the alerts, as one compressed file a step."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from hinomi import alert
from hinomi.clock import Clock
from hinomi.errors import DependencyDown
from hinomi.incident import Incident
from hinomi.store import Events, Records, Span
from responders.connectors.protocol import Done
from responders.incidents import casefile
from responders.incidents.evidence import KIND, Vault
from responders.playbooks.run import Run, RunStep

_MOST, _PAGE = 50_000, 1_000
_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Reads the store, writes the vault. The same step keeps once, also after a crash."""

    records: Records
    events: Events | None
    vault: Vault
    clock: Clock

    def keep(self, run: Run, step: RunStep) -> Done:
        """Raises DependencyDown when the store does not answer."""
        origin = f"playbook {run.playbook} step {step.index} run {run.id}"
        incident = casefile.read(self.records, run.incident_id)
        whose = [run.incident_id, *casefile.family(incident)]
        if self.records.find(KIND, {"incident_id": whose, "origin": origin}, limit=1):
            return Done("既に保全しています。", "kept already", changed=False)
        lines = [orjson.dumps({"incident": incident.model_dump(mode="json")})]
        for identity in incident.alert_ids:
            held = self.records.get("alert", identity)
            lines += [orjson.dumps({"alert": held.body})] if held else []
        events = list(self._events(incident, step))
        lines += [orjson.dumps({"event": one}, default=str) for one in events]
        content = gzip.compress(b"\n".join(lines) + b"\n", mtime=0)
        name = f"incident-{incident.number}-step-{step.index}.ndjson.gz"
        self.vault.take(incident.id, name, content, by="hinomi", origin=origin)
        cut = "(上限のため途中まで)" if len(events) >= _MOST else ""
        return Done(
            f"イベント {len(events):,} 件を保全しました{cut}。",
            f"kept {len(events):,} events" + (" (up to the limit)" if cut else ""),
        )

    def _events(self, incident: Incident, step: RunStep) -> Iterator[dict[str, Any]]:
        if self.events is None or not step.about:
            return
        query, given = _query(step.about), 0
        for span in _spans(incident, timedelta(hours=step.hours or 24), self.clock.now()):
            after = None
            while given < _MOST:
                try:
                    page = self.events.search(query, span=span, limit=_PAGE, after=after, oldest_first=True)
                except OSError as error:
                    raise DependencyDown("保管庫が応答しません。", f"the store failed: {error}") from error
                yield from page.rows
                given, after = given + len(page.rows), page.after
                if after is None:
                    break


def _spans(incident: Incident, before: timedelta, now: datetime) -> list[Span]:
    """Around what happened, and up to now: the same where it is told at once. Logs that come late, or an indicator that becomes
    known weeks later, make an incident of long ago."""
    began, ended = incident.first - before, min(incident.last, now) + _AFTER
    if began <= now + _AFTER and ended >= now - before:
        return [Span(min(began, now - before), now + _AFTER)]
    return [Span(began, ended), Span(now - before, now + _AFTER)]


def _query(about: dict[str, list[str]]) -> str:
    """`user.name: "t.yamada" or source.ip: "203.0.113.66"`; quotes and backslashes of hostile values are inert."""
    return " or ".join(alert.search(name, value) for name, values in about.items() for value in values)
