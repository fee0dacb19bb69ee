"""Act first, approve later: one endpoint, at night, by a permitted responder; confirmed in time, or put back and said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hinomi.clock import JST
from hinomi.errors import HinomiError, InputError, Refused
from hinomi.incident import Status
from responders.playbooks import authority
from responders.playbooks.permits import FIRST
from responders.playbooks.playbook import Playbook, lint
from responders.playbooks.run import RunState, RunStep, StepState
from tests.responders.city import ANALYST, MANAGER
from tests.responders.playbooks.stage import ENTITIES, HEAD, Broken, Scene, incident, scene, written
from tests.responders.playbooks.test_crashes import Deaths, surviving

ISOLATE = (
    "  - evidence: {of: [host.name]}\n"
    "  - {task_ja: 電源を切らない, task_en: leave it on}\n"
    "  - {act: endpoint.isolate, value: host.name, act_first: {confirm_within_hours: 2}}\n"
)
DONE = [("endpoint.isolate", "pc-114")]


def night(folder: Path, steps: str = ISOLATE, *, permitted: bool = True, **more: object) -> Scene:
    """A run at 03:14 that waits for its approval; sato may act first for a week."""
    on = scene(folder, written(folder, steps), **more)  # type: ignore[arg-type]
    if permitted:
        now = on.clock.now()
        on.desk.acting_first.permit(
            "sato", now, now + timedelta(days=7), "夜間当番", actor="suzuki", roles=MANAGER
        )
    return on


def first(on: Scene, actor: str = "sato", index: int = 2) -> None:
    on.desk.acting_first.act(on.run_id, index, "拡散を止める", actor=actor, roles=ANALYST)


def isolation(on: Scene) -> RunStep:
    return on.step("endpoint.isolate")


def entries(on: Scene, action: str) -> list[tuple[str, dict[str, object]]]:
    found = on.runs.records.find("audit", {"action": f"playbook.{action}"})
    return [(one.body["actor"], one.body["details"]) for one in found]


def told(on: Scene) -> list[str]:
    """One round; what the timeline would say."""
    return [words.ja for _, words in on.runs.tick()]


def test_done_at_once_and_confirmed(tmp_path: Path) -> None:
    """Evidence first, then the act in the responder's name before any approval; the approval confirms, nothing is redone."""
    on = night(tmp_path)
    first(on)
    assert on.stage.acts == [], "the desk records, it does not act"
    [words] = told(on)
    assert "sato さんが承認の前に" in words and "11/20 05:14 までに承認がなければ元に戻します" in words
    assert on.run.state is RunState.PROPOSED and on.stage.acts == DONE and on.kept == ["evidence", "tell"]
    assert isolation(on).by == ["sato"] and [who for who, _ in entries(on, "act.endpoint.isolate")] == [
        "sato"
    ]
    on.approve()
    on.tick(119)
    assert on.run.state is RunState.DONE and on.stage.acts == DONE and isolation(on).state is StepState.DONE
    assert entries(on, "act_first_confirmed") == [("suzuki", {"step": 2, "first_by": "sato"})]
    on.tick(10 * 60)
    assert on.stage.done == set(DONE) and on.runs.audit.verify() == []
    on.desk.undo(on.run_id, actor="suzuki", roles=MANAGER)
    assert on.tick().state is RunState.UNDONE and on.stage.done == set()


def test_not_confirmed_it_is_put_back_and_said(tmp_path: Path) -> None:
    """After so many hours the machine is free again; the plan still waits, and approved later it is done in the usual way."""
    on = night(tmp_path)
    first(on)
    on.tick()
    on.tick(119)
    assert on.stage.done == set(DONE)
    on.clock.advance(timedelta(minutes=1))
    words = told(on) + told(on)
    assert any("時間内の承認がなかったため、元に戻しました" in one for one in words), words
    assert on.stage.done == set() and on.run.state is RunState.PROPOSED
    assert isolation(on).state is StepState.PLANNED and isolation(on).before == {}
    lapsed = {"step": 2, "first_by": "sato", "why": "not_confirmed", "put_back": True}
    assert entries(on, "act_first_lapsed") == [("hinomi", lapsed)]
    with pytest.raises(Refused, match="既に一度"):
        first(on)
    on.approve()
    assert on.tick().state is RunState.DONE and on.stage.acts == DONE * 2


@pytest.mark.parametrize("state", [RunState.DENIED, RunState.WITHDRAWN])
def test_denied_or_withdrawn_it_is_put_back(tmp_path: Path, state: RunState) -> None:
    """The approver says no, or the incident is closed: put back at once, said, and the run is over."""
    on = night(tmp_path)
    first(on)
    on.tick()
    if state is RunState.DENIED:
        on.desk.deny(on.run_id, actor="suzuki", roles=MANAGER)
    else:
        closed = incident([]).model_copy(update={"status": Status.CLOSED})
        on.runs.records.put("incident", "incident-1", closed.model_dump(mode="json"))
    words = told(on)
    assert on.run.state is state and on.stage.done == set() and isolation(on).state is StepState.UNDONE
    assert any("元に戻しました" in one for one in words)
    assert entries(on, "act_first_lapsed")[0][1]["why"] == state.value and on.runs.audit.verify() == []


def at_noon(on: Scene) -> None:
    on.clock.advance(datetime(2026, 11, 20, 12, tzinfo=JST) - on.clock.now())
    first(on)


def twice(on: Scene) -> None:
    first(on)
    on.tick()
    on.runs.records.put(FIRST, "other", {})
    first(on)


def stopped(on: Scene) -> None:
    on.desk.automation.stop("疑い", actor="sato", roles=ANALYST)
    first(on)


def paused(on: Scene) -> None:
    later = on.runs.settings.model_copy(
        update={"paused": True}
    )  # by the configuration, after the plan was made
    on.desk = replace(on.desk, playbooks=later)
    first(on)


def old_page(on: Scene) -> None:
    on.desk.acting_first.act(on.run_id, 2, "急ぎ", actor="sato", roles=ANALYST, plan="yesterday's")


def over(on: Scene) -> None:
    on.clock.advance(timedelta(days=8))
    first(on)


def giver_left(on: Scene) -> None:
    on.runs.records.put("user", "suzuki", {"name": "suzuki", "roles": MANAGER, "disabled": True})
    first(on)


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        (lambda on: on.desk.acting_first.act(on.run_id, 2, "x", actor="v", roles=["viewer"]), "role"),
        (lambda on: first(on, "boss1"), "no_permit"),
        (over, "no_permit"),
        (giver_left, "no_permit"),
        (lambda on: first(on, index=1), "not_marked"),
        (lambda on: first(on, index=99), "not_marked"),
        (at_noon, "office_hours"),
        (stopped, "stopped"),
        (paused, "stopped"),
        (old_page, "plan_changed"),
        (twice, "not_marked"),
    ],
)
def test_refused(tmp_path: Path, attack: Callable[[Scene], None], why: str) -> None:
    """In words, in the audit log with who, what and why; nothing more is done than was allowed."""
    on = night(tmp_path)
    with pytest.raises(Refused) as refused:
        attack(on)
    assert isinstance(refused.value, HinomiError) and refused.value.ja and refused.value.en
    last = on.runs.records.last("audit")
    assert last is not None and last.body["action"] == "playbook.act_first.refused"
    assert (last.body["target"], last.body["details"]) == (on.run_id, {"why": why})
    acts = list(on.stage.acts)
    on.tick()
    assert on.stage.acts == acts and on.runs.audit.verify() == []


@pytest.mark.parametrize("typed", ["boss1", "BOSS1"])
def test_who_acted_first_does_not_confirm(tmp_path: Path, typed: str) -> None:
    """Four eyes: a manager on duty alone may act first, another one confirms; in capitals it is the same person."""
    on = night(tmp_path, permitted=False)
    now = on.clock.now()
    on.desk.acting_first.permit("boss1", now, now + timedelta(days=1), "夜間", actor="suzuki", roles=MANAGER)
    on.desk.acting_first.act(on.run_id, 2, "急ぎ", actor="boss1", roles=MANAGER)
    on.tick()
    with pytest.raises(Refused, match="先に行った本人"):
        on.approve(typed)
    assert entries(on, "approved.refused") == [(typed, {"why": "acted_first"})]
    on.approve("suzuki")
    assert on.tick().state is RunState.DONE


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"entry": "000000000001"}, "forged"),
        ({"by": "boss1"}, "forged"),
        ({"at": "2026-11-19T10:00:00+00:00"}, "too_old"),
    ],
)
def test_a_decision_that_nobody_made(tmp_path: Path, change: dict[str, str], why: str) -> None:
    """Written past the desk, or found by a tower that was down for hours: void, and the log says whose it claims to be."""
    on = night(tmp_path)
    first(on)
    held = on.runs.records.get(FIRST, f"{on.run_id}.2")
    assert held is not None
    on.runs.records.put(FIRST, held.id, {**held.body, **change})
    on.tick()
    assert on.stage.acts == []
    assert entries(on, "act_first_void") == [
        ("hinomi", {"step": 2, "by": change.get("by", "sato"), "why": why})
    ]


@pytest.mark.parametrize("settings", [{"armed": []}, {"protected": ["pc-114"]}])
def test_not_armed_or_protected(tmp_path: Path, settings: dict[str, list[str]]) -> None:
    """A playbook that is not armed and a protected machine are left to the approver, as ever."""
    on = night(tmp_path, settings=settings)
    with pytest.raises(Refused):
        first(on)
    on.tick()
    assert on.stage.acts == []


def test_two_machines_are_not_one_endpoint(tmp_path: Path) -> None:
    """Where the plan names two, nothing comes before the approval."""
    on = night(tmp_path, entities={**ENTITIES, "host.name": ["pc-114", "pc-115"]})
    assert [step.first_hours for step in on.run.acts] == [None, None]
    with pytest.raises(Refused, match="承認の前には行えません"):
        first(on)


def test_a_machine_that_does_not_answer(tmp_path: Path) -> None:
    """Tried as often as the plan says, then given up and said; nothing stands, and the plan can still be approved."""
    on = night(tmp_path, stage=Broken(down={"endpoint.isolate"}))
    first(on)
    words: list[str] = []
    for _ in range(10):
        on.clock.advance(timedelta(minutes=2))
        words += told(on)
    assert any("先に行う操作ができなかったため" in one for one in words), words
    assert on.run.state is RunState.PROPOSED and isolation(on).state is StepState.PLANNED
    assert entries(on, "act_first_lapsed")[0][1]["why"] == "failed"


@pytest.mark.parametrize("hours", [11, 13])
def test_begun_and_answered_half_a_day_later(tmp_path: Path, hours: int) -> None:
    """The machine did not answer at night and does at noon: carried to its end within twelve hours of the decision, as an approval would
    be; after that what may have been changed is put back, said, and left to the approver."""
    on = night(tmp_path, stage=Broken(down={"endpoint.isolate"}))
    first(on)
    on.tick()
    assert isolation(on).state is StepState.STARTED
    on.stage.down = set()
    on.clock.advance(timedelta(hours=hours))
    words = told(on) + told(on)
    if hours < 12:
        assert on.stage.acts == DONE and isolation(on).state is StepState.DONE
        return
    assert on.stage.acts == [] and isolation(on).state is StepState.PLANNED
    assert any("元に戻しました" in one for one in words), words
    lapsed = {"step": 2, "first_by": "sato", "why": "not_confirmed", "put_back": True}
    assert entries(on, "act_first_lapsed") == [("hinomi", lapsed)]
    on.approve()
    assert on.tick().state is RunState.DONE and on.stage.acts == DONE


def test_a_plan_that_grows_stays_as_it_was_once_somebody_acted(tmp_path: Path) -> None:
    """What the machine looked like before must not be lost with the old plan."""
    on = night(tmp_path)
    first(on)
    on.tick()
    grown = on.run.model_copy(
        update={
            "impact_ja": "もっと",
            "steps": [*on.run.steps, on.run.steps[-1].model_copy(update={"index": 3})],
        }
    )
    assert on.runs.propose(grown).plan_hash == on.run.plan_hash
    assert isolation(on).state is StepState.DONE and isolation(on).before == {"was": False}


@pytest.mark.parametrize("end", ["confirmed", "lapsed"])
def test_killed_at_any_write(tmp_path: Path, end: str) -> None:
    """The process dies before or after each write on the way: isolated once, and confirmed it stands, else it does not."""
    for at in range(1, 60):
        folder = tmp_path / str(at)
        folder.mkdir()
        on = night(folder)
        first(on)
        deaths = Deaths(on, {at})
        surviving(on.tick)
        surviving(on.tick)
        if end == "confirmed":
            deaths_over(on, deaths, lambda on=on: on.approve())  # type: ignore[misc]
        else:
            on.clock.advance(timedelta(hours=3))
        for _ in range(4):
            surviving(on.tick)
        deaths.over()
        for _ in range(4):
            on.tick(1)
        assert on.stage.acts == DONE, at
        if end == "confirmed":
            assert on.run.state is RunState.DONE and on.stage.done == set(DONE), at
        else:
            assert on.run.state is RunState.PROPOSED and on.stage.done == set(), at
            assert isolation(on).state is StepState.PLANNED, at
        assert on.runs.audit.verify() == []
        if deaths.places:
            assert at > 10, "the campaign went through the whole way"
            return


def deaths_over(on: Scene, deaths: Deaths, act: Callable[[], None]) -> None:
    """A person's own write is not what dies here."""
    dying = on.runs.records.put
    deaths.over()
    act()
    on.runs.records.put = dying  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (
            ISOLATE.replace("endpoint.isolate", "directory.disable_account").replace(
                "host.name, act", "user.name, act"
            ),
            12,
        ),
        (
            "  - evidence: {of: [host.name]}\n  - {task_ja: 待つ, wait: true}\n"
            + ISOLATE.splitlines()[2]
            + "\n",
            12,
        ),
        (ISOLATE.replace("value: host.name,", "value: host.name, undo: false,"), 12),
        (ISOLATE.replace("value: host.name,", "value: host.name, verify: false,"), 12),
        (ISOLATE.replace("hours: 2", "hours: 25"), 12),
        (ISOLATE.replace("hours: 2", "hours: 2, x: 1"), 12),
        ("  - {task_ja: x, act_first: {confirm_within_hours: 1}}\n", 10),
    ],
)
def test_the_linter(tmp_path: Path, steps: str, line: int) -> None:
    """Only on what reaches one endpoint, can be undone, is verified, and has nothing before it that waits."""
    (tmp_path / "tried.yml").write_text(HEAD + "steps:\n" + steps, encoding="utf-8")
    [problem] = lint(tmp_path)
    assert problem.where is not None and problem.where.line == line, str(problem)


def test_the_most_hours_are_those_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lowers the figure in authority.yaml has the playbooks that exceed it named."""
    (tmp_path / "tried.yml").write_text(HEAD + "steps:\n" + ISOLATE, encoding="utf-8")
    assert not lint(tmp_path)
    monkeypatch.setattr(authority, "first_most_hours", lambda: 1)
    [problem] = lint(tmp_path)
    assert "1 時間以内" in str(problem)


def test_permits(tmp_path: Path) -> None:
    """An office holder gives them in writing, for a quarter at most, to who works on incidents; any of them ends one."""
    on = night(tmp_path, permitted=False)
    now, desk = on.clock.now(), on.desk.acting_first
    for actor, roles in (("sato", ANALYST), ("sato", MANAGER)):
        with pytest.raises(Refused):
            desk.permit("sato", now, now + timedelta(days=1), "x", actor=actor, roles=roles)
    for taker, days, reason in (("nobody", 1, "x"), ("sato", 93, "x"), ("sato", -1, "x"), ("sato", 1, " ")):
        with pytest.raises(InputError):
            desk.permit(taker, now, now + timedelta(days=days), reason, actor="suzuki", roles=MANAGER)
    permit = desk.permit("sato", now, now + timedelta(days=1), "夜間当番", actor="suzuki", roles=MANAGER)
    assert desk.why_not(on.run, 2, "sato") == ""
    desk.end_permit(permit.id, actor="boss1", roles=MANAGER)
    assert desk.why_not(on.run, 2, "sato") == "no_permit"
    assert "first_permit" in on.audit() and "first_permit.end" in on.audit()


def test_ours_are_marked() -> None:
    """The playbooks that come with Hinomi let one machine be isolated first, for twelve hours."""
    from responders.playbooks.playbook import catalogue

    marked: dict[str, Playbook] = {
        name: one for name, one in catalogue().items() if any(step.act_first for step in one.acts)
    }
    assert set(marked) == {"isolate_endpoint", "malware_endpoint"}
