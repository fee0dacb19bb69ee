"""An incident that a person opens: with a number, a grade that is theirs, calls as for any other, and a playbook in their name."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.duties import Obligation
from hinomi.alert import Alert
from hinomi.errors import InputError, Refused
from hinomi.incident import Incident, Status, Verdict
from responders.desk import Desk
from responders.duties.counting import days
from responders.duties.duty import touched
from responders.incidents import reported, tuning
from responders.opening import Report
from responders.playbooks.run import KIND as RUN
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder

SATO: Any = {"actor": "sato", "roles": ANALYST}
LOST: dict[str, Any] = {
    "title": "公用端末の紛失",
    "what": "h.abe から電話",
    "known": NIGHT - timedelta(hours=2),
    "grade": 2,
    "zone": "lgwan",
    "targets": {"user.name": ["h.abe"], "host.name": ["pc-7"]},
}


def _tower(folder: Path) -> tuple[Responder, Desk]:
    tower, _ = responder(folder)
    return tower, desk(tower.records, tower.clock, KEY)


def _open(people: Desk, **more: Any) -> Any:
    return people.opening.open(Report(**LOST | more), **SATO)


def _incidents(tower: Responder) -> list[Incident]:
    return [one.read_as(Incident) for one in tower.records.find("incident", order="number")]


def test_it_is_an_incident_like_any_other(tmp_path: Path) -> None:
    """Numbered, with who and what, the grade as the person said it though the zone would propose a graver one; told to whoever is
    on call; what a log tells of the same person later joins it and may raise the grade."""
    tower, people = _tower(tmp_path)
    taken = _open(people)
    tower.tick()
    tower.clock.advance(timedelta(minutes=2))  # type: ignore[attr-defined]
    tower.tick()
    [incident] = _incidents(tower)
    held = tower.records.get(reported.KIND, taken.id)
    assert held is not None and (held.body["state"], held.body["number"]) == ("open", incident.number)
    assert (incident.title_ja, incident.grade) == ("h.abe: 公用端末の紛失", 2)
    assert incident.entities == LOST["targets"] and incident.zones == ["lgwan"]
    assert incident.first == LOST["known"] and incident.fields["known_at"] == LOST["known"].isoformat()
    assert [(line.actor, line.kind) for line in incident.timeline[:2]] == [
        ("sato", "alert"),
        ("sato", "status"),
    ]
    [message] = messages(tmp_path)
    assert "公用端末の紛失" in message and "知らせた人に連絡を取り" in message
    tower.receive([alert(level="critical", entities={"user.name": ["h.abe"]})])
    [incident] = _incidents(tower)
    assert incident.grade == 3 and len(incident.alert_ids) == 2
    assert incident.fields["known_at"] == LOST["known"].isoformat()


def test_its_playbook_is_asked_for_in_the_person_s_name(tmp_path: Path) -> None:
    """At once, for the targets of the report, whatever its grade; whoever reported it cannot approve it."""
    tower, people = _tower(tmp_path)
    people.opening.open(
        Report(**LOST | {"grade": 0, "playbook": "lost_device"}), actor="suzuki", roles=MANAGER
    )
    tower.tick()
    [run] = tower.records.find(RUN)
    assert run.body["requested_by"] == "suzuki"
    acts = [step for step in run.body["steps"] if step["act"]]
    assert acts and all(step["values"] == {"account": "h.abe"} for step in acts)
    [incident] = _incidents(tower)
    assert incident.run_ids == [run.id]
    with pytest.raises(Refused, match="求めた本人"):
        people.approve(run.id, actor="suzuki", roles=MANAGER)


def test_a_crash_or_a_second_sending_opens_no_second(tmp_path: Path) -> None:
    """The same key is the same report; a process that died before it was settled finds the same incident, as people left it."""
    tower, people = _tower(tmp_path)
    first, again = _open(people, key="k"), _open(people, key="k")
    assert first.id == again.id and len(tower.records.find("audit", {"action": "incident.open"})) == 1
    incident = reported.take_in(tower.incidents, first)  # and the process dies
    people.acknowledge(incident.id, **SATO)
    tower.tick()
    [held] = _incidents(tower)
    assert (held.id, held.status, len(held.alert_ids)) == (incident.id, Status.ACKNOWLEDGED, 1)
    assert len([line for line in held.timeline if line.actor == "sato" and line.kind == "alert"]) == 1
    _open(people)
    tower.tick()
    assert len(_incidents(tower)) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "  "},
        {"title": "x" * 201},
        {"title": "a\x1b[31m"},
        {"what": " "},
        {"known": NIGHT + timedelta(minutes=1)},
        {"known": NIGHT.replace(tzinfo=None)},
        {"grade": 4},
        {"zone": "moon"},
        {"targets": {"process.pid": ["1"]}},
        {"playbook": "none"},
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Nothing is recorded."""
    tower, people = _tower(tmp_path)
    with pytest.raises(InputError):
        _open(people, **wrong)
    assert tower.records.find(reported.KIND) == []


def test_who_may(tmp_path: Path) -> None:
    """A viewer is refused and audited; somebody at the machine may report, but start no playbook without an account."""
    tower, people = _tower(tmp_path)
    with pytest.raises(Refused):
        people.opening.open(Report(**LOST), actor="a.kansa", roles=["viewer", "auditor"])
    machine: Any = {"actor": "cli:root", "roles": ["operator"]}
    with pytest.raises(Refused):
        people.opening.open(Report(**LOST | {"playbook": "lost_device"}), **machine)
    assert tower.records.find(reported.KIND) == []
    assert people.opening.open(Report(**LOST), **machine).body["by"] == "cli:root"


def test_what_nobody_reported_opens_nothing(tmp_path: Path) -> None:
    """A report that was changed since the audit log heard of it, or put there without it, is void; the others are opened."""
    tower, people = _tower(tmp_path)
    first, _ = _open(people, key="a"), _open(people, key="b")
    tower.records.put(reported.KIND, first.id, {**first.body, "grade": 3})
    tower.records.put(reported.KIND, "made-up", {**first.body, "by": "mori"})
    tower.tick()
    assert len(_incidents(tower)) == 1 and len(tower.records.find(reported.KIND, {"state": "void"})) == 2


def test_joined_into_an_older_one_it_is_known_as_early(tmp_path: Path) -> None:
    """The moment of knowledge goes with it: the earliest of them, and the provisional deadline counts from it."""
    tower, people = _tower(tmp_path)
    [older] = tower.receive([alert()])
    early = NIGHT - timedelta(days=2)
    for known in (NIGHT, early, NIGHT - timedelta(days=1)):
        _open(people, known=known, zone="mynumber", targets={})
    tower.tick()
    others = [one for one in _incidents(tower) if one.id != older.id]
    kind = next(one for one in touched(others[0]) if one.rule is not None)
    assert kind.rule is not None
    joined = people.cases.merge(older.id, [one.id for one in others], "同じ件", **SATO)
    assert joined.fields["known_at"] == early.isoformat()
    assert Obligation(kind, joined).due == days(kind.rule, early).due != days(kind.rule, joined.opened).due


@pytest.mark.parametrize("goes", [True, False], ids=["split off", "stays"])
def test_split_it_keeps_what_the_person_said(tmp_path: Path, goes: bool) -> None:
    """Whether the report is what is split off or what stays: when it was known, and the grade, which does not fall."""
    tower, people = _tower(tmp_path)
    _open(people, grade=3, zone="")
    tower.tick()
    tower.receive([alert("later", minutes=5, entities={"user.name": ["h.abe"]})])
    [whole] = _incidents(tower)
    report, later = whole.alert_ids
    people.cases.split(whole.id, [report if goes else later], "別の件", **SATO)
    tower.tick()
    own = next(one for one in _incidents(tower) if report in one.alert_ids)
    other = next(one for one in _incidents(tower) if later in one.alert_ids)
    assert own.id != other.id and own.grade == 3 > other.grade
    assert datetime.fromisoformat(own.fields.get("known_at", "1970-01-01")) == LOST["known"]


def test_no_filter_comes_of_it(tmp_path: Path) -> None:
    """A false alarm by telephone silences no rule: there is none."""
    tower, people = _tower(tmp_path)
    _open(people)
    tower.tick()
    [incident] = _incidents(tower)
    closed = people.close(incident.id, Verdict.BENIGN, "見つかった", **SATO)
    held = [tower.incidents.records.get("alert", one) for one in closed.alert_ids]
    alerts = [one.read_as(Alert) for one in held if one]
    with pytest.raises(InputError):
        tuning.suggested(closed, alerts, reported.RULE)
