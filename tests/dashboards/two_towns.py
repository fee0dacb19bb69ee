"""One tower that watches two towns: everything of each is planted with the town's own mark."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from collectors.organizations import Organizations, OrganizationSettings, stamped
from dashboards.users import Role
from hinomi.alert import Alert, Level
from hinomi.batch import DEAD_LETTERS, SIGNALS, Batch
from hinomi.incident import Happening, Incident, Status, Verdict
from responders.duties.duty import duties
from responders.incidents.shelf import FolderShelf
from responders.playbooks.planning import plan
from responders.responder import desk
from tests.dashboards.city import KEY, NOW, PASSWORD, City, empty_city

EAST, WEST = "higashi", "nishi"
MARK = {EAST: "EASTMARK", WEST: "WESTMARK", "": "TOWERMARK"}
"""What stands in every text of a town; the last is in what is the tower's and nobody's."""
ORGANIZATIONS = Organizations.of(
    {
        EAST: OrganizationSettings(name_ja="東町", name_en="East", origins=["syslog-higashi"]),
        WEST: OrganizationSettings(name_ja="西町", name_en="West", origins=["syslog-nishi"]),
    }
)
DUTY = next(iter(duties()))
EVERY_ROLE = [role.value for role in Role]
PEOPLE = {"e.azuma": [EAST], "w.nishi": [WEST], "c.chuo": []}
_OTHER_PERSON = "someone-else"


@dataclass(frozen=True, slots=True)
class Planted:
    """What a town has, by the name of a path's part or a form's field."""

    organization: str
    number: int
    ids: dict[str, str]


def two_towns(folder: Path) -> tuple[City, dict[str, Planted]]:
    """The stores with both towns' things, and what they are called."""
    city = empty_city(folder)
    shelf = FolderShelf(folder / "evidence")
    city = replace(city, desk=desk(city.records, city.clock, KEY, shelf))
    for name, seen in PEOPLE.items():
        mark = MARK[seen[0] if seen else ""]
        shown = "中央 花" if not seen else f"担当 {mark}"
        city.users.create(name, PASSWORD, EVERY_ROLE, full_name=shown, organizations=seen)
    planted = {whose: _plant(city, whose, number) for whose, number in ((EAST, 1001), (WEST, 2002))}
    _plant_events(city, "")
    _plant_of_the_tower(city)
    return city, planted


def _plant(city: City, whose: str, number: int) -> Planted:
    mark, identity = MARK[whose], f"inc-{whose}"
    _plant_events(city, whose)
    alerts = [_alert(whose, n) for n in range(2)]
    for alert in (*alerts, _alert(whose, 9)):
        city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    incident = _incident(whose, number, alerts)
    run = city.responder.runs.propose(
        plan(
            incident,
            alerts,
            city.responder.runs.playbooks["vpn_compromise"],
            city.responder.runs.settings,
            city.clock.now(),
        )
    )
    kept = incident.model_copy(update={"run_ids": [run.id]})
    city.records.put("incident", identity, kept.model_dump(mode="json"))
    closed = _closed(whose, number + 100)
    city.records.put("incident", closed.id, closed.model_dump(mode="json"))
    who: Any = {"actor": "c.chuo", "roles": EVERY_ROLE}
    cases = city.desk.cases
    task = cases.add_task(identity, f"{mark} を確かめる", **who)
    piece = cases.take_evidence(
        identity, f"{mark}.bin", f"{mark} content".encode(), origin=f"{mark} の端末", note=mark, **who
    )
    city.desk.comment(identity, f"{mark} への覚え書き", **who)
    city.desk.contacts.told(
        identity, f"{mark} 県", f"{mark} と伝えた", by_way_of="phone", at=NOW - timedelta(hours=1), **who
    )
    clock = city.desk.clocks.start(identity, DUTY, NOW - timedelta(hours=2), f"{mark} のため", **who)
    city.desk.reports.draft(clock.id, **who)
    tuned = cases.propose_filter(
        closed.id,
        f"rule-{whose}-9",
        {"source.ip": "10.0.0.1"},
        f"{mark} の検査",
        NOW + timedelta(days=3),
        **who,
    )
    message = {
        "incident_id": identity,
        "person": f"{mark} さん",
        "subject": f"{mark} subject",
        "state": "sent",
        "created": NOW.isoformat(),
        "history": [{"at": NOW.isoformat(), "channel": mark, "what": "sent"}],
    }
    city.records.put("notification", f"note-{whose}", message)
    source = {"origin": f"syslog-{whose}", "source": f"{mark}.source", "received": 10, "last_received": None}
    city.records.put("source", f"health|{whose}", {**source, "error": f"{mark} went wrong"})
    owner = next(name for name, seen in PEOPLE.items() if seen == [whose])
    view = {"name": f"{mark} の表示", "address": f"/?q={mark}", "page": "/", "owner": owner, "shared": True}
    view |= {"organizations": [whose]}
    city.records.put("view", f"view-{whose}", view)
    ids = {
        "task": task.id,
        "piece": piece.id,
        "duty": DUTY,
        "run": run.id,
        "approval": run.id,
        "alert": alerts[0].id,
        "exception": tuned.id,
        "view": f"view-{whose}",
        "event": f"ev-{whose}-0",
        "incident_id": identity,
        "owner": owner,
    }
    return Planted(whose, number, ids)


def _plant_of_the_tower(city: City) -> None:
    """What is the tower's: nobody who sees one town only has anything to do with it."""
    mark = MARK[""]
    alert = _alert("", 0)
    city.records.put("alert", alert.id, alert.model_dump(mode="json"))
    for number, whose in ((3003, ""), (3004, "elsewhere")):
        made = _incident("", number, [alert]).model_copy(
            update={"id": f"inc-{number}", "organization": whose}
        )
        city.records.put("incident", made.id, made.model_dump(mode="json"))
    until = (NOW + timedelta(days=2)).isoformat()
    spell = {"start": NOW.isoformat(), "end": until, "reason": f"{mark} reason", "state": "open"}
    for kind, body in {
        "switch": {"stopped": True, "by": "c.chuo", "at": NOW.isoformat(), "reason": f"{mark} stop"},
        "delegation": {"giver": "k.mori", "taker": "w.nishi", **spell},
        "first_permit": {"giver": "k.mori", "taker": "w.nishi", **spell},
        "handover_note": {"text": f"{mark} note", "at": NOW.isoformat(), "by": "c.chuo", "state": "open"},
        "report": {
            "name": mark,
            "created": NOW.isoformat(),
            "title_ja": mark,
            "title_en": mark,
            "files": [],
        },
        "suppression": {
            "id": "s",
            "rule_id": "r",
            "where": {},
            "reason": f"{mark} quiet",
            "owner": "c.chuo",
            "until": until,
        },
        "replay": {"source": mark, "state": "asked", "at": NOW.isoformat(), "by": "c.chuo", "reason": mark},
        "count": {"what": "dropped", "dataset": mark, "reason": mark, "n": 7},
        "view": {"name": f"{mark} view", "address": "/", "page": "/", "owner": "c.chuo", "shared": True},
    }.items():
        city.records.put(kind, "automation" if kind == "switch" else f"{kind}-tower", body)
    digest = {
        "incident_id": f"inc-{EAST}",
        "members": [f"note-{EAST}", f"note-{WEST}"],
        "person": f"{mark} さん",
        "subject": f"{mark} digest",
        "state": "sent",
        "created": NOW.isoformat(),
        "history": [],
    }
    city.records.put("notification", "digest-of-both", digest)


def _plant_events(city: City, whose: str) -> None:
    mark, key = MARK[whose], whose or "tower"
    rows = [
        {
            "@timestamp": NOW - timedelta(minutes=10 * i),
            "event.id": f"ev-{key}-{i}",
            "event.action": f"{mark}-action",
            "user.name": f"{mark}.user",
            "source.ip": "10.0.0.1",
            "host.name": f"pc-{mark}",
            "event.original": f"raw {mark} line {i}",
            "hinomi.organization": EAST,  # what a line claims for itself counts for nothing
        }
        for i in range(3)
    ]
    letter = {**rows[0], "event.id": f"dead-{key}", "error.message": f"{mark}-reason"}
    signal = {**rows[0], "event.id": f"sig-{key}", "rule.name": f"{mark} rule"}
    made = [
        Batch.of("fortinet.fortigate", pl.DataFrame(rows), origin=f"syslog-{whose}", ingested=NOW),
        Batch.of(DEAD_LETTERS, pl.DataFrame([letter]), origin=f"syslog-{whose}", ingested=NOW),
        Batch.of(SIGNALS, pl.DataFrame([signal]), origin=f"syslog-{whose}", ingested=NOW),
    ]
    if whose != EAST:
        other = [{**rows[0], "event.id": f"only-{key}", f"labels.{mark}": "x"}]
        made.append(Batch.of(f"city.{mark.lower()}", pl.DataFrame(other), ingested=NOW))
    city.events.append([stamped(batch, ORGANIZATIONS.whose(batch.origin)) for batch in made])


def _alert(whose: str, n: int) -> Alert:
    mark, key = MARK[whose], whose or "tower"
    return Alert(
        id=f"alert-{key}-{n}",
        rule_id=f"rule-{key}-{n}",
        rule_name=f"{mark}_rule_{n}",
        title_ja=f"{mark} の検知 {n}",
        title_en=f"{mark} finding {n}",
        level=Level.HIGH,
        first=NOW - timedelta(minutes=40),
        last=NOW - timedelta(minutes=5),
        detected=NOW,
        entities={"source.ip": ["10.0.0.1"], "user.name": [f"{mark}.user"]},
        datasets=["fortinet.fortigate"],
        # the alert of one town names an event of the other: what a page shows of it is asked of the reader's own store
        event_ids=[f"ev-{EAST}-0", f"ev-{WEST}-0"] if whose else [],
        reason_ja=f"{mark} だから",
        reason_en=f"because {mark}",
        playbook="vpn_compromise",
        incident_id=f"inc-{key}",
        organization=whose,
    )


def _incident(whose: str, number: int, alerts: list[Alert]) -> Incident:
    mark = MARK[whose]
    line = Happening(time=NOW, kind="alert", actor="hinomi", ja=alerts[0].title_ja, en=alerts[0].title_en)
    return Incident(
        id=f"inc-{whose}",
        number=number,
        title_ja=f"{mark} の件",
        title_en=f"matter of {mark}",
        grade=2,
        level=Level.HIGH,
        first=NOW - timedelta(minutes=40),
        last=NOW - timedelta(minutes=5),
        opened=NOW - timedelta(minutes=30),
        updated=NOW,
        alert_ids=[one.id for one in alerts],
        entities={"source.ip": ["10.0.0.1"], "user.name": [f"{mark}.user"]},
        story_ja=f"{mark} の話",
        story_en=f"story of {mark}",
        timeline=[line],
        organization=whose,
    )


def _closed(whose: str, number: int) -> Incident:
    """A false alarm about the very same address: the other town's must not come up as a precedent."""
    alert = _alert(whose, 9)
    made = _incident(whose, number, [alert])
    changes = {"id": f"old-{whose}", "status": Status.CLOSED, "verdict": Verdict.FALSE_POSITIVE}
    return made.model_copy(update=changes)


def foreign(city: City) -> dict[tuple[str, str], Any]:
    """Every record of the other town and of the tower, but the audit log and what signing in leaves."""
    left_out = {"audit", "audit_head", "session", "attempt", "token", "reveal"}
    return {
        (record.kind, record.id): record.body
        for kind in city.records.kinds()
        if kind not in left_out
        for record in _all(city, kind)
        if MARK[EAST] not in str(record.body)
    }


def _all(city: City, kind: str) -> Iterator[Any]:
    yield from city.records.find(kind, limit=100_000)
