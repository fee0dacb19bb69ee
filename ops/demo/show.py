"""The demo's end: what was planted, what was found, where to look."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console

from hinomi.alert import Alert, Level
from hinomi.clock import JST
from hinomi.identity import account
from hinomi.incident import Incident, Status
from hinomi.store import Records
from hinomi.text import inert
from ops.demo.scenario import Manifest
from ops.tables import folding

# Which rules show which planted step; a step is found when one of them raised an alert about its people or machines.
FINDS: dict[str, tuple[str, ...]] = {
    "A1": ("vpn_spray",),
    "A2": ("vpn_login_abroad", "impossible_travel", "vpn_spray_then_login", "two_places"),
    "A3": ("segment_scan", "port_scan"),
    "A4": ("windows_brute_force", "windows_brute_force_ok", "remote_service"),
    "A5": ("privileged_group_change",),
    "A6": ("lgwan_crossing",),
    "A7": ("log_cleared",),
    "A8": ("mail_forwarding_rule",),
    "A9": ("mass_download",),
    "A10": ("anonymous_link",),
    "B1": ("rpa_interactive", "rpa_console_logon"),
    "B2": ("bulk_resident_view",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A planted step and the alerts that show it."""

    about: dict[str, Any]
    alerts: list[Alert]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo found. joined: number of an incident → of the one that it became part of; strangers: alerts at or above
    medium that show no planted step."""

    steps: list[Step]
    incidents: list[Incident]
    joined: dict[int, int]
    strangers: list[Alert]
    notified: int

    @property
    def good(self) -> bool:
        """Every step found, at most ten incidents, nothing raised on the dull traffic."""
        return all(step.alerts for step in self.steps) and len(self.incidents) <= 10 and not self.strangers


def outcome(records: Records, manifest: Manifest) -> Outcome:
    """Compare what was planted with what was found."""
    planted = json.loads(manifest.planted.read_text(encoding="utf-8"))
    alerts = [record.read_as(Alert) for record in records.find("alert", limit=100_000)]
    people = {entity for step in planted for values in step["entities"].values() for entity in values}
    known = {spelling for entity in people for spelling in (entity, account(entity))}
    steps = [
        Step(step, [alert for alert in alerts if alert.rule_name in FINDS[step["id"]]]) for step in planted
    ]
    strangers = [
        alert for alert in alerts if alert.level.rank >= Level.MEDIUM.rank and not _about(alert) & known
    ]
    incidents = [record.read_as(Incident) for record in records.find("incident", order="number")]
    joined = _joined(incidents)
    kept = [one for one in incidents if one.number not in joined]
    return Outcome(steps, kept, joined, strangers, records.count("notification", {"state": "sent"}))


def _joined(incidents: list[Incident]) -> dict[int, int]:
    numbers = {one.id: one.number for one in incidents}
    closed = [one for one in incidents if one.status is Status.CLOSED]
    into = {one.number: numbers.get(str(one.fields.get("merged_into", ""))) for one in closed}
    return {number: other for number, other in into.items() if other is not None}


def _about(alert: Alert) -> set[str]:
    values = [value for field in alert.entities.values() for value in field]
    return {spelling for value in values for spelling in (value, account(value), value.split(".")[0].lower())}


def show(found: Outcome, console: Console) -> None:
    """Tables for a person: planted steps, then incidents."""
    head = ("", "時刻 / time", "仕込み / planted", "見つけたルール / found by")
    steps = folding(*head, title="仕込んだ攻撃と検知 / planted and found")
    for step in found.steps:
        when = datetime.fromisoformat(step.about["start"]).astimezone(JST)
        titles = list(dict.fromkeys(alert.title_ja for alert in step.alerts))
        steps.add_row(
            step.about["id"],
            f"{when:%H:%M}",
            inert(step.about["title_ja"]),
            inert("、".join(titles)) or "[red]未検知[/red]",
        )
    console.print(steps)
    columns = ("#", "段階", "題名 / title", "警報", "はじまり", "計画 / playbooks")
    table = folding(*columns, title="インシデント / incidents")
    for incident in found.incidents:
        table.add_row(
            str(incident.number),
            str(incident.grade),
            inert(incident.title_ja, 60),
            str(len(incident.alert_ids)),
            f"{incident.first.astimezone(JST):%m/%d %H:%M}",
            ", ".join(incident.playbooks),
        )
    console.print(table)
    for number, into in found.joined.items():
        console.print(
            f"#{number} は、同じ人や端末の警報と分かったので #{into} にまとめました。 / "
            f"#{number} was joined into #{into}: the same people or machines",
            highlight=False,
        )
    for alert in found.strangers:
        console.print(
            f"[red]平常の通信での警報 / on dull traffic:[/red] {inert(alert.title_ja)} {alert.entities}"
        )
