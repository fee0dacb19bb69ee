"""A drill from end to end on a tower of its own: labelled logs of an invented attack go through the real transports, are
detected, somebody is called, a plan is approved and rehearsed (dry run), a report is drafted; each interval is measured.

Clause 5.2 of the guideline (研修・訓練) asks for drills; the drill report says what happened when, and what did not.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from dashboards.users import Users
from hinomi.alert import Alert
from hinomi.clock import JST, SystemClock
from hinomi.errors import HinomiError
from hinomi.incident import Incident
from hinomi.words import Words
from ops import drill_report
from ops.demo.clockwork import last_working_day
from ops.demo.scenario import Scenario
from ops.demo.sending import send_all
from ops.demo.tower import DemoTower
from ops.drill_report import GOALS, LABEL, STAGES, Course, seconds
from ops.opened import Opened, opened
from responders.notify.outbox import KIND as NOTIFICATION
from responders.playbooks.run import APPROVAL, KIND, Run

_SOON, _LONG = 180.0, 3600.0
_PEOPLE = {
    "sato": ("情報政策課 佐藤", ["analyst"]),
    "suzuki": ("情報政策課長 鈴木", ["information_system_manager"]),
}


@dataclass(slots=True)
class Drill:
    """by_hand: people acknowledge and approve in the console; else the drill does it in their place. people: who takes part."""

    folder: Path
    by_hand: bool = False
    people: Sequence[str] = ()
    scale: float = 0.02
    say: Callable[[str], None] = print
    clock: SystemClock = field(default_factory=SystemClock)
    at: dict[str, datetime] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    incident: Incident | None = None
    run_id: str = ""
    stage: str = ""
    course: Course | None = None
    report: Path | None = None

    def run(self) -> Path:
        """Carry it out; returns the report's PDF. Raises HinomiError naming the stage that did not come: the report is
        written all the same, as that is what a drill is for."""
        day = last_working_day((self.clock.now().astimezone(JST) - timedelta(days=1)).date())
        manifest = Scenario(day, seed=7, scale=self.scale).write(self.folder / "city")
        tower = DemoTower(self.folder, manifest)
        tower.configure()
        self._label(tower)
        try:
            tower.start()
            with opened(tower.data, config=tower.config) as place:
                self._people(place, tower)
                self.at["began"] = self.clock.now()
                send_all(tower)
                try:
                    self._course(place)
                except HinomiError:
                    self._report(place, stuck=self.stage)
                    raise
                return self._report(place)
        finally:
            tower.stop()

    def _label(self, tower: DemoTower) -> None:
        """Every message, page and draft of a drill says that it is one."""
        settings = yaml.safe_load(tower.config.read_text(encoding="utf-8"))
        settings["respond"]["notify"]["label"] = LABEL.ja
        settings["console"]["organization"] = drill_report.CITY.ja
        tower.config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")

    def _people(self, place: Opened, tower: DemoTower) -> None:
        """Who acknowledges and who approves, with passwords of this drill only."""
        users = Users(place.records, self.clock)
        passwords = {name: secrets.token_urlsafe(12) for name in _PEOPLE}
        for name, (full_name, roles) in _PEOPLE.items():
            users.create(name, passwords[name], roles=roles, full_name=full_name)
        if not self.by_hand:
            return
        self.say(f"画面 / console: http://127.0.0.1:{tower.console_port}/")
        for name, (full_name, _) in _PEOPLE.items():
            self.say(f"  {full_name}: {name} / {passwords[name]}")
        self.say(f"通知が届く場所 / messages arrive in: {tower.folder / 'messages'}")
        self.say(
            "佐藤が「対応を始める」を押し、鈴木が計画を承認します / sato acknowledges, suzuki approves a plan"
        )

    def _course(self, place: Opened) -> None:
        self._found(place, self._until("detect", lambda: self._gravest(place), _SOON))
        self._acknowledged(place)
        self._decided(place)
        self._until("contain", lambda: self._state(place, KIND, self.run_id) in ("done", "failed"), _SOON)
        self._mark("contain", self.at["approve"], self.clock.now())
        self.stage = "draft"
        self._draft(place)
        self._mark("draft", self.at["acknowledge"], self.clock.now())

    def _found(self, place: Opened, incident: Incident) -> None:
        """This incident is the one that is measured."""
        self.incident = incident
        self.say(f"インシデント #{incident.number}: {incident.title_ja} / incident: {incident.title_en}")
        self._mark("detect", self._arrived(place, incident), incident.opened)
        told = self._until("notify", lambda: self._told(place), _SOON)
        self._mark("notify", self.at["detect"], told[0][0])

    def _acknowledged(self, place: Opened) -> None:
        """By hand people take whichever incident they will: that one is measured from its own beginning."""
        if not self.by_hand:
            place.desk.acknowledge(self._now(place).id, actor="sato", roles=["analyst"])
        else:
            self._waits(
                "「対応を始める」を押すこと(どのインシデントでもよい)",
                "somebody to acknowledge any of the incidents",
            )
            taken = self._until("acknowledge", lambda: self._taken(place), _LONG)
            if taken.id != self._now(place).id:
                self._found(place, taken)
        when = self._until("acknowledge", lambda: self._now(place).acknowledged_at, _LONG)
        self._mark("acknowledge", self.at["notify"], when)

    def _taken(self, place: Opened) -> Incident | None:
        """The incident with a plan that somebody took first."""
        found = [one.read_as(Incident) for one in place.records.find("incident")]
        taken = [one for one in found if one.acknowledged_at and one.run_ids]
        return min(taken, key=lambda one: str(one.acknowledged_at), default=None)

    def _waits(self, ja: str, en: str) -> None:
        self.say(f"待っています: {ja} / waiting for: {en}")

    def _decided(self, place: Opened) -> None:
        """The first plan of the incident that is approved."""
        if not self.by_hand:
            run_id = self._until("approve", lambda: self._plan(place, "open"), _SOON)
            place.desk.approve(run_id, actor="suzuki", roles=["information_system_manager"], note=LABEL.ja)
        else:
            number = self._now(place).number
            self._waits(f"#{number} の計画の承認", f"the approval of a plan of #{number}")
        self.run_id = self._until("approve", lambda: self._plan(place, "approved"), _LONG)
        held = place.records.get(APPROVAL, self.run_id)
        assert held is not None
        self._mark("approve", self.at["acknowledge"], datetime.fromisoformat(held.body["at"]))

    def _draft(self, place: Opened) -> None:
        started = place.desk.clocks.start(
            self._now(place).id,
            "CISO-INTERNAL",
            self.at["detect"],
            f"{LABEL.ja}の想定",
            actor="sato",
            roles=["analyst"],
        )
        place.desk.reports.draft(started.id, actor="sato", roles=["analyst"])
        written = place.desk.reports.written(started.id, 1)
        (self.folder / "report-draft.docx").write_bytes(written.docx)
        (self.folder / "report-draft.pdf").write_bytes(written.pdf)

    def _until(self, stage: str, ready: Callable[[], Any], limit: float) -> Any:
        self.stage, deadline = stage, time.monotonic() + limit
        while time.monotonic() < deadline:
            if found := ready():
                return found
            time.sleep(0.2)
        words = STAGES[stage]
        raise HinomiError(
            f"訓練が「{words.ja}」まで進みませんでした。", f"the drill never came to: {words.en}"
        )

    def _mark(self, stage: str, since: datetime, now: datetime) -> None:
        self.at[stage] = now
        self.took[stage] = max(0.0, (now - since).total_seconds())
        words, took = STAGES[stage], self.took[stage]
        if not self.by_hand and stage in drill_report.BY_PEOPLE:
            self.say(f"{words.ja}: 代わりに行いました / {words.en}: done in people's place")
            return
        self.say(f"{words.ja}: {seconds(took, 'ja')} / {words.en}: {seconds(took, 'en')}")

    def _gravest(self, place: Opened) -> Incident | None:
        found = [one.read_as(Incident) for one in place.records.find("incident")]
        with_plan = [one for one in found if one.run_ids and one.grade >= 2]
        return max(with_plan, key=lambda one: one.grade, default=None)

    def _arrived(self, place: Opened, incident: Incident) -> datetime:
        """When the last of the lines that its first alert stands on was received."""
        held = [place.records.get("alert", one) for one in incident.alert_ids]
        first = min((one.read_as(Alert) for one in held if one), key=lambda one: one.detected)
        lines = place.events.get(first.event_ids, datasets=first.datasets)
        received = [moment for line in lines if (moment := line.get("event.created")) is not None]
        return max(received, default=self.at["began"])

    def _now(self, place: Opened) -> Incident:
        assert self.incident is not None
        held = place.records.get("incident", self.incident.id)
        now = held.read_as(Incident) if held else self.incident
        into = place.records.get("incident", str(now.fields.get("merged_into", "")))
        return into.read_as(Incident) if into else now

    def _told(self, place: Opened) -> list[tuple[datetime, Words, Words]]:
        """When, whom and of what, of this incident, the earliest first."""
        if self.incident is None:
            return []
        people, about = place.settings.respond.oncall.people, {self.incident.id, self._now(place).id}
        own = [
            one for one in place.records.find(NOTIFICATION, limit=10_000) if one.body["incident_id"] in about
        ]
        went = {one.body.get("into", one.id) for one in own}  # one that was folded went out as its digest
        sent = [
            held.body
            for one in went
            if (held := place.records.get(NOTIFICATION, one)) and "sent" in held.body
        ]
        told = [
            (datetime.fromisoformat(one["sent"]), people[one["person"]].name, _subject(one)) for one in sent
        ]
        return sorted(told, key=lambda one: one[0])

    def _plan(self, place: Opened, state: str) -> str:
        """The incident's first plan whose approval is in this state."""
        runs = self._now(place).run_ids
        return next((one for one in runs if self._state(place, APPROVAL, one) == state), "")

    def _state(self, place: Opened, kind: str, identity: str) -> str:
        held = place.records.get(kind, identity)
        return str(held.body["state"]) if held else ""

    def _report(self, place: Opened, stuck: str = "") -> Path:
        held = place.records.get(KIND, self.run_id) if self.run_id else None
        course = self.course = Course(
            began=self.at["began"],
            ended=self.clock.now(),
            by_hand=self.by_hand,
            at=self.at,
            took=self.took,
            incident=self._now(place) if self.incident else None,
            run=held.read_as(Run) if held else None,
            stuck=stuck,
            told=self._told(place),
            people=self.people,
            names={name: one.name for name, one in place.settings.respond.oncall.people.items()},
        )
        facts = {
            "took": self.took,
            "measured": sorted(course.measured),
            "at": self.at,
            "goals": GOALS,
            "by_hand": self.by_hand,
            "incident": course.incident.number if course.incident else None,
            "stuck": stuck,
        }
        (self.folder / "drill.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        self.report = drill_report.written(course, self.folder)
        return self.report


def _subject(message: Mapping[str, Any]) -> Words:
    return Words(str(message["subject"]), str(message.get("subject_en") or message["subject"]))
