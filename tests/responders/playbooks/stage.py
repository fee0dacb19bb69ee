"""A playbook written in a test, over targets in memory: the engine alone, with a clock and real records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.errors import DependencyDown, Refused
from hinomi.incident import Incident
from hinomi.store import Records
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from responders.connectors.protocol import Done
from responders.desk import AckLinks, Desk
from responders.playbooks.planning import plan
from responders.playbooks.playbook import Playbook, load
from responders.playbooks.rehearsal import Stage
from responders.playbooks.run import KIND, Run, RunStep, StepState
from responders.playbooks.runs import Runs
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.world import World
from tests.responders.city import KEY, NIGHT, OFFICES, alert

HEAD = """
playbook: tried
title_ja: 試み
title_en: Tried
serves: [MIC-7.1]
approver: information_system_manager
impact_ja: 止まります。
impact_en: It stops.
"""
ENTITIES = {
    "user.name": ["t.yamada"],
    "source.ip": ["203.0.113.66"],
    "host.name": ["pc-114"],
    "dns.question.name": ["c2.example.net"],
    "url.domain": ["c2.example.net"],
    "email.message_id": ["<1@example.net>"],
    "network.name": ["lgwan"],
    "cloud.resource.id": ["city-juki"],
}


@dataclass(slots=True)
class Broken(Stage):
    """A stage on which some actions never answer, and some are refused: before anything is done, or with a part of it done.

    unmanaged: targets that it refuses whatever is asked, also before anything is done; planned: called with the action before it says
    what it would do."""

    down: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    halfway: set[str] = field(default_factory=set)
    unmanaged: set[str] = field(default_factory=set)
    planned: Callable[[str], object] = field(default=str)

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Refused for what it does not manage."""
        self.planned(action)
        self._managed(values)
        return Stage.plan(self, action, values)

    def _managed(self, values: Mapping[str, str]) -> None:
        if self.unmanaged & set(values.values()):
            raise Refused("管理の対象にありません。", "it is not managed here")

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Down, refused, or as ever."""
        if action in self.down:
            raise DependencyDown("応答がありません。", "no answer")
        if action in self.refuses:
            raise Refused("断りました。", "refused")
        self._managed(values)
        did = Stage.act(self, action, values)
        if action in self.halfway:
            raise Refused("途中で断りました。", "refused halfway")
        return did


@dataclass(slots=True)
class Scene:
    """One engine with one run."""

    runs: Runs
    clock: FixedClock
    stage: Broken
    desk: Desk
    run_id: str
    kept: list[str]

    @property
    def run(self) -> Run:
        """The run as it is written."""
        held = self.runs.records.get(KIND, self.run_id)
        assert held is not None
        return Run.model_validate(held.body)

    def states(self) -> list[StepState]:
        """Of each step."""
        return [step.state for step in self.run.steps]

    def step(self, words: str) -> RunStep:
        """The first step whose title or action has these words."""
        return next(step for step in self.run.steps if words in step.title_ja + step.act + step.kind)

    def tick(self, minutes: float = 0) -> Run:
        """Later by so many minutes, one round."""
        self.clock.advance(timedelta(minutes=minutes))
        self.runs.tick()
        return self.run

    def approve(self, by: str = "suzuki", gate: int | None = None) -> None:
        """A person approves the run or one of its gates."""
        identity = self.run_id if gate is None else f"{self.run_id}.{gate}"
        self.desk.approve(identity, actor=by, roles=OFFICES[by.lower()])

    def audit(self) -> list[str]:
        """What the audit log holds, by action."""
        return [record.body["action"] for record in self.runs.records.find("audit", limit=10_000)]


def written(folder: Path, steps: str, head: str = HEAD) -> Playbook:
    """A playbook from its text, read as a file is."""
    path = folder / "tried.yml"
    path.write_text(head + "steps:\n" + steps, encoding="utf-8")
    return load(path)


def incident(alerts: list[Alert], **more: Any) -> Incident:
    """An incident of grade 2 with these alerts."""
    gathered: dict[str, list[str]] = {}
    for one in alerts:
        for name, values in one.entities.items():
            gathered.setdefault(name, []).extend(values)
    fields: dict[str, Any] = {
        "id": "incident-1",
        "number": 1,
        "title_ja": "試み",
        "title_en": "tried",
        "grade": 2,
        "level": "high",
        "first": NIGHT,
        "last": NIGHT,
        "opened": NIGHT,
        "updated": NIGHT,
        "alert_ids": [one.id for one in alerts],
        "entities": {name: list(dict.fromkeys(values)) for name, values in gathered.items()},
        **more,
    }
    return Incident.model_validate(fields)


def scene(
    folder: Path,
    playbook: Playbook,
    *,
    entities: Mapping[str, list[str]] = ENTITIES,
    settings: Mapping[str, Any] | None = None,
    stage: Broken | None = None,
    store: Callable[[FixedClock], Records] | None = None,
    **more: Any,
) -> Scene:
    """The playbook proposed for an incident, armed unless the settings say otherwise. store: another one than a file here."""
    clock, kept = FixedClock(NIGHT), list[str]()
    records = store(clock) if store else SqliteRecords(folder / "records.sqlite", clock=clock)
    for name, roles in OFFICES.items():
        if records.get("user", name) is None:
            records.put("user", name, {"name": name, "roles": roles, "disabled": False}, expect=0)
    own = PlaybookSettings.model_validate({"armed": [playbook.playbook], **(settings or {})})
    audit, standing = Audit(records, clock), stage or Broken()

    def keep(run: Run, step: RunStep) -> Done:
        kept.append(step.kind)
        return Done("保全しました。", "kept")

    world = World(lambda action, on: standing, keep, keep, keep)
    runs = Runs(records, clock, audit, own, {playbook.playbook: playbook}, world)
    found = [alert(playbook=playbook.playbook, entities=dict(entities))]
    run = runs.propose(plan(incident(found, **more), found, playbook, own, clock.now()))
    return Scene(
        runs, clock, standing, Desk(records, clock, audit, AckLinks(KEY), playbooks=own), run.id, kept
    )
