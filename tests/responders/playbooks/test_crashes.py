"""A process that dies at any write of any playbook, twice: every outside effect happens once, and undo gives back all.

The process dies before or after a write of a record, or just after a target was changed; that is every point at which
kill -9 leaves something else behind. `benchmarks/crashes.py` does the same with real processes and real targets.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.alert import Alert
from responders.playbooks.planning import plan
from responders.playbooks.playbook import Playbook, catalogue
from responders.playbooks.run import KIND, Run, RunState, StepState
from responders.playbooks.step import walked
from tests.responders.city import OFFICES, alert
from tests.responders.playbooks.stage import ENTITIES, Broken, Scene, incident, scene

PLAYBOOKS = catalogue()
ACTING = sorted(name for name, one in PLAYBOOKS.items() if one.acts)


class Crash(BaseException):
    """The process dies here."""


class Deaths:
    """Counts writes and changes of targets, and dies at the given ones (even: before a write, odd: after it)."""

    def __init__(self, on: Scene, places: set[int]) -> None:
        self.on, self.places, self.at = on, set(places), 0
        self.put, self.act = on.runs.records.put, Broken.act
        on.runs.records.put = self._put  # type: ignore[method-assign]

    def _perhaps(self) -> None:
        self.at += 1
        if self.at in self.places:
            self.places.discard(self.at)
            raise Crash

    def _put(self, *arguments: Any, **more: Any) -> Any:
        self._perhaps()
        record = self.put(*arguments, **more)
        self._perhaps()
        return record

    def over(self) -> None:
        """No more deaths."""
        self.on.runs.records.put = self.put  # type: ignore[method-assign]


def surviving(act: Callable[[], object]) -> bool:
    """Whether it died."""
    try:
        act()
    except Crash:
        return True
    return False


def begun(folder: Path, playbook: Playbook, zones: list[str]) -> Scene:
    on = scene(folder, playbook, grade=3 if zones else 2, zones=zones)
    people = ["mori", "suzuki"] if on.run.approver != "ciso" else ["mori"]
    offices = {person: ["ciso"] for person in ("mori", "second")}
    on.runs.records.put("user", "second", {"name": "second", "roles": ["ciso"], "disabled": False})
    for person in [*people, "second"][: on.run.people]:
        on.desk.approve(on.run_id, actor=person, roles=offices.get(person, OFFICES.get(person, [])))
    return on


def carried(on: Scene, playbook: Playbook) -> None:
    """To its end: gates approved, tasks done with their first choice, time passing."""
    choices = {step.asks.name: step.asks.choices[0] for step in walked(playbook.steps) if step.asks}
    for _ in range(200):
        surviving(lambda: on.tick(1))
        run = on.run
        if run.state not in (RunState.PROPOSED, RunState.RUNNING):
            return
        for step in run.steps:
            if step.state is not StepState.WAITING:
                continue
            if step.kind == "task":
                surviving(lambda step=step: answer(on, step.index, choices.get(step.asks, "")))  # type: ignore[misc]
            elif step.kind == "approve":
                for person in ("mori", "second")[: step.people]:
                    surviving(lambda p=person, s=step: decide(on, p, s.index))  # type: ignore[misc]


def answer(on: Scene, index: int, said: str) -> None:
    if on.runs.records.get("playbook_task", f"{on.run_id}.{index}") is None:
        on.desk.automation.finish_task(on.run_id, index, actor="sato", roles=["analyst"], answer=said)


def decide(on: Scene, person: str, index: int) -> None:
    held = on.runs.records.get("approval", f"{on.run_id}.{index}")
    given = [one["by"] for one in held.body["given"]] if held else []
    if held is not None and held.body["state"] == "open" and person not in given:
        on.desk.approve(held.id, actor=person, roles=["ciso"])


@pytest.mark.parametrize("name", ACTING)
@given(first=st.integers(1, 140), second=st.integers(1, 140))
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_effect_once_and_undo_gives_back_all(
    tmp_path: Path, name: str, first: int, second: int
) -> None:
    """Two deaths anywhere; then each act is done once, the log is whole, and nothing undoable stands after undo."""
    folder = tmp_path / f"{first}-{second}"
    folder.mkdir(exist_ok=True)
    (folder / "records.sqlite").unlink(missing_ok=True)
    playbook = PLAYBOOKS[name]
    on = begun(folder, playbook, ["lgwan", "mynumber"])
    deaths = Deaths(on, {first, second})
    carried(on, playbook)
    deaths.over()
    carried(on, playbook)
    assert on.run.state is RunState.DONE, on.run.journal
    assert len(on.stage.acts) == len(set(on.stage.acts))
    assert sorted(on.stage.acts) == sorted(
        (step.act, next(iter(step.values.values()))) for step in on.run.acts if step.state is StepState.DONE
    )
    undone(on)
    assert on.runs.audit.verify() == []


def undone(on: Scene) -> None:
    """Put back, with a death on the way: nothing that can be undone stands."""
    if not on.run.undoable:
        return
    on.desk.undo(on.run_id, actor="mori", roles=["ciso"], note="誤検知")
    deaths = Deaths(on, {2})
    surviving(on.tick)
    deaths.over()
    on.tick()
    assert on.run.state is RunState.UNDONE
    can = {(step.act, next(iter(step.values.values()))) for step in on.run.acts if step.can_undo}
    assert not can & on.stage.done


def test_a_proposal_that_died_is_made_again(tmp_path: Path) -> None:
    """Between the plan and the request for its approval: the request is there after the next round."""
    playbook = PLAYBOOKS["block_address"]
    on = scene(tmp_path, playbook)
    on.runs.records.delete("approval", on.run_id)
    on.tick()
    assert on.runs.records.get("approval", on.run_id) is not None
    again = plan(incident([one()]), [one()], playbook, on.runs.settings, on.clock.now())
    assert on.runs.propose(again).id == on.run_id
    assert Run.model_validate(on.runs.records.find(KIND)[0].body).state is RunState.PROPOSED


def one() -> Alert:
    return alert(playbook="block_address", entities=ENTITIES)
