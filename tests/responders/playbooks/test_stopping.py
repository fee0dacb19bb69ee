"""A run that is under way is stopped and put back by a person: nothing new begins, no gate waits any more, what was done is undone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hinomi.errors import DependencyDown, Refused
from responders.connectors.protocol import Done
from responders.playbooks.run import APPROVAL, RunState, StepState
from tests.responders.city import ANALYST, MANAGER
from tests.responders.playbooks.stage import HEAD, Broken, Scene, scene, written
from tests.responders.playbooks.test_crashes import Deaths, surviving

CISO = ["ciso"]
KEEP = "  - evidence: {of: [user.name]}\n"
ISOLATE = "  - {act: endpoint.isolate, value: host.name}\n"
GATE = "  - approve: {who: ciso, within_minutes: 30, shows_ja: 止めます, shows_en: stops}\n"
TASK = '  - {task_ja: 確かめる, asks: {name: meant, choices: ["no", "yes"]}}\n'
BLOCK = "  - {act: firewall.block_address, value: source.ip}\n"
WAITS = {"gate": KEEP + ISOLATE + GATE + BLOCK, "task": KEEP + ISOLATE + TASK + BLOCK}


@dataclass(slots=True)
class Meanwhile(Broken):
    """A stage on which something happens while it acts, once; silent: its answer to that act is lost."""

    happens: Callable[[], object] = field(default=bool)
    silent: bool = False

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Done, and what happens meanwhile."""
        did = Broken.act(self, action, values)
        happens, self.happens = self.happens, bool
        happens()
        if self.silent:
            raise DependencyDown("応答がありません。", "no answer")
        return did


def _waiting(folder: Path, steps: str, head: str = HEAD, stage: Broken | None = None) -> Scene:
    """The plan approved and carried as far as it goes without anybody."""
    on = scene(folder, written(folder, steps, head), stage=stage)
    on.approve()
    on.tick()
    return on


def _stop(on: Scene, by: str = "suzuki", roles: list[str] = MANAGER) -> None:
    on.desk.undo(on.run_id, actor=by, roles=roles, note="別の端末だった")


def _open(on: Scene) -> list[str]:
    return [one.id for one in on.runs.records.find(APPROVAL, {"state": "open"})]


@pytest.mark.parametrize("waits", WAITS)
def test_a_machine_that_was_isolated_wrongly_is_free_at_once(tmp_path: Path, waits: str) -> None:
    """Not only once the CISO or whoever has the task answers; an answer that comes later does nothing."""
    on = _waiting(tmp_path, WAITS[waits])
    assert on.run.state is RunState.RUNNING and on.stage.done == {("endpoint.isolate", "pc-114")}
    _stop(on)
    news = on.runs.tick()
    assert on.run.state is RunState.UNDONE and on.stage.done == set() and _open(on) == []
    assert [one.state for one in on.run.acts] == [StepState.UNDONE, StepState.SKIPPED]
    assert any("suzuki が実行を止めたため" in line and "waiting→skipped" in line for line in on.run.journal)
    assert "人が実行を止めました" in news[0][1].ja and "playbook.halted" in on.audit()
    if waits == "gate":
        with pytest.raises(Refused, match="既に決まって"):
            on.approve("mori", gate=2)
    else:
        on.desk.automation.finish_task(on.run_id, 2, actor="sato", roles=ANALYST, answer="yes")
    assert on.tick(60).state is RunState.UNDONE and len(on.stage.acts) == 1 and on.runs.audit.verify() == []


def test_what_was_not_begun_is_stopped(tmp_path: Path) -> None:
    """Nothing was touched yet: the question is taken back, nothing undone."""
    on = _waiting(tmp_path, KEEP + GATE + BLOCK)
    _stop(on)
    assert on.tick().state is RunState.UNDONE and _open(on) == [] and on.stage.acts == []


def test_it_takes_the_office_that_let_it_be_done(tmp_path: Path) -> None:
    """Behind the CISO's gate the manager stops nothing; the CISO does. One who lost the office since: the run goes on as it was."""
    on = _waiting(tmp_path, KEEP + GATE + ISOLATE + TASK + BLOCK)
    on.approve("mori", gate=1)
    on.tick()
    with pytest.raises(Refused, match="役割"):
        _stop(on)
    _stop(on, "mori", CISO)
    on.runs.records.put("user", "mori", {"name": "mori", "roles": MANAGER, "disabled": False})
    assert on.tick().state is RunState.RUNNING and on.run.decided_by == "suzuki" and not on.run.halted
    assert on.stage.done == {("endpoint.isolate", "pc-114")} and "playbook.undo_void" in on.audit()
    on.runs.records.put("user", "mori", {"name": "mori", "roles": CISO, "disabled": False})
    on.desk.automation.finish_task(on.run_id, 3, actor="sato", roles=ANALYST, answer="yes")
    assert on.tick().state is RunState.DONE and len(on.stage.acts) == 2


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("way", ["continue", "undo"])
def test_stopped_while_the_target_is_being_changed(tmp_path: Path, silent: bool, way: str) -> None:
    """The word comes between the journal and the target's answer: the change is put back, and nothing behind it begins."""
    stage = Meanwhile(silent=silent)
    on = scene(
        tmp_path, written(tmp_path, KEEP + ISOLATE + BLOCK, HEAD + f"on_failure: {way}\n"), stage=stage
    )
    on.approve()
    stage.happens = lambda: _stop(on)
    on.tick()
    assert on.run.state is RunState.UNDOING and on.stage.acts == [("endpoint.isolate", "pc-114")]
    assert on.tick(15).state is RunState.UNDONE and on.stage.done == set() and len(on.stage.acts) == 1
    assert on.run.acts[1].state is StepState.SKIPPED, "nothing failed: it was stopped"


def test_two_who_stop_it_at_once(tmp_path: Path) -> None:
    """The second is refused; what is neither under way nor over, and a dry run, is not stopped."""
    on = _waiting(tmp_path, WAITS["gate"])
    _stop(on)
    with pytest.raises(Refused, match="元に戻せる状態"):
        _stop(on, "boss1")
    on.tick()
    with pytest.raises(Refused, match="元に戻せる状態"):
        _stop(on, "boss1")
    dry = on.run.model_copy(update={"state": RunState.RUNNING, "dry_run": True})
    assert not dry.undoable


@pytest.mark.parametrize("waits", WAITS)
def test_a_process_that_dies_while_it_stops(tmp_path: Path, waits: str) -> None:
    """At every write, and again at the next: stopped and put back once, in the log whole."""
    for at in range(1, 40):
        folder = tmp_path / str(at)
        folder.mkdir()
        on = _waiting(folder, WAITS[waits])
        _stop(on)
        deaths = Deaths(on, {at, at + 1})
        died = [surviving(lambda on=on: on.tick(1)) for _ in range(3)]  # type: ignore[misc]
        deaths.over()
        on.tick(1)
        assert on.run.state is RunState.UNDONE and on.stage.done == set() and _open(on) == [], at
        assert on.stage.acts == [("endpoint.isolate", "pc-114")] and on.runs.audit.verify() == [], at
        on.runs.records.close()
        if not any(died):
            return
    pytest.fail("it died to the last: more points than tried")
