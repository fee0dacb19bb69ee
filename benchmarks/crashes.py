"""kill -9 on the responder at every journal point of every playbook: each effect outside happens once, undo gives back all.

A point is before and after each write of a record and after each change of a target. Each point is a run of its own: a
process that kills itself there, then one that goes on to the end and puts everything back. First over targets on disk, for
every playbook that comes with Hinomi, carried to its end, and stopped by a person on its way; those with a step that may be
done before its approval also done first and then confirmed, and done first and put back as nobody confirmed it. Then over
six real targets, compared before and after byte by byte: all entries of an OpenLDAP with all their attributes (but
entryCSN, modifyTimestamp, modifiersName: who wrote last when), the ruleset of nftables in a network namespace, Squid's
list, Unbound's, BIND's whole zone (but its serial, which only grows) and what both answer, a switch's configuration behind
OpenSSH.

usage: python -m benchmarks.crashes [every so many points, real targets: every so many points, from this one on] [playbook …]
0 leaves the real targets out; a playbook's name that there is not (`none`) leaves the others out. So it can be run in parts.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from responders.connectors.actions import ACTIONS
from responders.connectors.catalogue import Target as Section
from responders.connectors.catalogue import Targets
from responders.playbooks.permits import FIRST, first_id
from responders.playbooks.playbook import Playbook, catalogue, load
from responders.playbooks.run import APPROVAL, RunState, StepState
from tests.responders.city import ANALYST, MANAGER
from tests.responders.peers import real, several
from tests.responders.playbooks.dying import (
    OnDisk,
    Point,
    carried,
    confirmed,
    counting,
    halted,
    killed,
    lapsed,
)
from tests.responders.playbooks.stage import HEAD, Scene, scene, written
from tests.responders.slapd import ROBOT_PASSWORD

ADAPTER: TypeAdapter[Any] = TypeAdapter(Section)
ZONES = ["lgwan", "mynumber"]
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Course:
    """How a plan begins, goes on after each crash, and what must be so at its end."""

    prepare: Callable[[Path, Playbook], None]
    live: Callable[[Scene, Playbook, Path], None]
    wrong: Callable[[Path, Playbook], Iterator[str]]


def acting_first() -> dict[str, Playbook]:
    """The playbooks with a step that may be done before the approval."""
    return {name: one for name, one in acting().items() if any(step.act_first for step in one.acts)}


def acting() -> dict[str, Playbook]:
    """The playbooks that touch something."""
    return {name: one for name, one in sorted(catalogue().items()) if one.acts}


def staged(folder: Path, playbook: Playbook, stage: OnDisk | None = None) -> Scene:
    """The playbook's plan for a grave incident, over this stage."""
    return scene(folder, playbook, stage=stage, grade=3, zones=ZONES)


def prepared(folder: Path, playbook: Playbook, put: Callable[[Scene], None] = lambda _: None) -> None:
    """The plan, proposed and approved by as many people as it asks for. put: what is done in between."""
    on = staged(folder, playbook)
    put(on)
    on.runs.records.put("user", "second", {"name": "second", "roles": ["ciso"], "disabled": False})
    for person in ("mori", "second")[: on.run.people]:
        on.desk.approve(on.run_id, actor=person, roles=["ciso"])
    on.runs.records.close()


def done_first(folder: Path, playbook: Playbook) -> None:
    """The plan, with what a permitted responder has decided to do before its approval."""
    on = staged(folder, playbook)
    on.runs.records.put("user", "second", {"name": "second", "roles": ["ciso"], "disabled": False})
    now, desk = on.clock.now(), on.desk.acting_first
    desk.permit("sato", now, now + timedelta(days=7), "夜間当番", actor="suzuki", roles=MANAGER)
    [index] = [one.index for one in on.run.acts if one.first_hours]
    desk.act(on.run_id, index, "拡散を止める", actor="sato", roles=ANALYST)
    on.runs.records.close()


def every_point(
    folder: Path, playbook: Playbook, step: int = 1, first: int = 1, course: Course | None = None
) -> tuple[int, list[str]]:
    """(points tried, what was wrong) for a playbook over targets on disk."""
    course = course or APPROVED
    start = folder / "start"
    start.mkdir(parents=True)
    course.prepare(start, playbook)
    wrong, tried = [], 0
    for at in range(first, _MOST, step):
        place = folder / str(at)
        shutil.copytree(start, place)

        def life(point: Point, place: Path = place) -> None:
            stage = OnDisk(log=place / "changes", point=point)
            stage.load()
            on = staged(place, playbook, stage)
            counting(on.runs.records, point)  # type: ignore[arg-type]
            course.live(on, playbook, place / "clock")

        died = killed(life, at)
        if died:
            tried += 1
            killed(life, 0)
        wrong += [f"{playbook.playbook} at {at}: {one}" for one in course.wrong(place, playbook)]
        shutil.rmtree(place)
        if not died:
            break
    return tried, wrong


def _wrong(place: Path, playbook: Playbook) -> Iterator[str]:
    """What is not as it should be after the end."""
    stage = OnDisk(log=place / "changes")
    stage.load()
    on = staged(place, playbook, stage)
    run, changes = on.run, Counter(stage.read())
    touched = [step for step in run.acts if step.state in (StepState.DONE, StepState.UNDONE)]
    if run.state not in (RunState.DONE, RunState.UNDONE):
        yield f"it ended {run.state}: {run.journal[-3:]}"
    expected = Counter(("act", step.act, next(iter(step.values.values()))) for step in touched)
    if +Counter({key: n for key, n in changes.items() if key[0] == "act"}) != expected:
        yield f"changes {sorted(changes)} for acts {sorted(expected)}"
    if any(n > 1 for n in changes.values()):
        yield f"more than once: {changes.most_common(3)}"
    if standing := [
        key
        for key in stage.done
        if ACTIONS[key[0]].undoable and key[0] in {s.act for s in run.acts if s.can_undo}
    ]:
        yield f"still standing after undo: {standing}"
    if problems := on.runs.audit.verify():
        yield f"audit: {problems[0].en}"
    on.runs.records.close()


def _wrong_halted(place: Path, playbook: Playbook) -> Iterator[str]:
    """As after any end; and nothing is left that could still begin or be answered."""
    yield from _wrong(place, playbook)
    on = staged(place, playbook)
    if unsettled := [step.index for step in on.run.steps if not step.settled]:
        yield f"steps {unsettled} are not settled"
    if on.runs.records.find(APPROVAL, {"state": "open"}):
        yield "a request waits for an answer"
    on.runs.records.close()


def _wrong_lapsed(place: Path, playbook: Playbook) -> Iterator[str]:
    """Done once, put back once, planned again, and said so."""
    stage = OnDisk(log=place / "changes")
    stage.load()
    on = staged(place, playbook, stage)
    [step] = [one for one in on.run.acts if one.first_hours]
    key = (step.act, next(iter(step.values.values())))
    if stage.read() != [("act", *key), ("undo", *key)]:
        yield f"changes {stage.read()}"
    if (on.run.state, step.state) != (RunState.PROPOSED, StepState.PLANNED):
        yield f"it ended {on.run.state}, the step {step.state}"
    held = on.runs.records.get(FIRST, first_id(on.run_id, step.index))
    if held is None or held.body["state"] != "lapsed":
        yield f"what was decided is {held and held.body['state']}"
    if problems := on.runs.audit.verify():
        yield f"audit: {problems[0].en}"
    on.runs.records.close()


APPROVED = Course(prepared, carried, _wrong)
CONFIRMED = Course(done_first, confirmed, _wrong)
HALTED = Course(prepared, halted, _wrong_halted)
LAPSED = Course(done_first, lapsed, _wrong_lapsed)


def every_real_point(
    place: Path, found: Mapping[str, real.Target], step: int = 1, first: int = 1
) -> tuple[int, list[str]]:
    """(points tried, what was wrong) for a playbook over real targets."""
    own = Targets({name: ADAPTER.validate_python(one.section) for name, one in found.items()})
    was, wrong, tried = {name: one.state() for name, one in found.items()}, [], 0
    start = place / "start"
    start.mkdir(parents=True)
    playbook = written(start, several.STEPS, HEAD)
    prepared(start, playbook)
    for at in range(first, _MOST, step):
        folder = place / str(at)
        shutil.copytree(start, folder)

        def life(point: Point, folder: Path = folder) -> None:
            on = staged(folder, load(folder / "tried.yml"))
            on.runs.world = type(on.runs.world)(_Counted(own, point), *([on.runs.world.evidence] * 3))
            counting(on.runs.records, point)  # type: ignore[arg-type]
            carried(on, playbook, folder / "clock")

        died = killed(life, at)
        if died:
            tried += 1
            killed(life, 0)
        now = {name: one.state() for name, one in found.items()}
        wrong += [f"at {at}: {name} is not as it was" for name in now if now[name] != was[name]]
        on = staged(folder, load(folder / "tried.yml"))
        if on.run.state is not RunState.UNDONE or on.runs.audit.verify():
            wrong.append(f"at {at}: it ended {on.run.state}: {on.run.journal[-3:]}")
        acted = [line for line in on.run.journal if "started→done" in line]
        if len(acted) != several.ACTS:
            wrong.append(f"at {at}: {len(acted)} acts of {several.ACTS}")
        on.runs.records.close()
        shutil.rmtree(folder)
        if not died:
            break
    return tried, wrong


class _Counted:
    """Targets with a point after each change."""

    def __init__(self, own: Targets, point: Point) -> None:
        self.own, self.point = own, point

    def __call__(self, action: str, on: str = "") -> Any:
        connector = self.own(action, on)
        return connector and _After(connector, self.point)


class _After:
    """A connector whose acts and undoing end in a point."""

    def __init__(self, own: Any, point: Point) -> None:
        self.own, self.point = own, point

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.own, name)
        if name not in ("act", "undo"):
            return method

        def done(*arguments: Any) -> Any:
            said = method(*arguments)
            self.point()
            return said

        return done


def main(step: int = 1, real_step: int = 1, real_first: int = 1, *names: str) -> bool:
    """Measure; True when nothing was wrong."""
    started, wrong, points = time.monotonic(), list[str](), 0
    with tempfile.TemporaryDirectory(prefix="hinomi-crashes-") as place:
        for name, playbook in acting().items():
            if names and name not in names:
                continue
            tried, found = every_point(Path(place) / name, playbook, step)
            points, wrong = points + tried, wrong + found
            print(f"{name}: kill -9 at {tried} points, {len(found)} wrong", flush=True)
            tried, found = every_point(Path(place) / f"{name}-halted", playbook, step, course=HALTED)
            points, wrong = points + tried, wrong + found
            print(f"{name}, stopped on its way: kill -9 at {tried} points, {len(found)} wrong", flush=True)
        for name, playbook in acting_first().items():
            for end, course in (("confirmed", CONFIRMED), ("lapsed", LAPSED)):
                if names and name not in names:
                    continue
                tried, found = every_point(Path(place) / f"{name}-{end}", playbook, step, course=course)
                points, wrong = points + tried, wrong + found
                print(f"{name}, act first, {end}: kill -9 at {tried} points, {len(found)} wrong", flush=True)
        if real_step:
            os.environ["HINOMI_LDAP"] = ROBOT_PASSWORD
            with several.targets(Path(place)) as there:
                tried, found = every_real_point(Path(place) / "real", there, real_step, real_first)
            points, wrong = points + tried, wrong + found
            part = f" (from {real_first}, every {real_step})" if (real_first, real_step) != (1, 1) else ""
            print(f"six real targets{part}: kill -9 at {tried} points, {len(found)} wrong", flush=True)
    print(json.dumps(wrong[:20], ensure_ascii=False, indent=1) if wrong else "nothing wrong")
    print(f"kill -9 at {points} points, {len(wrong)} wrong, {time.monotonic() - started:.0f} s")
    return not wrong


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:] if text.isdigit()]
    every, real_every, real_first = [*given, *[1, 1, 1][len(given) :]][:3]
    playbooks = [text for text in sys.argv[1:] if not text.isdigit()]
    sys.exit(0 if main(every, real_every, real_first, *playbooks) else 1)
