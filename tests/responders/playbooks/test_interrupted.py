"""What happens in between: the kill switch during a loop, a failure beside an act that is under way, the clock set back, a plan that is
written over while it runs, an answer at a gate that nobody was there to follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.errors import Refused
from responders.connectors.protocol import Done
from responders.playbooks.run import APPROVAL, KIND, RunState, RunStep, StepState
from tests.responders.city import ANALYST, MANAGER
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, scene, written

KEEP = "  - evidence: {of: [user.name]}\n"
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
GATE = "  - approve: {who: ciso, within_minutes: 10, shows_ja: 止めます, shows_en: stops}\n"
ISOLATE = "  - {act: endpoint.isolate, value: host.name}\n"
DISABLE = "  - {act: directory.disable_account, value: user.name, retries: 0}\n"
THREE = {**ENTITIES, "host.name": ["a", "b", "c"]}


@dataclass(slots=True)
class Switched(Broken):
    """Somebody throws the kill switch while the first act, or the first undoing, is done."""

    during: str = ""
    scene: Scene | None = None

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """As ever."""
        did = Broken.act(self, action, values)
        self._stop("act")
        return did

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """As ever."""
        did = Broken.undo(self, action, values, before)
        self._stop("undo")
        return did

    def _stop(self, what: str) -> None:
        if self.during == what and self.scene:
            self.scene.desk.automation.stop("誤検知", actor="sato", roles=ANALYST)


def _switched(folder: Path, during: str, steps: str, head: str = HEAD, **broken: Any) -> Scene:
    stage = Switched(during=during, **broken)
    on = scene(folder, written(folder, steps, head), entities=THREE, stage=stage)
    stage.scene = on
    on.approve()
    on.tick()
    return on


def test_the_kill_switch_in_the_middle_of_a_loop(tmp_path: Path) -> None:
    """Three machines, thrown while the first is isolated: the other two are not, until automation is resumed."""
    on = _switched(tmp_path, "act", KEEP + ISOLATE)
    assert len(on.stage.acts) == 1 and on.run.state is RunState.RUNNING
    on.desk.automation.resume("正しい", actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.RUNNING and len(on.stage.acts) == 2  # and thrown once more


def test_the_kill_switch_in_the_middle_of_putting_back(tmp_path: Path) -> None:
    """What a failure puts back by itself stops there; a person's undo does not hang on the switch."""
    head = HEAD + "on_failure: undo\n"
    down = {"directory.disable_account"}
    on = _switched(tmp_path, "undo", KEEP + ISOLATE + DISABLE, head, refuses=down)
    assert [one.state for one in on.run.acts].count(StepState.UNDONE) == 1
    assert on.run.state is RunState.UNDOING and len(on.stage.done) == 2


def test_the_kill_switch_in_the_middle_of_lifting(tmp_path: Path) -> None:
    """Three acts whose hours are over: the first is lifted, the others stand."""
    on = _switched(tmp_path, "undo", KEEP + ISOLATE.replace("host.name", "host.name, for_hours: 1"))
    on.tick(61)
    assert len(on.stage.done) == 2


def test_an_act_under_way_beside_a_failure_is_not_forgotten(tmp_path: Path) -> None:
    """on_failure: stop. The machine is isolated and not verified yet when the other branch fails: a person can put it back."""

    class Unverified(Broken):
        """Isolated, and does not say so yet."""

        def verify(self, action: str, values: Mapping[str, str]) -> bool:
            return action != "endpoint.isolate" and Broken.verify(self, action, values)

    head = HEAD + "on_failure: stop\n"
    steps = KEEP + "  - parallel:\n" + "".join(f"    - [{one[4:].strip()}]\n" for one in (ISOLATE, DISABLE))
    stage = Unverified(refuses={"directory.disable_account"})
    on = scene(tmp_path, written(tmp_path, steps, head), stage=stage)
    on.approve()
    on.tick()
    isolated = on.step("endpoint")
    assert on.run.state is RunState.FAILED and isolated.state is StepState.FAILED and on.run.undoable
    assert "途中" in isolated.result_ja
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER, note="戻す")
    assert on.tick().step(isolated.index).state is StepState.UNDONE and on.stage.done == set()


def test_the_clock_is_set_back_an_hour(tmp_path: Path) -> None:
    """A target that did not answer is tried again within its pause, and a request is put anew rather than stand an hour longer."""
    on = scene(
        tmp_path,
        written(tmp_path, KEEP + BLOCK + GATE + ISOLATE),
        stage=Broken(down={"firewall.block_address"}),
    )
    on.approve()
    on.tick()
    on.stage.down = set()
    on.clock.advance(timedelta(hours=-1))
    on.tick()
    assert on.stage.acts == [("firewall.block_address", "203.0.113.66")]
    until = on.step("approve").expires
    on.clock.advance(timedelta(hours=-1))
    on.tick()
    asked = on.step("approve").expires
    assert until and asked == until - timedelta(hours=1) and on.runs.audit.verify() == []


def _other_target(act: RunStep) -> RunStep:
    return act.model_copy(update={"values": {"address": "198.51.100.9"}})


def _without_gate(act: RunStep) -> RunStep:
    return act.model_copy(update={"gate": None})


@pytest.mark.parametrize("change", [_other_target, _without_gate])
def test_a_plan_that_is_written_over_while_it_runs(tmp_path: Path, change: Any) -> None:
    """Somebody with a hand in the store writes another target, or the gate away: that is not what was approved, and is not done."""
    on = scene(tmp_path, written(tmp_path, KEEP + "  - {wait_minutes: 5}\n" + GATE + BLOCK))
    on.approve()
    on.tick(6)
    on.tick(6)
    run = on.run
    step = on.step("approve").as_ended(StepState.DONE, "", "").model_copy(update={"by": ["mori"]})
    changed = run.with_step(step).with_step(change(run.acts[0]))
    on.runs.records.put(KIND, on.run_id, changed.model_dump(mode="json"))
    on.tick()
    assert on.stage.acts == [] and "承認された計画と違う" in on.run.acts[0].result_ja
    assert on.run.state is RunState.FAILED and "playbook.step_refused" in on.audit()


def test_an_answer_at_a_gate_that_waited_too_long_for_the_tower(tmp_path: Path) -> None:
    """The tower was down for a day behind it, as with the approval of a whole plan: asked again before it acts."""
    on = scene(tmp_path, written(tmp_path, KEEP + GATE + BLOCK))
    on.approve()
    on.tick()
    on.approve("mori", gate=1)
    on.tick(24 * 60)
    held = on.runs.records.get(APPROVAL, f"{on.run_id}.1")
    assert on.stage.acts == [] and held is not None and held.body["state"] == "open"
    assert "playbook.approval_void" in on.audit()
    on.approve("mori", gate=1)
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 1


def test_another_spelling_is_the_same_person(tmp_path: Path) -> None:
    """Who asked for it, or has approved it, in capitals: refused at the desk."""
    steps = KEEP + GATE.replace("who: ciso", "who: information_system_manager, people: 2") + BLOCK
    on = scene(tmp_path, written(tmp_path, steps))
    held = on.runs.records.get(APPROVAL, on.run_id)
    assert held is not None
    on.runs.records.put(APPROVAL, on.run_id, {**held.body, "requested_by": "boss1"})
    with pytest.raises(Refused, match="求めた本人"):
        on.desk.approve(on.run_id, actor="Boss1", roles=MANAGER)
    on.approve()
    on.tick()
    on.approve("suzuki", gate=1)
    with pytest.raises(Refused, match="もう一人"):
        on.desk.approve(f"{on.run_id}.1", actor="SUZUKI", roles=MANAGER)
