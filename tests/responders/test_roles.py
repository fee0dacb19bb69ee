"""Who may do what is checked by the desk itself and again before anything is done, whoever calls."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards.users import APPROVERS, WORKERS
from hinomi.errors import Refused
from hinomi.incident import Verdict
from responders import roles
from responders.desk import Desk
from responders.playbooks.run import Run, RunState, StepState
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, alert, responder

WORK: list[Callable[[Desk, str, list[str]], object]] = [
    lambda people, i, own: people.acknowledge(i, actor="x", roles=own),
    lambda people, i, own: people.assign(i, "sato", actor="x", roles=own),
    lambda people, i, own: people.comment(i, "メモ", actor="x", roles=own),
    lambda people, i, own: people.regrade(i, 0, "誤り", actor="x", roles=own),
    lambda people, i, own: people.close(i, Verdict.BENIGN, "保守", actor="x", roles=own),
]
DECIDE: list[Callable[[Desk, str, list[str]], object]] = [
    lambda people, run, own: people.approve(run, actor="x", roles=own),
    lambda people, run, own: people.deny(run, actor="x", roles=own),
    lambda people, run, own: people.undo(run, actor="x", roles=own),
]


def proposed(folder: Path) -> tuple[Responder, Desk, Run]:
    """An incident with a plan that waits for the information system manager."""
    tower, clock = responder(folder)
    [incident] = tower.receive([alert(playbook="rpa_misuse")])
    [record] = tower.records.find("playbook_run", {"incident_id": incident.id})
    return tower, desk(tower.records, clock, KEY), Run.model_validate(record.body)


def run_of(tower: Responder, run_id: str) -> Run:
    record = tower.records.get("playbook_run", run_id)
    assert record is not None
    return Run.model_validate(record.body)


@pytest.mark.parametrize("own", [[], ["viewer"], ["admin"], ["nonsense"]])
@pytest.mark.parametrize("act", WORK)
def test_who_does_not_work_on_incidents_changes_nothing(
    tmp_path: Path, act: Callable[[Desk, str, list[str]], object], own: list[str]
) -> None:
    """Refused in both languages, in the audit log, the incident as it was."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert()])
    before = tower.records.get("incident", incident.id)
    with pytest.raises(Refused, match="役割がありません") as refused:
        act(desk(tower.records, clock, KEY), incident.id, own)
    assert "role" in refused.value.en and tower.records.get("incident", incident.id) == before
    last = tower.records.last("audit")
    assert last is not None
    assert last.body["action"].endswith(".refused") and last.body["details"] == {"why": "role"}


@pytest.mark.parametrize("own", [ANALYST, ["ciso"], [roles.OPERATOR], ["viewer", "analyst"]])
@pytest.mark.parametrize("act", WORK)
def test_who_works_on_incidents_may(
    tmp_path: Path, act: Callable[[Desk, str, list[str]], object], own: list[str]
) -> None:
    """An analyst, any office, and the command line at the machine."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert()])
    before = tower.records.get("incident", incident.id)
    act(desk(tower.records, clock, KEY), incident.id, own)
    assert tower.records.get("incident", incident.id) != before


@pytest.mark.parametrize("own", [[], ANALYST, ["admin"], [roles.OPERATOR]])
@pytest.mark.parametrize("act", DECIDE)
def test_only_offices_decide_on_plans(
    tmp_path: Path, act: Callable[[Desk, str, list[str]], object], own: list[str]
) -> None:
    """Neither an analyst nor the command line without an account approves, denies or undoes."""
    tower, people, run = proposed(tmp_path)
    with pytest.raises(Refused, match="役割"):
        act(people, run.id, own)
    tower.tick()
    assert run_of(tower, run.id).state is RunState.PROPOSED


def test_the_console_s_roles_are_the_desk_s() -> None:
    """What the console lets in and what the desk lets through are the same offices."""
    assert set(map(str, APPROVERS)) == set(roles.RANKS)
    assert set(map(str, WORKERS)) | {roles.OPERATOR} == roles.WORKERS


@pytest.mark.parametrize("change", [{"roles": ["analyst"]}, {"disabled": True}, None])
def test_an_approver_who_lost_the_office_since(tmp_path: Path, change: dict[str, object] | None) -> None:
    """Approved, then the office was taken away, the account locked or removed: asked anew, another person may."""
    tower, people, run = proposed(tmp_path)
    people.approve(run.id, actor="suzuki", roles=MANAGER)
    record = tower.records.get("user", "suzuki")
    assert record is not None
    if change is None:
        tower.records.delete("user", "suzuki")
    else:
        tower.records.put("user", "suzuki", {**record.body, **change})
    tower.tick()
    assert run_of(tower, run.id).state is RunState.PROPOSED
    [incident] = tower.records.find("incident")
    assert "承認を取り直します" in incident.body["timeline"][-1]["ja"]
    assert "playbook.approval_void" in [one.body["action"] for one in tower.records.find("audit")]
    people.approve(run.id, actor="mori", roles=["ciso"])
    tower.tick()
    assert run_of(tower, run.id).state is RunState.DONE


def test_an_approval_written_past_the_desk_is_void(tmp_path: Path) -> None:
    """A record that says "approved" by nobody who may, or by who asked, moves nothing."""
    tower, _, run = proposed(tmp_path)
    for by in ("", "sato", "nobody", "hinomi"):
        held = tower.records.get("approval", run.id)
        assert held is not None
        tower.records.put("approval", run.id, {**held.body, "state": "approved", "by": by})
        tower.tick()
        assert run_of(tower, run.id).state is RunState.PROPOSED, by


def test_an_undo_by_who_lost_the_office_since(tmp_path: Path) -> None:
    """The run stays done, with a note; whoever holds the office can ask for it again."""
    tower, people, run = proposed(tmp_path)
    step = next(step for step in run.steps if step.act)
    touched = step.model_copy(update={"state": StepState.DONE, "before": {"was": "enabled"}})
    done = run.model_copy(update={"state": RunState.DONE, "dry_run": False, "steps": [touched]})
    tower.records.put("playbook_run", run.id, done.model_dump(mode="json"))
    people.undo(run.id, actor="suzuki", roles=MANAGER)
    tower.records.put("user", "suzuki", {"name": "suzuki", "roles": ANALYST})
    tower.tick()
    assert run_of(tower, run.id).state is RunState.DONE
    [incident] = tower.records.find("incident")
    assert "元に戻しませんでした" in incident.body["timeline"][-1]["ja"]
    people.undo(run.id, actor="boss1", roles=MANAGER)
    assert run_of(tower, run.id).state is RunState.UNDOING
