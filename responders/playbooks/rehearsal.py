"""A simulation of a playbook on an incident: the whole engine over a copy, with targets that exist only in memory.

Everything is real but the targets and the clock: plan, approvals by invented office holders, journal, limits, ends,
undo. Nothing outside is touched and nothing is written to the city's records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.incident import Incident
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from responders.automation import Automation
from responders.connectors.actions import ACTIONS
from responders.connectors.protocol import Done
from responders.playbooks.approvals import Approvals
from responders.playbooks.planning import plan
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import APPROVAL, KIND, Run, RunState, RunStep, StepState
from responders.playbooks.runs import Runs
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.world import World
from responders.roles import RANKS

_ROUNDS = 400


@dataclass(slots=True)
class Stage:
    """A target that is only a set of what was done to it; `acts` counts what really changed it."""

    done: set[tuple[str, str]] = field(default_factory=set)
    acts: list[tuple[str, str]] = field(default_factory=list)

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        return Done(f"{action}: {_value(values)}", f"{action}: {_value(values)}")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """See `Connector`."""
        return {"was": self.verify(action, values)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        key = (action, _value(values))
        if key in self.done:
            return Done("既にそうなっています。", "it is so already", changed=False)
        self.done.add(key)
        self.acts.append(key)
        return Done("行いました(模擬)。", "done (simulated)")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """See `Connector`."""
        return (action, _value(values)) in self.done

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """See `Connector`."""
        if not before["was"]:
            self.done.discard((action, _value(values)))
        return Done("元に戻しました(模擬)。", "put back (simulated)")

    def health(self) -> str:
        """See `Connector`."""
        return ""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How it went: the run at its end, the run after undo, what was done to whom, who was asked, what still stood."""

    run: Run
    undone: Run
    acts: list[tuple[str, str]]
    asked: list[str]
    standing: set[tuple[str, str]]

    @property
    def green(self) -> bool:
        """No step failed, everything ended, and what can be undone was."""
        good = self.run.state is RunState.DONE and all(step.settled for step in self.run.steps)
        failed = any(step.state is StepState.FAILED for step in (*self.run.steps, *self.undone.steps))
        fixed = {action for action, _ in self.standing if ACTIONS[action].undoable}
        return good and not failed and not fixed


def rehearse(
    playbook: Playbook,
    incident: Incident,
    alerts: Sequence[Alert],
    settings: PlaybookSettings | None = None,
    answers: Mapping[str, str] | None = None,
) -> Rehearsed:
    """Carry the playbook through on the incident, answering each question with `answers` or its first choice."""
    with TemporaryDirectory(prefix="hinomi-rehearsal-") as folder:
        stage, clock = Stage(), FixedClock(incident.updated)
        records = SqliteRecords(Path(folder) / "records.sqlite", clock=clock, durable=False)
        own = settings or PlaybookSettings()
        armed = own.model_copy(update={"armed": [playbook.playbook], "paused": False})
        for rank in RANKS:
            for person in (rank, f"{rank}-2"):
                records.put("user", person, {"name": person, "roles": [rank], "disabled": False})
        hook = _said
        world = World(lambda action, on: stage, hook, hook, hook)
        runs = Runs(records, clock, Audit(records, clock), armed, {playbook.playbook: playbook}, world)
        proposed = runs.propose(plan(incident, alerts, playbook, armed, clock.now()))
        player = _Player(records, clock, runs, dict(answers or {}))
        try:
            ended = player.play(proposed.id)
            undone = player.undo(ended)
        finally:
            records.close()
        return Rehearsed(ended, undone, stage.acts, player.asked, stage.done)


@dataclass(slots=True)
class _Player:
    """Plays the people of a rehearsal."""

    records: SqliteRecords
    clock: FixedClock
    runs: Runs
    answers: dict[str, str]
    asked: list[str] = field(default_factory=list)

    def play(self, run_id: str) -> Run:
        """Until the run is over or nothing goes on any more."""
        for _ in range(_ROUNDS):
            self._approve()
            self.runs.tick()
            run = self._run(run_id)
            if run.state not in (RunState.PROPOSED, RunState.RUNNING):
                return run
            self._work(run)
            self.clock.advance(timedelta(minutes=1))
        return self._run(run_id)

    def undo(self, run: Run) -> Run:
        """Ask for it to be put back, where there is something to put back."""
        if run.undoable:
            self._approvals.ask_undo(run.id, "ciso", ["ciso"], "模擬の後始末")
            self.runs.tick()
        return self._run(run.id)

    def _approve(self) -> None:
        for record in self.records.find(APPROVAL, {"state": "open"}):
            office = str(record.body["approver"])
            self.asked.append(office)
            for person in [office, f"{office}-2"][: int(record.body["people"])]:
                self._approvals.decide(record.id, "approved", person, [office], "模擬")

    def _work(self, run: Run) -> None:
        for step in run.steps:
            if step.kind == "task" and step.state is StepState.WAITING:
                self._answer(run, step)

    def _answer(self, run: Run, step: RunStep) -> None:
        answer = self.answers.get(step.asks, step.choices[0] if step.choices else "")
        if self.records.get("playbook_task", f"{run.id}.{step.index}") is None:
            Automation(self.records, self.clock, self.runs.audit).finish_task(
                run.id, step.index, actor="analyst", roles=["analyst"], answer=answer
            )

    def _run(self, run_id: str) -> Run:
        held = self.records.get(KIND, run_id)
        assert held is not None
        return held.read_as(Run)

    @property
    def _approvals(self) -> Approvals:
        return Approvals(self.records, self.clock, self.runs.audit)


def _said(run: Run, step: RunStep) -> Done:
    return Done(f"{step.title_ja}(模擬)", f"{step.title_en} (simulated)")


def _value(values: Mapping[str, str]) -> str:
    return next(iter(values.values()), "")
