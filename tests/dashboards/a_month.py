"""A month of a city's logs and work, generated: the same at each run, with what lies on the edges of the month, the day and a figure."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from hinomi.alert import Alert, Level
from hinomi.batch import Batch
from hinomi.clock import JST
from hinomi.incident import Happening, Incident, Status, Verdict
from responders.audit import Audit
from responders.playbooks.run import Run, RunState, RunStep, StepState
from tests.dashboards.city import City, empty_city

START, END = datetime(2026, 11, 1, tzinfo=JST), datetime(2026, 12, 1, tzinfo=JST)
NOW = datetime(2026, 12, 1, 9, 30, tzinfo=JST)
BEFORE = datetime(2026, 10, 28, tzinfo=JST)
STAFF = {
    "総務課": [f"soumu.{n}" for n in range(5)],
    "市民課": ["a.ono", "B.Abe", "c.hara"],
    "会計課": ["d.ito", "e.kubo"],
}
RULES = {
    "vpn_spray": ("VPN へのパスワードスプレー", "VPN password spray", ["MIC-6.2-(2)"]),
    "vpn_abroad": ("国外からの VPN", "VPN from abroad", ["MIC-6.2-(2)", "MIC-7.3-(2)"]),
    "mass_download": ("大量ダウンロード", "Mass download", []),
    "rpa_interactive": ("RPA の対話利用", "RPA used interactively", ["MIC-6.1-(6)"]),
    "beacon": ("規則的な通信", "Beacon", []),
}
_EDGES = [edge + timedelta(microseconds=by) for edge in (START, END) for by in (-1, 0)]
_SILENT = {"squid.access": (11, 12), "openvpn.server": tuple(range(20, 31))}
"""Days of November on which a dataset brings nothing."""


def generated(folder: Path) -> City:
    """The stores under the folder, looked at on 1 December at 9:30."""
    city, dice = empty_city(folder), random.Random(20261101)
    _decided(city)
    city.clock.advance(NOW - city.clock.now())
    for dataset, rows in _events(dice).items():
        city.events.append([Batch.of(dataset, pl.DataFrame(rows), origin="edge", ingested=NOW)])
    incidents = [_incident(dice, number) for number in range(1, 121)]
    for run in _runs(dice, incidents):
        city.records.put("playbook_run", run.id, run.model_dump(mode="json"))
    for one in incidents:
        city.records.put("incident", one.id, one.model_dump(mode="json"))
    for alert in [*_alerts(dice, incidents), _for_days()]:
        city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    return city


def _moments(dice: random.Random, dataset: str, n: int) -> Iterator[datetime]:
    yield from _EDGES
    for _ in range(n):
        at = BEFORE + (NOW - BEFORE) * dice.random()
        if not (START <= at < END and at.astimezone(JST).day in _SILENT.get(dataset, ())):
            yield at


def _events(dice: random.Random) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for dataset, n in (
        ("fortinet.fortigate", 1500),
        ("openvpn.server", 300),
        ("squid.access", 1200),
        ("microsoft.m365_audit", 400),
    ):
        for number, at in enumerate(_moments(dice, dataset, n)):
            department = dice.choice([*STAFF, None])
            person = dice.choice(STAFF[department]) if department else f"vendor.{dice.randrange(4)}"
            row = {
                "@timestamp": at,
                "event.id": f"{dataset}-{number}",
                "user.name": person,
                "user.staff.department": department,
            }
            found.setdefault(dataset, []).append({**row, **_kind(dice, dataset)})
    return found


def _kind(dice: random.Random, dataset: str) -> dict[str, Any]:
    country = dice.choice(["JP", "JP", "JP", "RO", "US", None])
    sign = {"event.category": ["authentication"], "source.geo.country_iso_code": country}
    if dataset == "fortinet.fortigate":
        action = dice.choice(["tunnel-up", "tunnel-up", "tunnel-down", "ssl-login-fail"])
        code = dice.choice(["0101039424", "0101039424", "0101039947"])
        end = {"tunnel-up": "start", "tunnel-down": "end", "ssl-login-fail": "start"}[action]
        outcome = "failure" if action == "ssl-login-fail" else "success"
        return {
            **sign,
            "event.action": action,
            "event.code": code,
            "event.type": [end],
            "event.outcome": outcome,
        }
    if dataset == "openvpn.server":
        action = dice.choice(["vpn-connected", "vpn-refused"])
        outcome = "success" if action == "vpn-connected" else "failure"
        return {
            **sign,
            "event.action": action,
            "event.code": None,
            "event.type": ["start"],
            "event.outcome": outcome,
        }
    return {
        "event.category": ["web"],
        "source.geo.country_iso_code": None,
        "event.action": "get",
        "event.code": None,
        "event.type": ["access"],
        "event.outcome": dice.choice(["success", "failure"]),
    }


def _incident(dice: random.Random, number: int) -> Incident:
    first = BEFORE + (NOW - BEFORE) * dice.random() * 0.95
    last = first + timedelta(minutes=dice.randrange(0, 600))
    opened = last + timedelta(seconds=dice.choice([40, 95, 700, 7200, 2 * 86400]))
    if number <= len(_EDGES):
        first, last, opened = (_EDGES[number - 1] - timedelta(minutes=by) for by in (90, 5, 0))
    body: dict[str, Any] = {
        "id": f"inc-{number}",
        "number": number,
        "title_ja": f"件 {number}",
        "title_en": f"case {number}",
        "grade": dice.randrange(4),
        "level": Level.HIGH,
        "first": first,
        "last": last,
        "opened": opened,
        "updated": opened + timedelta(hours=1),
        "entities": {
            "user.name": dice.sample(STAFF["総務課"], dice.randrange(3)),
            "source.ip": [f"203.0.113.{dice.randrange(1, 9)}"],
            "host.name": [f"pc-{dice.randrange(5)}"] * dice.randrange(3),
        },
    }
    if dice.random() < 0.75:
        taken = opened + timedelta(minutes=dice.expovariate(1 / 50))
        body |= {"acknowledged_at": taken, "acknowledged_by": "m.kato", "status": Status.ACKNOWLEDGED}
    if number > len(_EDGES) and dice.random() < 0.1:
        body |= {"status": Status.CLOSED, "fields": {"merged_into": f"inc-{dice.randrange(1, 5)}"}}
    elif dice.random() < 0.6:
        ended = min(NOW, opened + timedelta(minutes=dice.expovariate(1 / 2000)) + timedelta(hours=3))
        body |= {
            "status": Status.CLOSED,
            "verdict": dice.choice(list(Verdict)),
            "fields": {"closed_at": ended.isoformat()},
        }
        if number % 7 == 0:  # of a release that did not note it
            line = Happening(time=ended, kind="status", actor="m.kato", ja="完了", en="closed")
            body |= {"fields": {}, "timeline": [line], "acknowledged_at": None, "acknowledged_by": ""}
    elif dice.random() < 0.2:  # opened again: what was noted of its closing counts no more
        body |= {"fields": {"closed_at": (opened + timedelta(minutes=3)).isoformat()}}
    return Incident(**body)


def _alerts(dice: random.Random, incidents: list[Incident]) -> Iterator[Alert]:
    for number in range(500):
        rule = dice.choice(list(RULES))
        title_ja, title_en, guideline = RULES[rule]
        incident = dice.choice(incidents)
        first = incident.first + timedelta(minutes=dice.randrange(-30, 30))
        detected = (
            _EDGES[number % len(_EDGES)]
            if number < 8
            else first + timedelta(minutes=dice.choice([31, 45, 3000]))
        )
        whom = dice.choice([*STAFF["総務課"], "b.abe", "C.Hara", "d.ito", "nobody"])
        yield Alert(
            id=f"alert-{number}",
            rule_id=rule,
            rule_name=f"test.{rule}",
            title_ja=title_ja,
            title_en=title_en,
            level=dice.choice([Level.MEDIUM, Level.HIGH]),
            first=first,
            last=first + timedelta(minutes=dice.randrange(30)),
            detected=detected,
            entities={"user.name": [whom]},
            guideline=guideline,
            incident_id=str(incident.fields.get("merged_into", incident.id)) if dice.random() < 0.9 else "",
        )


def _for_days() -> Alert:
    """A burst of the 8th that was detected then and went on until the morning of the 11th."""
    title_ja, title_en, guideline = RULES["vpn_spray"]
    first = datetime(2026, 11, 8, 2, tzinfo=JST)
    return Alert(
        id="alert-for-days",
        rule_id="vpn_spray",
        rule_name="test.vpn_spray",
        title_ja=title_ja,
        title_en=title_en,
        level=Level.HIGH,
        first=first,
        last=datetime(2026, 11, 11, 10, tzinfo=JST),
        detected=first + timedelta(minutes=1),
        guideline=guideline,
    )


def _runs(dice: random.Random, incidents: list[Incident]) -> Iterator[Run]:
    """Runs whose acts of containment were done, failed, only rehearsed, or put back; and some that only wrote something down."""
    for incident in dice.sample(incidents, 50):
        steps, journal = [], []
        for index, act in enumerate(
            dice.sample(["directory.disable_account", "firewall.block_address", "ticket.open"], 2)
        ):
            at = incident.opened + timedelta(minutes=dice.randrange(1, 500))
            state = dice.choice([StepState.DONE, StepState.DONE, StepState.FAILED])
            steps.append(RunStep(index=index, title_ja="手順", title_en="step", act=act, state=state))
            journal.append(f"{at.isoformat()} {index} planned→started ")
            journal.append(f"{(at + timedelta(seconds=20)).isoformat()} {index} started→{state} ")
        run = Run(
            id=f"run-{incident.number}",
            incident_id=incident.id,
            playbook="vpn_compromise",
            title_ja="手順書",
            title_en="playbook",
            approver="information_system_manager",
            impact_ja="",
            impact_en="",
            dry_run=dice.random() < 0.3,
            created=incident.opened,
            expires=incident.opened + timedelta(days=1),
            state=RunState.DONE,
            steps=steps,
            journal=journal,
        )
        incident.run_ids.append(run.id)
        yield run


def _decided(city: City) -> None:
    """Decisions on rules, exceptions and users in October, November and December, as the audit log has them."""
    audit = Audit(city.records, city.clock)
    for at in sorted([*_EDGES, datetime(2026, 11, 11, 11, tzinfo=JST), NOW - timedelta(hours=1)]):
        city.clock.advance(at - city.clock.now())
        for action in (
            "rules.reloaded",
            "tuning.proposed",
            "user.roles",
            "console.search",
            "user.roles.refused",
        ):
            audit.append(actor="k.mori", action=action, target="x", details={})
