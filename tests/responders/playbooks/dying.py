"""kill -9 at a chosen point of a run: a process of its own over records and targets that outlive it.

A point is a moment that leaves something else behind: before and after each write of a record, and after each change of a
target. The child counts them and kills itself, so every point of a run can be tried, one after the other.
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hinomi.clock import FixedClock
from hinomi.store.embedded import SqliteRecords
from responders.connectors.protocol import Done
from responders.playbooks.playbook import Playbook
from responders.playbooks.run import RunState, StepState
from responders.playbooks.step import walked
from tests.responders.playbooks.stage import Broken, Scene

Point = Callable[[], None]
_OFFICERS = ("mori", "second")


def killed(life: Callable[[Point], None], at: int) -> bool:
    """Run it in a process of its own that dies at its `at`-th point (0: never). Whether it was killed; raises where it failed."""
    child = os.fork()
    if child == 0:
        code, passed = 1, 0

        def point() -> None:
            nonlocal passed
            passed += 1
            if passed == at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            life(point)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the life failed; see above"
    return False


def counting(records: SqliteRecords, point: Point) -> None:
    """A point before and after each write from now on."""
    put, append, delete = records.put, records.append, records.delete

    def around(write: Callable[..., Any]) -> Callable[..., Any]:
        def written(*arguments: Any, **more: Any) -> Any:
            point()
            done = write(*arguments, **more)
            point()
            return done

        return written

    for name, write in (("put", put), ("append", append), ("delete", delete)):
        setattr(records, name, around(write))


@dataclass(slots=True)
class OnDisk(Broken):
    """Targets whose state is a file that is synced with each change; the file is also the list of all changes."""

    log: Path = Path()
    point: Point = lambda: None

    def read(self) -> list[tuple[str, str, str]]:
        """(act or undo, action, value) of every change, in order."""
        with contextlib.suppress(FileNotFoundError):
            return [tuple(line.split("\t")) for line in self.log.read_text().splitlines()]  # type: ignore[misc]
        return []

    def load(self) -> None:
        """As the file says."""
        self.done, self.acts = set(), []
        for what, action, value in self.read():
            (self.done.add if what == "act" else self.done.discard)((action, value))

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`; a change is on disk before the next point."""
        return self._changing("act", action, values, lambda: Broken.act(self, action, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """See `Connector`."""
        return self._changing("undo", action, values, lambda: Broken.undo(self, action, values, before))

    def _changing(
        self, what: str, action: str, values: Mapping[str, str], change: Callable[[], Done]
    ) -> Done:
        self.load()
        before = set(self.done)
        said = change()
        if self.done != before:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"{what}\t{action}\t{next(iter(values.values()), '')}\n")
                file.flush()
                os.fsync(file.fileno())
            self.point()
        return said


def carried(on: Scene, playbook: Playbook, clock: Path) -> None:
    """To its end and back: gates approved, tasks done with their first choice, time passing; then put back by a person."""
    _on_time(on.clock, clock)
    choices = {step.asks.name: step.asks.choices[0] for step in walked(playbook.steps) if step.asks}
    for _ in range(400):
        on.tick(1)
        clock.write_text(on.clock.now().isoformat())
        if on.run.state not in (RunState.PROPOSED, RunState.RUNNING):
            break
        for step in on.run.steps:
            if step.state is StepState.WAITING and step.kind == "task":
                _answer(on, step.index, choices.get(step.asks, ""))
            elif step.state is StepState.WAITING and step.kind == "approve":
                _decide(on, step.index, step.people)
    _put_back(on, clock)


def halted(on: Scene, playbook: Playbook, clock: Path) -> None:
    """Stopped and put back by a person as soon as it waits for somebody, or is over."""
    _on_time(on.clock, clock)
    for _ in range(60):
        on.tick(1)
        clock.write_text(on.clock.now().isoformat())
        waits = any(step.state is StepState.WAITING for step in on.run.steps)
        if on.run.state is not RunState.RUNNING or waits:
            break
    _put_back(on, clock)


def _put_back(on: Scene, clock: Path) -> None:
    if on.run.undoable:
        on.desk.undo(on.run_id, actor="mori", roles=["ciso"], note="誤検知")
    for _ in range(20):
        if on.run.state is not RunState.UNDOING:
            return
        on.tick(1)
        clock.write_text(on.clock.now().isoformat())


def confirmed(on: Scene, playbook: Playbook, clock: Path) -> None:
    """What somebody did first is approved afterwards by as many people as it takes; then as `carried`."""
    _on_time(on.clock, clock)
    for _ in range(3):
        on.tick(1)
        clock.write_text(on.clock.now().isoformat())
    for person in _OFFICERS[: on.run.people]:
        held = on.runs.records.get("approval", on.run_id)
        given = [one["by"] for one in held.body["given"]] if held else []
        if held is not None and held.body["state"] == "open" and person not in given:
            on.desk.approve(held.id, actor=person, roles=["ciso"])
    carried(on, playbook, clock)


def lapsed(on: Scene, playbook: Playbook, clock: Path) -> None:
    """What somebody did first is approved by nobody: hours pass until it is put back, and some more."""
    _on_time(on.clock, clock)
    for minutes in (1, 1, 1, *([60, 1] * 14)):  # an hour asks anew, the minute behind it looks
        on.tick(minutes)
        clock.write_text(on.clock.now().isoformat())


def _on_time(own: FixedClock, clock: Path) -> None:
    """A process that starts again is not back in the past."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        own.advance(max(datetime.fromisoformat(clock.read_text()) - own.now(), timedelta(0)))


def _answer(on: Scene, index: int, said: str) -> None:
    if on.runs.records.get("playbook_task", f"{on.run_id}.{index}") is None:
        on.desk.automation.finish_task(on.run_id, index, actor="sato", roles=["analyst"], answer=said)


def _decide(on: Scene, index: int, people: int) -> None:
    for person in _OFFICERS[:people]:
        held = on.runs.records.get("approval", f"{on.run_id}.{index}")
        if (
            held is not None
            and held.body["state"] == "open"
            and person not in [one["by"] for one in held.body["given"]]
        ):
            on.desk.approve(held.id, actor=person, roles=["ciso"])
