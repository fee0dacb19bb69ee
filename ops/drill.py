"""A drill from end to end on a tower of its own: labelled logs of an invented attack go through the real transports, are
detected, somebody is called, a plan is approved and rehearsed (dry run), a report is drafted; each interval is measured.

Clause 5.2 of the guideline (研修・訓練) asks for drills; the drill report says what happened when, and what did not.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from hinomi.clock import JST, SystemClock
from hinomi.errors import HinomiError
from hinomi.incident import Incident
from ops.demo.clockwork import last_working_day
from ops.demo.scenario import Scenario
from ops.demo.sending import send_all
from ops.demo.tower import DemoTower
from ops.opened import Opened, opened
from responders.duties.docx import Row
from responders.duties.printed import pdf
from responders.playbooks.run import APPROVAL, KIND

_SOON, _LONG = 180.0, 3600.0
LABEL = "訓練"
GOALS = {"detect": 300, "notify": 60, "acknowledge": 900, "approve": 1800, "contain": 60, "draft": 3600}
"""Seconds: this tool's proposal for each interval; a city sets its own in its plan."""
NAMES = {
    "detect": "検知(最後の行を送ってから)",
    "notify": "通知(検知から)",
    "acknowledge": "確認の印(通知から)",
    "approve": "承認(確認から)",
    "contain": "封じ込めの予行(承認から)",
    "draft": "報告の下書き(確認から)",
}


@dataclass(slots=True)
class Drill:
    """by_hand: people acknowledge and approve in the console; else the drill does it in their place."""

    folder: Path
    by_hand: bool = False
    scale: float = 0.02
    say: Callable[[str], None] = print
    times: dict[str, datetime] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    number: int = 0

    def run(self) -> Path:
        """Carry it out; returns the report's PDF. Raises HinomiError naming the stage that did not come."""
        clock = SystemClock()
        day = last_working_day((clock.now().astimezone(JST) - timedelta(days=1)).date())
        manifest = Scenario(day, seed=7, scale=self.scale).write(self.folder / "city")
        tower = DemoTower(self.folder, manifest)
        tower.configure()
        self._label(tower)
        try:
            tower.start()
            with opened(tower.data, config=tower.config) as place:
                self._people(place)
                send_all(tower)
                self.times["sent"] = clock.now()
                self._course(place, clock)
        finally:
            tower.stop()
        return self._report(clock.now())

    def _label(self, tower: DemoTower) -> None:
        """Every message of a drill says that it is one."""
        settings = yaml.safe_load(tower.config.read_text(encoding="utf-8"))
        settings["respond"]["notify"]["label"] = LABEL
        tower.config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")

    def _people(self, place: Opened) -> None:
        for name, roles in (("sato", ["analyst"]), ("suzuki", ["information_system_manager"])):
            body = {"name": name, "roles": roles, "disabled": False}
            if place.records.get("user", name) is None:
                place.records.put("user", name, body)

    def _course(self, place: Opened, clock: SystemClock) -> None:
        incident = self._until("detect", lambda: self._gravest(place), _SOON)
        self._mark("detect", "sent", clock.now())
        self.number = incident.number
        self._until("notify", lambda: self._told(place, incident), _SOON)
        self._mark("notify", "detect", clock.now())
        if not self.by_hand:
            place.desk.acknowledge(incident.id, actor="sato", roles=["analyst"])
        self._until("acknowledge", lambda: self._now(place, incident).acknowledged_by, _LONG)
        self._mark("acknowledge", "notify", clock.now())
        run_id = self._until("plan", lambda: self._plan(place, incident), _SOON)
        if not self.by_hand:
            place.desk.approve(run_id, actor="suzuki", roles=["information_system_manager"], note=LABEL)
        self._until("approve", lambda: self._state(place, APPROVAL, run_id) != "open", _LONG)
        self._mark("approve", "acknowledge", clock.now())
        self._until("contain", lambda: self._state(place, KIND, run_id) in ("done", "failed"), _SOON)
        self._mark("contain", "approve", clock.now())
        started = place.desk.clocks.start(
            incident.id,
            "CISO-INTERNAL",
            self.times["detect"],
            f"{LABEL}の想定",
            actor="sato",
            roles=["analyst"],
        )
        place.desk.reports.draft(started.id, actor="sato", roles=["analyst"])
        written = place.desk.reports.written(started.id, 1)
        (self.folder / "report-draft.docx").write_bytes(written.docx)
        (self.folder / "report-draft.pdf").write_bytes(written.pdf)
        self._mark("draft", "acknowledge", clock.now())

    def _until(self, stage: str, ready: Callable[[], Any], limit: float) -> Any:
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if found := ready():
                return found
            time.sleep(0.2)
        raise HinomiError(
            f"訓練が「{NAMES.get(stage, stage)}」まで進みませんでした。", f"the drill never came to: {stage}"
        )

    def _mark(self, stage: str, since: str, now: datetime) -> None:
        self.times[stage] = now
        self.took[stage] = (now - self.times[since]).total_seconds()
        self.say(f"{NAMES[stage]}: {self.took[stage]:.1f} 秒")

    def _gravest(self, place: Opened) -> Incident | None:
        found = [one.read_as(Incident) for one in place.records.find("incident")]
        with_plan = [one for one in found if one.run_ids and one.grade >= 2]
        return max(with_plan, key=lambda one: one.grade, default=None)

    def _now(self, place: Opened, incident: Incident) -> Incident:
        held = place.records.get("incident", incident.id)
        now = held.read_as(Incident) if held else incident
        into = place.records.get("incident", str(now.fields.get("merged_into", "")))
        return into.read_as(Incident) if into else now

    def _told(self, place: Opened, incident: Incident) -> bool:
        now = self._now(place, incident)
        about = {incident.id, now.id}
        return any(
            one.body["incident_id"] in about or one.body.get("members")
            for one in place.records.find("notification", {"state": "sent"})
        )

    def _plan(self, place: Opened, incident: Incident) -> str:
        for run_id in self._now(place, incident).run_ids:
            if (
                self._state(place, KIND, run_id) == "proposed"
                and self._state(place, APPROVAL, run_id) == "open"
            ):
                return run_id
        return ""

    def _state(self, place: Opened, kind: str, identity: str) -> str:
        held = place.records.get(kind, identity)
        return str(held.body["state"]) if held else ""

    def _report(self, now: datetime) -> Path:
        rows = [
            Row(
                NAMES[stage],
                f"{self.took[stage]:.1f} 秒(目安 {GOALS[stage]} 秒){'' if self.took[stage] <= GOALS[stage] else ' 目安を超過'}",
                self.took[stage] > GOALS[stage],
            )
            for stage in GOALS
        ]
        rows += [
            Row("想定", "VPN パスワードスプレーから LGWAN 接続系への到達(架空の市の1日分のログ)"),
            Row("確認・承認をした人", "職員(画面から)" if self.by_hand else "自動(人の時間は測っていません)"),
            Row("参加者・気付いたこと・改善すること", "【要記入】", blank=True),
        ]
        lead = [
            f"{now.astimezone(JST):%Y年%m月%d日 %H:%M} 実施 インシデント #{self.number}",
            "根拠: 総務省ガイドライン 対策基準 5.2 研修・訓練。目安は本ツールの提案です。",
        ]
        facts = {"took": self.took, "goals": GOALS, "by_hand": self.by_hand, "incident": self.number}
        (self.folder / "drill.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
        path = self.folder / "drill-report.pdf"
        path.write_bytes(
            pdf("訓練報告書", lead, rows, made=now, footer="火の見 訓練報告書", head=("段階", "かかった時間"))
        )
        return path
