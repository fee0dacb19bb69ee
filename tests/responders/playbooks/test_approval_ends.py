"""An approval that is over by the time of an act: nothing acts on it, what was done is said and can be put back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from responders.connectors.protocol import Done
from responders.playbooks.run import APPROVAL, KIND, RunState, StepState
from tests.responders.city import MANAGER
from tests.responders.playbooks.dying import OnDisk, Point, killed
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, scene, written

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
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="承認が古い")
    assert on.tick().state is RunState.UNDONE and on.stage.done == set()
    assert on.runs.audit.verify() == []


def _slow(folder: Path, takes: timedelta) -> Scene:
    stage = Slow(action="firewall.block_address", takes=takes)
    on = scene(folder, written(folder, KEEP + BLOCK + DISABLE), stage=stage)
    stage.clock = on.clock
    on.approve()
    on.tick()
    return on


def test_it_ends_while_an_act_of_the_run_is_under_way(tmp_path: Path) -> None:
    """The first act was begun in time and takes a day: it is done, the next one is not, and undo gives back the first."""
    on = _slow(tmp_path, DAY)
    assert on.stage.acts == [("firewall.block_address", "203.0.113.66")]
    first, second = on.run.acts
    assert (first.state, second.state) == (StepState.DONE, StepState.FAILED)
    assert "承認が古く" in second.result_ja and "対象は変わっていません" in second.result_ja
    assert on.run.state is RunState.FAILED and "playbook.step_refused" in on.audit()
    _undone(on)


def test_the_end_of_the_request_is_not_yet_the_end_of_the_approval(tmp_path: Path) -> None:
    """The time to decide is over while the first act is done: what was approved in time is carried to its end."""
    assert _slow(tmp_path, timedelta(hours=2)).run.state is RunState.DONE


def test_a_task_that_took_days(tmp_path: Path) -> None:
    """Approved on Friday, answered on Monday: the act behind the answer is not done on it; one behind a gate of its own, asked then, is."""
    on = scene(tmp_path, written(tmp_path, KEEP + DISABLE + ASK + BLOCK + GATE + ISOLATE), entities=ENTITIES)
    on.approve()
    on.tick()
    task = on.step("task")
    on.clock.advance(3 * DAY)
    on.desk.automation.finish_task(on.run_id, task.index, actor="sato", roles=["analyst"], answer="no")
    on.tick()
    assert on.step("firewall").state is StepState.FAILED and on.step("approve").state is StepState.WAITING
    on.approve("mori", gate=on.step("approve").index)
    on.tick()
    assert on.stage.acts == [("directory.disable_account", "t.yamada"), ("endpoint.isolate", "pc-114")]
    _undone(on)


def test_time_alone_lifts_no_containment(tmp_path: Path) -> None:
    """A playbook that puts everything back after a failure: that nobody answered a task for days is none. The block stays, what comes
    behind is not done, and a person may put it back."""
    head = HEAD + "on_failure: undo\n"
    on = scene(tmp_path, written(tmp_path, KEEP + BLOCK + ASK + DISABLE, head))
    on.approve()
    on.tick()
    on.clock.advance(3 * DAY)
    task = on.step("task").index
    on.desk.automation.finish_task(on.run_id, task, actor="sato", roles=["analyst"], answer="no")
    assert on.tick().state is RunState.FAILED and on.stage.acts == [
        ("firewall.block_address", "203.0.113.66")
    ]
    assert len(on.stage.done) == 1
    _undone(on)


def test_a_gate_whose_act_waits_for_days(tmp_path: Path) -> None:
    """Behind the gate a person's task takes a day: the gate's approval is over, too."""
    on = scene(tmp_path, written(tmp_path, KEEP + GATE + ASK + ISOLATE))
    on.approve()
    on.tick()
    on.approve("mori", gate=on.step("approve").index)
    on.tick()
    on.clock.advance(DAY)
    on.desk.automation.finish_task(
        on.run_id, on.step("task").index, actor="sato", roles=["analyst"], answer="no"
    )
    assert on.tick().state is RunState.FAILED and on.stage.acts == []


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
    assert on.tick().state is RunState.FAILED and on.stage.acts == []
    assert "承認が古く" in on.run.acts[0].result_ja


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
    assert len(stage.read()) == touched and on.run.state is RunState.FAILED
    assert "途中でやめました" in on.run.acts[0].result_ja and on.run.acts[1].state is StepState.FAILED
    stage.load()
    _undone(on)


@dataclass(slots=True)
class _Dying(OnDisk):
    """Dies just before it changes, or just after."""

    before: bool = True

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        if self.before:
            self.point()
        return OnDisk.act(self, action, values)
