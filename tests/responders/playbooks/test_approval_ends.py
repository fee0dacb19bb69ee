"""An approval that is over by the time of an act: nothing acts on it, who decides is asked anew, what was begun is given up and said."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import Refused
from hinomi.incident import Status
from responders.connectors.protocol import Done
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from responders.playbooks.standing import standing
from tests.responders.city import ANALYST, MANAGER
from tests.responders.playbooks.dying import OnDisk, Point, counting, killed
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, incident, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
DISABLE = "  - {act: directory.disable_account, value: user.name}\n"
ISOLATE = "  - {act: endpoint.isolate, value: host.name}\n"
ASK = '  - {task_ja: 確かめる, asks: {name: meant, choices: ["no", "yes"]}}\n'
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"
DAY = timedelta(hours=24)


@dataclass(slots=True)
class Slow(Broken):
    """One action takes so long on this clock."""

    action: str = ""
    takes: timedelta = DAY
    clock: FixedClock | None = field(default=None)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Done at the end of its time."""
        if action == self.action and self.clock:
            self.clock.advance(self.takes)
        return Broken.act(self, action, values)


def _undone(on: Scene) -> None:
    """What was done is offered to be put back, and is."""
    assert on.run.undoable
    on.desk.undo(on.run_id, actor="mori", roles=["ciso"], note="承認が古い")
    assert on.tick().state is RunState.UNDONE and on.stage.done == set()
    assert on.runs.audit.verify() == []


def _slow(folder: Path, takes: timedelta) -> Scene:
    stage = Slow(action="firewall.block_address", takes=takes)
    on = scene(folder, written(folder, KEEP + BLOCK + DISABLE), stage=stage)
    stage.clock = on.clock
    on.approve()
    on.tick()
    return on


def _asked(on: Scene) -> RunStep:
    """The gate at which the run waits for an answer, put to people with why."""
    [gate] = [one for one in on.run.steps if one.kind == "approve" and one.state is StepState.WAITING]
    request = on.runs.records.get(APPROVAL, f"{on.run_id}.{gate.index}")
    assert request is not None and request.body["state"] == "open" and request.body["given"] == []
    assert "承認の有効期間が過ぎたため、もう一度お尋ねします" in request.body["warned_ja"]
    assert "asked anew as the approval had grown too old" in request.body["warned_en"]
    return gate


def _answered(on: Scene, answer: str = "no") -> None:
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer=answer)
    on.tick()


def test_it_ends_while_an_act_of_the_run_is_under_way(tmp_path: Path) -> None:
    """The first act was begun in time and takes a day: it is done, the next one is not, and the approver is asked anew and called. A day
    later somebody says no: it ends without the second, and undo gives back the first."""
    on = _slow(tmp_path, DAY)
    assert on.stage.acts == [("firewall.block_address", "203.0.113.66")]
    first, second = on.run.acts
    assert (first.state, second.state) == (StepState.DONE, StepState.PLANNED)
    gate = _asked(on)
    assert gate.role == on.run.approver and "計画の残り" in gate.title_ja
    assert "t.yamada" in gate.result_ja and "203.0.113.66" not in gate.title_ja + gate.result_ja
    void = on.runs.records.find("audit", {"action": "playbook.approval_void"}, limit=2)
    assert [one.body["details"]["approval"] for one in void] == [on.run_id], "whose approval no longer counts"
    assert on.kept == ["evidence", "tell"] and on.audit().count("playbook.asked_anew") == 1
    on.tick(24 * 60)
    assert on.run.state is RunState.RUNNING and on.kept[2:] == [
        "tell"
    ]  # the same message: the outbox keeps it once
    on.desk.deny(f"{on.run_id}.{gate.index}", actor="suzuki", roles=MANAGER, note="もう要らない")
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1
    _undone(on)


def test_asked_anew_and_approved(tmp_path: Path) -> None:
    """Somebody who may approves what is left: it is done, on their word, and the plan is the one that was approved at first."""
    on = _slow(tmp_path, DAY)
    plan, gate = on.run.plan_hash, _asked(on)
    with pytest.raises(Refused):
        on.desk.approve(f"{on.run_id}.{gate.index}", actor="sato", roles=ANALYST)
    on.approve("boss1", gate=gate.index)
    assert on.tick().state is RunState.DONE and on.run.plan_hash == plan
    assert on.stage.acts[1:] == [("directory.disable_account", "t.yamada")]
    told = on.runs.records.find("audit", {"action": "playbook.act.directory.disable_account"}, limit=2)
    assert [one.body["actor"] for one in told] == ["boss1"]
    _undone(on)


def test_what_was_approved_before_counts_for_nothing(tmp_path: Path) -> None:
    """Whoever writes the old answer over the new request, or calls the new gate passed: nothing is done on it."""
    on = _slow(tmp_path, DAY)
    gate = _asked(on)
    old = on.runs.records.get(APPROVAL, on.run_id)
    assert old is not None and old.body["state"] == "approved"
    on.runs.records.put(APPROVAL, f"{on.run_id}.{gate.index}", old.body)
    on.tick()
    _asked(on)
    held = on.runs.records.get(KIND, on.run_id)
    assert held is not None
    passed = gate.model_copy(update={"state": StepState.DONE, "by": ["suzuki"]})
    on.runs.records.put(KIND, on.run_id, held.read_as(Run).with_step(passed).model_dump(mode="json"))
    assert on.tick().state is RunState.FAILED and len(on.stage.acts) == 1


def test_a_gate_that_was_added_does_nothing_by_itself(tmp_path: Path) -> None:
    """A step that calls itself such a gate and acts is another plan than the approved one."""
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK))
    plan = on.run.plan_hash
    act = on.run.acts[0].model_copy(
        update={"index": 9, "renews": True, "values": {"address": "198.51.100.9"}}
    )
    more = on.run.model_copy(update={"steps": [*on.run.steps, act]})
    assert more.plan_hash != plan
    gate = act.model_copy(update={"kind": "approve"})
    assert on.run.model_copy(update={"steps": [*on.run.steps, gate]}).plan_hash != plan
    asks = gate.model_copy(update={"act": "", "values": {}})
    assert on.run.model_copy(update={"steps": [*on.run.steps, asks]}).plan_hash == plan


def test_asked_anew_until_it_is_enough(tmp_path: Path) -> None:
    """The target's hour is always full when the approval comes: after three more approvals that grew old the act fails as such."""
    on = _slow(tmp_path, DAY)
    for n in range(1, 4):
        gate = _asked(on)
        assert gate.renewed == n and f"({n} 回目)" in gate.result_ja
        on.desk.automation.stop("保守", actor="suzuki", roles=MANAGER)
        on.approve(gate=gate.index)
        held = on.runs.records.get(KIND, on.run_id)
        assert held is not None
        passed = gate.model_copy(update={"state": StepState.DONE, "by": ["suzuki"]})
        on.runs.records.put(KIND, on.run_id, held.read_as(Run).with_step(passed).model_dump(mode="json"))
        on.tick(24 * 60)  # the switch is thrown just after the gate was passed, for a day
        on.desk.automation.resume("済んだ", actor="suzuki", roles=MANAGER)
        on.tick()
    assert on.run.state is RunState.FAILED and len(on.stage.acts) == 1
    second = on.run.acts[1]
    assert second.aged and "承認が古く" in second.result_ja and "対象は変わっていません" in second.result_ja
    assert on.audit().count("playbook.asked_anew") == 3


def test_a_renewed_plan_is_not_asked_for_once_the_incident_is_over(tmp_path: Path) -> None:
    """Closed while it waits: the request is taken back, what was done stays and can be undone."""
    on = _slow(tmp_path, DAY)
    gate = _asked(on)
    body = incident([]).model_copy(update={"status": Status.CLOSED}).model_dump(mode="json")
    on.runs.records.put("incident", "incident-1", body)
    assert on.tick().state is RunState.DONE and on.run.step(gate.index).state is StepState.SKIPPED
    _undone(on)


@pytest.mark.parametrize("way", ["continue", "stop"])
def test_what_was_begun_beside_it_is_given_up(tmp_path: Path, way: str) -> None:
    """One branch's target is away, the other's act was not begun: neither is carried on, nobody is asked or called, the end of the one that
    was begun is kept."""
    block = "[{act: firewall.block_address, value: source.ip, for_hours: 48, retries: 9}]"
    steps = f"{KEEP}  - parallel: [{block}, [{ASK[4:-1]}, {DISABLE[4:-1]}]]\n"
    head = f"{HEAD}on_failure: {way}\n"
    on = scene(tmp_path, written(tmp_path, steps, head), stage=Broken(down={"firewall.block_address"}))
    on.approve()
    on.tick()
    on.desk.automation.stop("保守", actor="suzuki", roles=MANAGER)
    on.tick(24 * 60)
    held = on.runs.records.get(KIND, on.run_id)
    assert held is not None
    away = on.run.acts[0].model_copy(update={"again_at": on.clock.now() + timedelta(minutes=5)})
    on.runs.records.put(KIND, on.run_id, held.read_as(Run).with_step(away).model_dump(mode="json"))
    on.desk.automation.resume("済んだ", actor="suzuki", roles=MANAGER)
    _answered(on)
    assert on.run.acts[1].aged and "承認が古く" in on.run.acts[1].result_ja
    assert on.tick(6).state is RunState.FAILED and on.stage.acts == [] and on.kept == ["evidence"]
    assert on.run.acts[0].state is StepState.FAILED and "途中でやめました" in on.run.acts[0].result_ja
    assert not [one for one in on.run.steps if one.kind == "approve"]
    assert standing(on.runs.records, on.run_id, on.run.acts[0].index) is not None


def test_the_end_of_the_request_is_not_yet_the_end_of_the_approval(tmp_path: Path) -> None:
    """The time to decide is over while the first act is done: what was approved in time is carried to its end."""
    assert _slow(tmp_path, timedelta(hours=2)).run.state is RunState.DONE


def test_a_task_that_took_days(tmp_path: Path) -> None:
    """Approved on Friday, answered on Monday: the act behind the answer is not done on it but asked for; one behind a gate of its own is
    asked there, and done on that alone."""
    on = scene(tmp_path, written(tmp_path, KEEP + DISABLE + ASK + BLOCK + GATE + ISOLATE), entities=ENTITIES)
    on.approve()
    on.tick()
    on.clock.advance(3 * DAY)
    _answered(on)
    block, own = on.step("firewall"), on.step("approve")
    rest = on.run.covering(block)
    assert block.state is StepState.PLANNED and rest is not None and rest.renews and rest.index != own.index
    on.approve(gate=rest.index)
    on.tick()
    on.approve("mori", gate=own.index)
    on.tick()
    assert on.stage.acts == [
        ("directory.disable_account", "t.yamada"),
        ("firewall.block_address", "203.0.113.66"),
        ("endpoint.isolate", "pc-114"),
    ]
    _undone(on)


def test_time_alone_lifts_no_containment(tmp_path: Path) -> None:
    """A playbook that puts everything back after a failure: that nobody answered a task for days is none, nor that the act behind it is
    denied. The block stays, and a person may put it back."""
    head = HEAD + "on_failure: undo\n"
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK + ASK + DISABLE, head))
    on.approve()
    on.tick()
    on.clock.advance(3 * DAY)
    _answered(on)
    on.desk.deny(f"{on.run_id}.{_asked(on).index}", actor="suzuki", roles=MANAGER, note="もう要らない")
    assert on.tick().state is RunState.DONE and on.stage.acts == [("firewall.block_address", "203.0.113.66")]
    assert len(on.stage.done) == 1
    _undone(on)


def test_a_gate_whose_act_waits_for_days(tmp_path: Path) -> None:
    """Behind the gate a person's task takes a day: the gate's approval is over, too, and the same gate is asked anew. The old request's
    page is refused, and the CISO alone may answer."""
    on = scene(tmp_path, written(tmp_path, KEEP + GATE + ASK + ISOLATE))
    on.approve()
    on.tick()
    own = on.step("approve").index
    first = on.step("approve").expires
    on.approve("mori", gate=own)
    on.tick()
    on.clock.advance(DAY)
    _answered(on)
    assert _asked(on).index == own and on.stage.acts == [] and first is not None
    with pytest.raises(Refused):
        on.desk.approve(f"{on.run_id}.{own}", actor="mori", roles=["ciso"], until=first.isoformat())
    with pytest.raises(Refused):
        on.approve("suzuki", gate=own)
    on.approve("mori", gate=own)
    assert on.tick().state is RunState.DONE and on.stage.acts == [("endpoint.isolate", "pc-114")]


def test_a_target_that_is_away_for_days(tmp_path: Path) -> None:
    """It was begun and is tried again after the approval's end: given up, and said that the target may have been changed."""
    steps = KEEP + BLOCK.replace("source.ip", "source.ip, retries: 9")
    on = scene(tmp_path, written(tmp_path, steps), stage=Broken(down={"firewall.block_address"}))
    on.approve()
    on.tick()
    on.stage.down = set()
    on.tick(24 * 60)
    assert on.stage.acts == [] and "途中でやめました" in on.run.acts[0].result_ja and on.run.undoable


def test_given_while_the_clock_was_ahead(tmp_path: Path) -> None:
    """The machine's clock was ten days ahead when it was approved and is right by the time of the act: it would hold for ten days."""
    on = scene(tmp_path, written(tmp_path, KEEP + ASK + BLOCK))
    on.tick(10 * 24 * 60)
    on.approve()
    on.tick()
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    on.clock.advance(-10 * DAY)
    on.tick()
    assert _asked(on).expires == on.clock.now() + timedelta(minutes=30) and on.stage.acts == []


def test_asked_while_the_clock_was_ahead(tmp_path: Path) -> None:
    """The request would stand for ten days: it is put anew, for as long as any other."""
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK))
    stands = on.run.expires - on.run.created
    on.tick(10 * 24 * 60)
    on.clock.advance(-10 * DAY)
    on.tick()
    assert on.run.created == on.clock.now() and on.run.expires == on.clock.now() + stands
    on.approve()
    assert on.tick().state is RunState.DONE


def _other_target(on: Scene) -> None:
    held = on.runs.records.get(KIND, on.run_id)
    assert held is not None
    body = dict(held.body)
    body["steps"] = [
        {**one, "values": {"address": "198.51.100.9"}} if one["act"] else one for one in body["steps"]
    ]
    on.runs.records.put(KIND, on.run_id, body)


@pytest.mark.parametrize(
    "change",
    [_other_target, lambda on: on.runs.records.delete(APPROVAL, on.run_id)],
    ids=["another plan", "no approval"],
)
def test_begun_and_not_approved_any_more(tmp_path: Path, change: Callable[[Scene], None]) -> None:
    """While the target is away the plan is written over, or the approval is gone: what was begun is not carried to its end."""
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK), stage=Broken(down={"firewall.block_address"}))
    on.approve()
    on.tick()
    on.stage.down = set()
    change(on)
    assert on.tick(5).state is RunState.FAILED and on.stage.acts == []


@pytest.mark.parametrize("touched", [False, True])
def test_killed_within_an_act_and_started_again_a_day_later(tmp_path: Path, touched: bool) -> None:
    """A process that dies at the act, before or after the target has changed: the next one, a day later, changes nothing, says that the
    target may have been changed, and undo gives back what was."""
    playbook = written(tmp_path, KEEP + BLOCK + DISABLE, HEAD)

    def life(point: Point) -> None:
        stage = _Dying(log=tmp_path / "changes", point=point, before=not touched)
        on = scene(tmp_path, playbook, stage=stage)
        on.approve()
        on.tick()

    assert killed(life, 1)
    stage = OnDisk(log=tmp_path / "changes")
    on = scene(tmp_path, playbook, stage=stage)
    assert on.run.acts[0].state is StepState.STARTED and len(stage.read()) == touched
    on.tick(24 * 60)
    assert len(stage.read()) == touched and "途中でやめました" in on.run.acts[0].result_ja
    on.desk.deny(f"{on.run_id}.{_asked(on).index}", actor="suzuki", roles=MANAGER, note="もう要らない")
    assert on.tick().state is RunState.FAILED and len(stage.read()) == touched
    stage.load()
    _undone(on)


def test_killed_at_every_point_of_asking_anew(tmp_path: Path) -> None:
    """Wherever the process dies while it asks anew: one request stands, with why, no old answer counts, and once it is given the act is
    done once."""
    playbook = written(tmp_path, KEEP + BLOCK + ASK + DISABLE, HEAD)
    start = tmp_path / "start"
    start.mkdir()
    on = scene(start, playbook, stage=OnDisk(log=start / "changes"))
    on.approve()
    on.tick()
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    on.runs.records.close()
    died = 0
    for at in range(1, 100):
        place = tmp_path / str(at)
        shutil.copytree(start, place)

        def life(point: Point, place: Path = place) -> None:
            on = scene(place, playbook, stage=OnDisk(log=place / "changes", point=point))
            counting(on.runs.records, point)  # type: ignore[arg-type]
            on.tick(24 * 60)

        if not killed(life, at):
            break
        died += 1
        stage = OnDisk(log=place / "changes")
        stage.load()
        on = scene(place, playbook, stage=stage)
        on.tick(24 * 60)
        gate = _asked(on)
        assert gate.renewed == 1 and len(stage.read()) == 1
        on.approve("boss1", gate=gate.index)
        assert on.tick().state is RunState.DONE and len(stage.read()) == 2
        assert on.runs.audit.verify() == []
        on.runs.records.close()
    assert died > 8


@dataclass(slots=True)
class _Dying(OnDisk):
    """Dies just before it changes, or just after."""

    before: bool = True

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        if self.before:
            self.point()
        return OnDisk.act(self, action, values)
