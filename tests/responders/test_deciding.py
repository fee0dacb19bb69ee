"""Who decides is called when a plan or a gate waits for them: once, reminded, then with the office above; nobody else is woken."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responders.deciding import Stage, stage
from responders.desk import Desk
from responders.playbooks.approvals import whole
from responders.playbooks.run import APPROVAL, KIND, Run
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder
from tests.responders.playbooks.stage import HEAD, Broken, written

CISO = ["ciso"]
PEOPLE: dict[str, dict[str, Any]] = {
    "sato": {"name_ja": "佐藤", "channels": ["desk"]},
    "suzuki": {"name_ja": "鈴木", "channels": ["desk"], "office": "information_system_manager"},
    "chief": {"name_ja": "統括", "channels": ["desk"], "office": "chief_information_security_manager"},
    "mori": {"name_ja": "副市長", "channels": ["desk"], "office": "ciso"},
    "kudo": {"name_ja": "工藤", "channels": ["desk"]},
}
KEEP = "  - evidence: {of: [user.name]}\n"
GATE = "  - approve: {who: %s, people: %d, within_minutes: 30, shows_ja: 切り離します, shows_en: cut off}\n"
CUT = "  - {act: endpoint.isolate, value: host.name}\n"


class Tower:
    """A tower with the playbook, armed, over targets in memory, and an incident that it is proposed for."""

    def __init__(self, folder: Path, steps: str, *, on_call: str = "sato", **more: Any) -> None:
        self.folder, books = folder, folder / "books"
        books.mkdir()
        written(books, steps, HEAD)
        rota = {"people": PEOPLE, "layers": [{"people": [on_call]}], **more.pop("oncall", {})}
        own = {"armed": ["tried"], "folders": [str(books)]}
        self.tower, self.clock = responder(folder, oncall=rota, playbooks=own, **more)
        targets = Broken()
        self.tower.runs.world = replace(self.tower.runs.world, connectors=lambda action, on: targets)
        for name, roles in (("kudo", ANALYST), ("chief", ["chief_information_security_manager"])):
            self.tower.records.put("user", name, {"name": name, "roles": roles, "disabled": False})
        about = {"host.name": ["pc-1"], "user.name": ["t.yamada"]}
        [self.incident] = self.tower.receive([alert(playbook="tried", entities=about)])
        [held] = self.tower.records.find(KIND)
        self.run_id = held.id

    @property
    def desk(self) -> Desk:
        """Where people decide."""
        return desk(self.tower.records, self.clock, KEY)

    def later(self, minutes: int) -> None:
        """A round each minute."""
        for _ in range(minutes):
            self.clock.advance(timedelta(minutes=1))
            self.tower.tick()

    def at_the_gate(self) -> None:
        """The plan is approved by the manager, the gate asked."""
        self.desk.acknowledge(self.incident.id, actor="sato", roles=ANALYST)
        self.later(2)
        self.desk.approve(self.run_id, actor="suzuki", roles=MANAGER)
        self.tower.tick()

    def sent(self, words: str) -> list[dict[str, Any]]:
        """Messages with these words in the subject that went out, in order."""
        held = self.tower.records.find("notification", {"state": "sent"}, order="sent", limit=1000)
        return [one.body for one in held if words in one.body["subject"]]

    def told(self, words: str) -> list[str]:
        """Who got them."""
        return [one["person"] for one in self.sent(words)]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, Stage("asked")),
        (19, Stage("asked")),
        (20, Stage("soon")),
        (29, Stage("soon")),
        (30, Stage("again", 1)),
        (59, Stage("again", 1)),
        (60, Stage("again", 2)),
        (119, Stage("again", 2)),
        (120, Stage("again", 3)),
        (24 * 60, Stage("again", 6)),
        (-5, Stage("asked")),
    ],
)
def test_how_far_a_request_has_waited(minutes: int, expected: Stage) -> None:
    """For one of half an hour; later and later, so that it neither rings without end nor falls silent. A clock that was set back
    begins anew."""
    assert stage(NIGHT, timedelta(minutes=30), NIGHT + timedelta(minutes=minutes)) == expected


def test_a_gate_calls_who_holds_its_office(tmp_path: Path) -> None:
    """For two hours: the CISO, once at first, once before the half hour is over, and when it passed; nobody who may not decide."""
    on = Tower(tmp_path, KEEP + GATE % ("ciso", 1) + CUT)
    on.at_the_gate()
    on.later(2)
    assert on.told("承認のお願い") == ["suzuki", "mori"]  # the plan's, then the gate's
    said = on.sent("承認のお願い")[-1]["text"]
    assert "決めること: 切り離します" in said and "決める人: CISO" in said and "画面を開き" in said
    assert f"#{on.incident.number}" in said and "To decide: cut off" in said
    on.later(120)
    assert on.told("承認の期限が近づいています") == ["mori"]
    assert on.told("承認がないまま期限を過ぎました") == ["mori"] * 3


def test_nobody_answers_the_office_above_is_called_too(tmp_path: Path) -> None:
    """The chief of information security at first, and the CISO with them once the time is over."""
    on = Tower(tmp_path, KEEP + GATE % ("chief_information_security_manager", 1) + CUT)
    on.at_the_gate()
    on.later(29)
    assert on.told("承認のお願い")[1:] == ["chief"] and "mori" not in on.told("承認")
    on.later(3)
    assert sorted(on.told("過ぎました")) == ["chief", "mori"]


def test_who_has_it_in_hand_and_may_decide_wakes_nobody(tmp_path: Path) -> None:
    """The manager is on call: the plan is theirs, and they were told of it when they were called. The gate is told to them alone."""
    on = Tower(tmp_path, KEEP + GATE % ("information_system_manager", 1) + CUT, on_call="suzuki")
    on.later(2)
    assert on.told("承認のお願い") == []
    on.at_the_gate()
    on.later(2)
    assert on.told("承認のお願い") == ["suzuki"]


def test_a_plan_that_comes_after_somebody_took_it_calls_who_decides(tmp_path: Path) -> None:
    """An analyst took the incident; a second machine brings a plan of its own: the manager on call was never called for that."""
    on = Tower(tmp_path, KEEP + CUT, on_call="suzuki")
    on.desk.acknowledge(on.incident.id, actor="sato", roles=ANALYST)
    on.desk.approve(on.run_id, actor="chief", roles=["chief_information_security_manager"])
    on.later(3)
    assert on.told("承認のお願い") == []
    about = {"host.name": ["pc-2"], "user.name": ["t.yamada"]}
    on.tower.receive([alert("b", playbook="tried", entities=about, at=on.clock.now())])
    on.later(3)
    assert on.told("承認のお願い") == ["suzuki"]


def test_who_stands_in_for_the_office_is_called(tmp_path: Path) -> None:
    """The CISO has lent the office to an analyst: both are called, and the analyst alone may be the second of two."""
    on = Tower(tmp_path, KEEP + GATE % ("ciso", 2) + CUT)
    start, end = on.clock.now(), on.clock.now() + timedelta(days=2)
    on.desk.automation.delegate("kudo", start, end, "出張", actor="mori", roles=CISO)
    on.at_the_gate()
    on.later(2)
    assert sorted(on.told("承認のお願い")[1:]) == ["kudo", "mori"]
    on.desk.approve(f"{on.run_id}.1", actor="mori", roles=CISO)
    on.later(20)
    assert on.told("承認の期限が近づいています") == ["kudo"], "who has approved is not asked again"


def test_a_dry_run_calls_nobody_and_quiet_hours_hold(tmp_path: Path) -> None:
    """Approving a dry run stops nothing. In quiet hours a request waits for their end, and is then told as far as it has come."""
    dry, quiet = tmp_path / "dry", tmp_path / "quiet"
    for folder in (dry, quiet):
        folder.mkdir()
    on = Tower(dry, KEEP + GATE % ("ciso", 1) + CUT)
    held = on.tower.records.get(APPROVAL, on.run_id)
    assert held is not None
    on.tower.records.put(APPROVAL, on.run_id, {**held.body, "dry_run": True})
    on.later(20)
    assert on.told("承認") == []
    on = Tower(quiet, KEEP + CUT, oncall={"quiet": [{"start": "22:00", "end": "04:00", "grades": [2]}]})
    on.later(40)  # 03:54
    assert on.told("承認") == []
    on.later(10)
    assert on.told("過ぎました"), "told when the hours end"


def test_what_was_decided_before_it_went_is_told_to_nobody(tmp_path: Path) -> None:
    """The limit of the hour held the message back until the CISO had decided of their own accord."""
    on = Tower(tmp_path, KEEP + GATE % ("ciso", 1) + CUT)
    on.at_the_gate()
    on.tower.outbox.settings = on.tower.outbox.settings.model_copy(update={"an_hour": 0})
    on.later(2)
    waiting = [
        one for one in on.tower.records.find("notification", {"state": "planned"}) if one.body["decides"]
    ]
    assert waiting and on.told("承認のお願い") == ["suzuki"]
    on.desk.approve(f"{on.run_id}.1", actor="mori", roles=CISO)
    on.tower.outbox.settings = on.tower.outbox.settings.model_copy(update={"an_hour": 60})
    on.later(70)
    after = on.tower.records.get("notification", waiting[0].id)
    assert after is not None and after.body["state"] == "moot" and on.told("承認のお願い") == ["suzuki"]


def test_after_a_crash_nobody_is_called_twice(tmp_path: Path) -> None:
    """A process that knows nothing but the records looks at the same requests: no further message, and none is lost."""
    on = Tower(tmp_path, KEEP + GATE % ("ciso", 1) + CUT)
    on.at_the_gate()
    on.later(2)
    before = len(messages(tmp_path))
    again = Responder.of(on.tower.records, on.clock, on.tower.settings, KEY)
    again.runs.world = on.tower.runs.world
    again.start()
    again.tick()
    on.clock.advance(timedelta(minutes=1))
    again.tick()
    assert len(messages(tmp_path)) == before


def test_an_office_without_a_contact(tmp_path: Path) -> None:
    """Whoever is on call is told that the decision must be asked for by telephone."""
    people: Mapping[str, Any] = {"sato": PEOPLE["sato"]}
    on = Tower(tmp_path, KEEP + CUT, oncall={"people": people})
    on.later(2)
    [said] = on.sent("承認のお願い")
    assert said["person"] == "sato" and "情報システム管理者の連絡先がありません" in said["text"]


def test_the_question_is_the_same_until_somebody_decides(tmp_path: Path) -> None:
    """Put once more as its time was over it waits since it was first put; put anew after the incident was opened again it does not."""
    on = Tower(tmp_path, KEEP + CUT)
    asked = on.tower.records.get(APPROVAL, on.run_id)
    assert asked is not None
    on.later(35)
    again = on.tower.records.get(APPROVAL, on.run_id)
    assert again is not None and again.body["since"] == asked.body["since"]
    assert again.body["expires"] > asked.body["expires"]
    assert asked.body["minutes"] == 30


@pytest.mark.parametrize("dry", [False, True])
def test_a_request_of_a_release_before_calls_as_any_other(tmp_path: Path, dry: bool) -> None:
    """It says nothing of its run: what that says holds, the time that it waited already, too. A rehearsal calls nobody."""
    on = Tower(tmp_path, KEEP + CUT)
    run, asked = on.tower.records.get(KIND, on.run_id), on.tower.records.get(APPROVAL, on.run_id)
    assert run is not None and asked is not None
    later = {"dry_run", "since", "minutes", "renewed"}
    old = {name: value for name, value in asked.body.items() if name not in later}
    on.tower.records.put(KIND, on.run_id, {**run.body, "dry_run": dry})
    on.tower.records.put(APPROVAL, on.run_id, old)
    assert dry or whole(old, run.read_as(Run)) == asked.body
    on.clock.advance(timedelta(minutes=21))
    on.tower.calling.deciding.look(on.clock.now())
    on.tower.outbox.deliver()
    assert on.told("承認の期限が近づいています") == ([] if dry else ["suzuki"])


def test_what_was_told_is_read_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The minute behind it costs one search for what is open, however many wait: neither runs nor incidents are read."""
    on = Tower(tmp_path, KEEP + CUT)
    on.later(3)
    assert on.told("承認のお願い") or on.tower.records.find(APPROVAL, {"state": "open"})
    on.tower.calling.deciding.look(on.clock.now())
    read: list[str] = []
    get = on.tower.records.get
    monkeypatch.setattr(
        on.tower.records, "get", lambda kind, identity: read.append(kind) or get(kind, identity)
    )
    on.tower.calling.deciding.look(on.clock.now() + timedelta(minutes=1))
    assert read == []
