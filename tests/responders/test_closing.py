"""What ends with an incident, and what begins again when a person opens it anew."""

from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import InputError, Refused
from hinomi.incident import Incident, Status, Verdict
from responders.desk import Desk
from responders.playbooks.run import Run, RunState
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, alert, messages, responder


def proposed(folder: Path) -> tuple[Responder, FixedClock, Desk, Incident]:
    """An incident with a plan that waits for a decision."""
    tower, clock = responder(folder)
    [incident] = tower.receive([alert(playbook="rpa_misuse")])
    return tower, clock, desk(tower.records, clock, KEY), incident


def run_of(tower: Responder, incident: Incident) -> Run:
    [record] = tower.records.find("playbook_run", {"incident_id": incident.id})
    return Run.model_validate(record.body)


def held(tower: Responder, incident: Incident) -> Incident:
    record = tower.records.get("incident", incident.id)
    assert record is not None
    return Incident.model_validate(record.body)


def test_a_plan_ends_with_its_incident(tmp_path: Path) -> None:
    """Closed: the plan is withdrawn with a note and nobody can approve it; news of its alerts asks for nothing."""
    tower, _, people, incident = proposed(tmp_path)
    people.close(incident.id, Verdict.BENIGN, "保守作業", actor="sato", roles=ANALYST)
    tower.tick()
    run = run_of(tower, incident)
    assert run.state is RunState.WITHDRAWN
    assert "取り下げました" in held(tower, incident).timeline[-1].ja
    with pytest.raises(Refused, match="既に決まって"):
        people.approve(run.id, actor="suzuki", roles=MANAGER)
    tower.receive([alert(playbook="rpa_misuse", event_count=9)])
    lines = len(held(tower, incident).timeline)
    for _ in range(3):
        tower.tick()
    assert run_of(tower, incident).state is RunState.WITHDRAWN
    assert len(held(tower, incident).timeline) == lines


def test_what_was_approved_before_the_closing_is_done(tmp_path: Path) -> None:
    """Block it and close: a decision that was made is carried out."""
    tower, _, people, incident = proposed(tmp_path)
    people.approve(run_of(tower, incident).id, actor="suzuki", roles=MANAGER)
    people.close(incident.id, Verdict.TRUE_POSITIVE, "停止して終了", actor="suzuki", roles=MANAGER)
    tower.tick()
    assert run_of(tower, incident).state is RunState.DONE


def test_the_plan_of_a_merged_incident_goes_to_the_survivor(tmp_path: Path) -> None:
    """The younger one's plan is withdrawn, the survivor asks for one of its own, and its timeline says both."""
    tower, _ = responder(tmp_path)
    [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
    [two] = tower.receive(
        [alert("b", minutes=1, playbook="rpa_misuse", entities={"user.name": ["u2"], "host.name": ["pc-1"]})]
    )
    tower.receive([alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["pc-1"]})])
    tower.tick()
    assert run_of(tower, two).state is RunState.WITHDRAWN
    assert run_of(tower, one).state is RunState.PROPOSED
    assert {run_of(tower, one).id, run_of(tower, two).id} == set(held(tower, one).run_ids)
    assert any("取り下げました" in line.ja for line in held(tower, one).timeline)


def test_opened_again(tmp_path: Path) -> None:
    """Who opens it has it, with the reason; its plan is asked for anew and can be approved; nobody is woken."""
    tower, clock, people, incident = proposed(tmp_path)
    closed = people.close(incident.id, Verdict.FALSE_POSITIVE, "誤検知", actor="sato", roles=ANALYST)
    line = closed.timeline[-1]
    assert (line.ja, line.en) == ("終了(誤検知): 誤検知", "closed (False positive): 誤検知")
    tower.tick()
    with pytest.raises(Refused, match="役割"):
        people.reopen(incident.id, "誤検知ではない", actor="kansa", roles=["viewer"])
    with pytest.raises(InputError, match="理由"):
        people.reopen(incident.id, "  ", actor="suzuki", roles=MANAGER)
    again = people.reopen(incident.id, "誤検知ではない", actor="suzuki", roles=MANAGER)
    assert (again.status, again.verdict, again.acknowledged_by) == (Status.IN_PROGRESS, None, "suzuki")
    assert again.timeline[-1].ja == "再開: 誤検知ではない"
    tower.tick()
    run = run_of(tower, incident)
    assert run.state is RunState.PROPOSED
    people.approve(run.id, actor="suzuki", roles=MANAGER)
    clock.advance(timedelta(hours=2))
    tower.tick()
    assert run_of(tower, incident).state is RunState.DONE and messages(tmp_path) == []
    with pytest.raises(InputError, match="終了していません"):
        people.reopen(incident.id, "もう一度", actor="suzuki", roles=MANAGER)
    [joined] = tower.receive([alert("more", minutes=9)])
    assert joined.id == incident.id and tower.audit.verify() == []


def test_graver_after_it_was_opened_again_calls(tmp_path: Path) -> None:
    """The grade that it had before was told before; told again, because it was over in between."""
    tower, clock, people, incident = proposed(tmp_path)
    tower.receive([alert("crossing", minutes=5, zones=["lgwan"])])
    tower.tick()
    assert len(messages(tmp_path)) == 1
    people.close(incident.id, Verdict.BENIGN, "保守作業", actor="sato", roles=ANALYST)
    again = people.reopen(incident.id, "まだ続く", actor="sato", roles=ANALYST)
    assert again.grade == 3
    people.regrade(incident.id, 1, "範囲は狭い", actor="sato", roles=ANALYST)
    people.regrade(incident.id, 3, "広がった", actor="suzuki", roles=MANAGER)
    clock.advance(timedelta(minutes=1))
    tower.tick()
    assert len(messages(tmp_path)) == 2


def test_closing_what_was_joined_meanwhile_closes_nothing_else(tmp_path: Path) -> None:
    """The page was still open: the person is sent to the incident that took it in, which stays open."""
    tower, clock = responder(tmp_path)
    people = desk(tower.records, clock, KEY)
    [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
    [two] = tower.receive([alert("b", minutes=1, entities={"host.name": ["pc-1"]})])
    tower.receive([alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["pc-1"]})])
    with pytest.raises(Refused, match="#1"):
        people.close(two.id, Verdict.BENIGN, "保守", actor="sato", roles=ANALYST)
    with pytest.raises(Refused, match="#1"):
        people.reopen(two.id, "続いている", actor="sato", roles=ANALYST)
    assert held(tower, one).status is Status.NEW
