"""What was approved at a gate is prolonged and undone by the office that was asked there, by as many people, not by the plan's own."""

from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.errors import Refused
from responders.automation import Automation
from responders.playbooks.authority import Office
from responders.playbooks.offices import over_act, over_undo
from responders.playbooks.run import RunState, StepState
from responders.playbooks.standing import standing
from tests.responders.city import MANAGER
from tests.responders.playbooks.stage import Scene, scene, written

CISO = ["ciso"]
KEEP = "  - evidence: {of: [user.name]}\n"
OPEN = KEEP + "  - {act: directory.disable_account, value: user.name}\n"
GATE = "  - approve: {who: %s, people: %d, shows_ja: 止めます, shows_en: stops}\n"
CUT = "  - {act: host_firewall.isolate, value: host.name, for_hours: 24}\n"


def _cut(folder: Path, gates: str = GATE % ("ciso", 2), last: int = 2) -> Scene:
    """The account is disabled on the manager's word, then the server cut off on that of both CISOs."""
    on = scene(folder, written(folder, OPEN + gates + CUT))
    on.runs.records.put("user", "kudo", {"name": "kudo", "roles": CISO, "disabled": False}, expect=0)
    on.approve()
    on.tick()
    for at in range(2, last + 1):
        for person in ("mori", "kudo"):
            on.desk.approve(f"{on.run_id}.{at}", actor=person, roles=CISO)
            on.tick()
            if on.run.step(at).settled:
                break
    assert on.run.state is RunState.DONE and len(on.stage.acts) == 2
    return on


def _extend(on: Scene, by: str, roles: list[str]) -> bool:
    automation, until = on.desk.automation, on.clock.now() + timedelta(days=20)
    assert isinstance(automation, Automation)
    return automation.extend(on.run_id, on.run.acts[-1].index, until, "続くため", actor=by, roles=roles)


def test_prolonged_by_who_let_it_be_done(tmp_path: Path) -> None:
    """One manager approved the rest of the plan and may not; one CISO, however spelled, is one of the two that it took."""
    on = _cut(tmp_path)
    held = standing(on.runs.records, on.run_id, on.run.acts[-1].index)
    assert held is not None
    with pytest.raises(Refused, match="役割"):
        _extend(on, "suzuki", MANAGER)
    assert not _extend(on, "mori", CISO) and not _extend(on, " Mori", CISO)
    now = standing(on.runs.records, on.run_id, on.run.acts[-1].index)
    assert now is not None and now.body["due"] == held.body["due"] and now.body["asked"]["by"] == ["mori"]
    assert _extend(on, "kudo", CISO)
    assert on.audit().count("playbook.extend.refused") == 1


def test_undone_by_the_highest_office_over_it(tmp_path: Path) -> None:
    """The server stays cut off for the manager; nothing is journalled. The CISO has it put back, with all before it."""
    on = _cut(tmp_path)
    with pytest.raises(Refused, match="役割"):
        on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.DONE and "playbook.undo_asked" not in on.audit()
    on.desk.undo(on.run_id, actor="mori", roles=CISO)
    assert on.tick().state is RunState.UNDONE and on.stage.done == set()


def test_who_lost_the_gates_office_since_undoes_nothing(tmp_path: Path) -> None:
    """Between the word and the act the CISO became a manager, who may approve the plan but not what stood behind the gate."""
    on = _cut(tmp_path)
    on.desk.undo(on.run_id, actor="kudo", roles=CISO)
    on.runs.records.put("user", "kudo", {"name": "kudo", "roles": MANAGER, "disabled": False})
    assert on.tick().state is RunState.DONE and "playbook.undo_void" in on.audit()
    assert len(on.stage.done) == 2


def test_once_what_was_behind_the_gate_is_back_the_rest_is_the_plans(tmp_path: Path) -> None:
    """The server's time is over and it is connected again: the account alone is the manager's."""
    on = _cut(tmp_path)
    assert over_undo(on.run) == Office("ciso", 2)
    on.tick(25 * 60)
    assert on.run.acts[-1].state is StepState.UNDONE
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.UNDONE


def test_every_gate_on_its_way_counts(tmp_path: Path) -> None:
    """A lower office right before the act, as a higher one decided earlier: the higher one decides on what stands."""
    on = _cut(tmp_path, GATE % ("ciso", 2) + GATE % ("information_system_manager", 1), 3)
    assert on.run.step(3).role == "ciso", "the planner raises it to what the act needs"
    lower = on.run.with_step(on.run.step(3).model_copy(update={"role": MANAGER[0], "people": 3}))
    assert over_act(lower, lower.acts[-1]) == Office("ciso", 2)


def test_who_asked_for_a_run_is_told_at_once_that_another_must_undo_it(tmp_path: Path) -> None:
    """Spelled in whatever way; before, the run was given to be undone and the word then void."""
    on = _cut(tmp_path)
    held = on.runs.records.get("playbook_run", on.run_id)
    assert held is not None
    asked = on.run.model_copy(update={"requested_by": "mori"})
    on.runs.records.put("playbook_run", on.run_id, asked.model_dump(mode="json"))
    with pytest.raises(Refused, match="別の人"):
        on.desk.undo(on.run_id, actor="MORI", roles=CISO)
    with pytest.raises(Refused, match="別の人"):
        _extend(on, "MORI", CISO)
