"""Alerts that become an incident of their own: its plan and its calls, what is left behind, and requests that cannot be met."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hinomi.clock import FixedClock
from hinomi.incident import Incident, Verdict
from hinomi.store import Record
from responders.connectors.protocol import Done
from responders.desk import Desk
from responders.incidents import casefile, splitting
from responders.playbooks.apart import planned_anew
from responders.playbooks.run import KIND, Run, RunState
from responders.playbooks.world import World
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, alert, messages, responder
from tests.responders.playbooks.stage import Broken

SATO = {"actor": "sato", "roles": ANALYST}
BOOK = "rpa_misuse"


class City:
    """A tower, and one incident about several people who came from one address."""

    def __init__(self, folder: Path, *people: str, book: str = BOOK, armed: Sequence[str] = ()) -> None:
        self.tower: Responder
        self.clock: FixedClock
        self.tower, self.clock = responder(folder, playbooks={"armed": armed})
        self.desk: Desk = desk(self.tower.records, self.clock, KEY)
        for name in people:
            found = {"user.name": [name], "source.ip": ["203.0.113.66"]}
            self.tower.receive([alert(name, entities=found, playbook=book)])

    def home(self) -> Incident:
        return casefile.numbered(self.tower.records, 1)

    def open(self) -> list[Incident]:
        found = self.tower.records.find("incident", {"status": casefile.OPEN}, order="number")
        return [one.read_as(Incident) for one in found]

    def ask(self, *people: str) -> Record:
        return self.desk.cases.split(self.home().id, [f"{one}-0" for one in people], "別の件", **SATO)

    def runs(self, incident: Incident) -> list[Run]:
        found = (self.tower.records.get(KIND, one) for one in incident.run_ids)
        return [one.read_as(Run) for one in found if one is not None]

    def state(self, asked: Record) -> str:
        held = self.tower.records.get(splitting.KIND, asked.id)
        assert held is not None
        return str(held.body["state"])


def accounts(run: Run) -> set[str]:
    return {step.values["account"] for step in run.acts if "account" in step.values}


def test_both_are_planned_for_and_called_about(tmp_path: Path) -> None:
    """The one that was split off has a plan for its account and calls; the waiting plan of the other names it no more."""
    city = City(tmp_path, "u1", "u2")
    city.clock.advance(timedelta(minutes=2))
    city.tower.tick()
    before = len(messages(tmp_path))
    assert [accounts(run) for run in city.runs(city.home())] == [{"u1", "u2"}]
    city.ask("u2")
    city.tower.tick()
    city.clock.advance(timedelta(minutes=2))
    city.tower.tick()
    one, two = city.open()
    assert [(accounts(run), run.state) for run in city.runs(one)] == [({"u1"}, RunState.PROPOSED)]
    assert [(accounts(run), run.state) for run in city.runs(two)] == [({"u2"}, RunState.PROPOSED)]
    assert len(messages(tmp_path)) > before and any("#2" in text for text in messages(tmp_path))


def test_a_plan_that_was_for_what_is_gone_is_withdrawn(tmp_path: Path) -> None:
    """Only the alert that was split off asked for it: nobody can approve it any more, and the timeline says why."""
    city = City(tmp_path, "u1", book="")
    found = {"user.name": ["u2"], "source.ip": ["203.0.113.66"]}
    city.tower.receive([alert("u2", entities=found, playbook=BOOK)])
    [waiting] = city.runs(city.home())
    city.ask("u2")
    city.tower.tick()
    one, two = city.open()
    assert [run.state for run in city.runs(one)] == [RunState.WITHDRAWN] and one.playbooks == []
    assert [accounts(run) for run in city.runs(two)] == [{"u2"}]
    assert any("分けられた" in line.ja for line in one.timeline)
    held = city.tower.records.get("approval", waiting.id)
    assert held is not None and held.body["state"] == "withdrawn"


def test_what_was_approved_before_stays(tmp_path: Path) -> None:
    """A decision that was made is carried out, whatever is split off afterwards: nobody is asked for it once more, and what people
    do and report begins for the one that was split off, too."""
    city = City(tmp_path, "u1", "u2")
    [run] = city.runs(city.home())
    city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.ask("u2")
    city.tower.tick()
    assert [one.state for one in city.runs(city.home())] == [RunState.DONE]
    [other] = city.runs(city.open()[1])
    assert accounts(other) == set() and {step.kind for step in other.steps} >= {"task", "evidence"}
    assert other.state is RunState.DONE and city.tower.records.get("approval", other.id) is None


def test_what_comes_later_finds_the_one_that_was_split_off(tmp_path: Path) -> None:
    """An alert about its account alone joins it and opens no third."""
    city = City(tmp_path, "u1", "u2")
    city.ask("u2")
    city.tower.tick()
    city.tower.receive([alert("later", minutes=5, entities={"user.name": ["u2"]})])
    assert [one.alert_ids for one in city.open()] == [["u1-0"], ["u2-0", "later-5"]]


def test_two_that_would_leave_nothing(tmp_path: Path) -> None:
    """Asked {a}, then {b} before the round: the second is refused with a line, and holds up neither calls nor other splits."""
    city = City(tmp_path, "u1", "u2")
    first, second = city.ask("u1"), city.ask("u2")
    city.tower.tick()
    city.tower.tick()
    assert {city.state(first), city.state(second)} == {"done", "refused"}
    one, two = city.open()
    assert len(one.alert_ids) == len(two.alert_ids) == 1
    assert any("分けませんでした" in line.ja for line in one.timeline)
    assert city.tower.audit.verify() == []


def test_alerts_that_are_gone_hold_up_nobody(tmp_path: Path) -> None:
    """Retention dropped the alert meanwhile: refused, and the request behind it is met in the same round."""
    city = City(tmp_path, "u1", "u2", "u3")
    first, second = city.ask("u1"), city.ask("u2")
    city.tower.records.delete("alert", "u1-0")
    city.tower.tick()
    assert (city.state(first), city.state(second)) == ("refused", "done")
    assert city.open()[1].alert_ids == ["u2-0"]


def test_a_broken_request_holds_up_nobody(tmp_path: Path) -> None:
    """A record that cannot be read: the one behind it is met, and what was wrong is raised."""
    city = City(tmp_path, "u1", "u2", "u3")
    first, second = city.ask("u1"), city.ask("u2")
    city.tower.records.put(splitting.KIND, first.id, {"state": "asked"})
    with pytest.raises(KeyError):
        city.tower.tick()
    assert city.state(second) == "done"


def test_split_joined_and_split_again(tmp_path: Path) -> None:
    """The same alert, twice: it is in one incident each time."""
    city = City(tmp_path, "u1", "u2")
    city.ask("u2")
    city.tower.tick()
    city.desk.cases.merge(city.home().id, [city.open()[1].id], "やはり同じ件", **SATO)
    city.clock.advance(timedelta(minutes=1))
    city.ask("u2")
    city.tower.tick()
    assert [one.alert_ids for one in city.open()] == [["u1-0"], ["u2-0"]]


@pytest.mark.parametrize("at", range(1, 26))
def test_killed_at_any_write(tmp_path: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after some write, the next round goes on: two incidents, each with its alert and its plan."""
    city = City(tmp_path, "u1", "u2")
    asked, put, left = city.ask("u2"), city.tower.records.put, at

    class Killed(BaseException):
        """The process ends here."""

    def last(*arguments: object, **more: object) -> Record:
        nonlocal left
        record, left = put(*arguments, **more), left - 1  # type: ignore[arg-type]
        if left == 0:
            raise Killed
        return record

    with monkeypatch.context() as dying:
        dying.setattr(city.tower.records, "put", last)
        with suppress(Killed):
            city.tower.tick()
    city.tower.start()
    city.tower.tick()
    one, two = city.open()
    assert (one.alert_ids, two.alert_ids, city.state(asked)) == (["u1-0"], ["u2-0"], "done")
    assert [accounts(run) for run in city.runs(one)] == [{"u1"}]
    assert [accounts(run) for run in city.runs(two)] == [{"u2"}]


def test_what_is_left_is_gone_from_the_records(tmp_path: Path) -> None:
    """Retention dropped the alerts of what stays behind: it stays as it was, and the split is done."""
    city = City(tmp_path, "u1", "u2")
    asked, before = city.ask("u2"), city.home()
    city.tower.records.delete("alert", "u1-0")
    city.tower.tick()
    assert (city.state(asked), city.open()[1].alert_ids) == ("done", ["u2-0"])
    assert (city.home().title_ja, city.home().alert_ids) == (before.title_ja, ["u1-0"])


def test_killed_between_the_end_there_and_the_word_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was denied, the process died before the incident that was split off heard of it: after the start it asks, and only once
    however often it starts."""
    city = City(tmp_path, "u1", "u2", armed=[BOOK])
    [run] = city.runs(city.home())
    city.desk.deny(run.id, actor="suzuki", roles=MANAGER, note="不要")
    city.ask("u2")
    with monkeypatch.context() as dying:
        dying.setattr("responders.responder.not_done", lambda records, run: None)
        city.tower.tick()
    other = city.open()[-1]
    assert not [one for one in city.runs(other) if one.state is RunState.PROPOSED]
    for _ in range(3):
        city.tower.start()
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
        waiting = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
        assert [accounts(one) for one in waiting] == [{"u2"}]
    city.tower.start()
    assert not city.open()[-1].fields.get("propose_again"), "it has heard of that end of it"


def test_a_journal_that_is_full_has_ended_anew(tmp_path: Path) -> None:
    """Of a run's journal the newest lines alone are kept, so it grows no longer: another end is another end all the same."""
    city = City(tmp_path, "u1", "u2")
    [run] = city.runs(city.home())
    full = run.model_copy(
        update={"journal": [f"2026-11-19T18:14:00+00:00 1 waiting→{n}" for n in range(500)]}
    )
    other = city.home().model_copy(update={"fields": {"split_from": run.incident_id}})
    hear = partial(planned_anew, family=[run.incident_id])
    heard = hear(other, ended=full)
    assert heard.fields["propose_again"] and hear(heard, ended=full) is heard
    assert hear(heard, ended=full.noted("2026-11-19T18:15:00+00:00 running→done")) is not heard


def test_put_back_there_it_is_asked_for_here(tmp_path: Path) -> None:
    """Done for both victims, then a person puts the run back on the first incident: the account that is the open other one's business is
    asked for there, once."""
    city = City(tmp_path, "u1", "u2", armed=[BOOK])
    stage = Broken()
    city.tower.runs.world = World(lambda action, on: stage)
    [run] = city.runs(city.home())
    city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.tower.tick()
    city.ask("u2")
    city.tower.tick()
    assert [accounts(one) for one in city.runs(city.open()[1])] == [set()]
    city.desk.undo(run.id, actor="suzuki", roles=MANAGER, note="委託先の作業")
    for _ in range(3):
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
    waiting = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
    assert [accounts(one) for one in waiting] == [{"u2"}]


@pytest.mark.parametrize("dying", [False, True])
def test_put_back_after_its_incident_was_taken_in(
    tmp_path: Path, dying: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run came to the survivor with the incident that it took in, and one was split off from the survivor then: it hears that the
    run was put back, also where the process died before it did, and asks for its account."""
    city, stage = City(tmp_path, armed=[BOOK]), Broken()
    city.tower.runs.world = World(lambda action, on: stage)
    city.tower.receive([alert("u0", minutes=-5, entities={"user.name": ["u0"]})])
    for name in ("u1", "u2"):
        found = {"user.name": [name], "source.ip": ["203.0.113.66"]}
        city.tower.receive([alert(name, entities=found, playbook=BOOK)])
    taken_in = casefile.numbered(city.tower.records, 2)
    [run] = city.runs(taken_in)
    city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.tower.tick()
    city.desk.cases.merge(city.home().id, [taken_in.id], "同じ件", **SATO)
    city.ask("u2")
    city.tower.tick()
    assert [accounts(one) for one in city.runs(city.open()[-1])] == [set()]
    city.desk.undo(run.id, actor="suzuki", roles=MANAGER, note="委託先の作業")
    with monkeypatch.context() as death:
        if dying:
            death.setattr("responders.responder.not_done", lambda records, run: None)
        city.tower.tick()
    for _ in range(3):
        city.tower.start()
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
    waiting = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
    assert [accounts(one) for one in waiting] == [{"u2"}]


def test_put_back_but_for_one_act_it_is_asked_for_here(tmp_path: Path) -> None:
    """A person puts the run back, and one victim's account refuses it: the block that was to end by itself is not in force any more all
    the same, and is asked for where the other victim was split off."""

    class Refusing(Broken):
        def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
            self._managed(values)
            return super().undo(action, values, before)

    city, stage = City(tmp_path, "u1", "u2", book="vpn_compromise", armed=["vpn_compromise"]), Refusing()
    city.tower.runs.world = World(lambda action, on: stage)
    [run] = city.runs(city.home())
    city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.tower.tick()
    city.ask("u2")
    city.tower.tick()
    stage.unmanaged = {"u1"}
    city.desk.undo(run.id, actor="suzuki", roles=MANAGER, note="委託先の作業")
    for _ in range(3):
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
    assert city.runs(city.home())[0].state is RunState.FAILED
    [asked] = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
    assert [step.act for step in asked.acts] == ["directory.disable_account", "firewall.block_address"]


def test_a_block_whose_time_is_over_is_not_asked_for_again(tmp_path: Path) -> None:
    """It was lifted after its time and the rest was put back by a person later: the time was over, nobody gave the block up."""
    city = City(tmp_path, "u1", "u2", book="vpn_compromise", armed=["vpn_compromise"])
    stage = Broken()
    city.tower.runs.world = World(lambda action, on: stage)
    [run] = city.runs(city.home())
    city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.tower.tick()
    city.ask("u2")
    city.tower.tick()
    city.clock.advance(timedelta(days=8))
    city.tower.tick()
    assert ("firewall.block_address", "203.0.113.66") not in stage.done
    city.desk.undo(run.id, actor="suzuki", roles=MANAGER, note="委託先の作業")
    for _ in range(3):
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
    [asked] = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
    assert [step.act for step in asked.acts] == ["directory.disable_account"]


def test_what_was_split_off_stays_apart_from_who_took_its_home_in(tmp_path: Path) -> None:
    """An older incident takes in the one that it was split off from; an alert about all of them joins no two that a person parted."""
    city = City(tmp_path)
    city.tower.receive([alert("old", minutes=-5, entities={"user.name": ["u0"]})])
    for name in ("u1", "u2"):
        found = {"user.name": [name], "source.ip": ["203.0.113.66"]}
        city.tower.receive([alert(name, entities=found)])
    home = casefile.numbered(city.tower.records, 2)
    city.desk.cases.split(home.id, ["u2-0"], "別の件", **SATO)
    city.tower.tick()
    city.tower.receive([alert("both", minutes=1, entities={"user.name": ["u0", "u1"]})])
    assert [one.number for one in city.open()] == [1, 3]
    city.tower.receive([alert("all", minutes=2, entities={"user.name": ["u0", "u2"]})])
    assert [one.number for one in city.open()] == [1, 3]


def test_what_was_parted_stays_apart_once_both_sides_were_taken_in(tmp_path: Path) -> None:
    """An older incident took in each side, so neither has the name that the parting knows: an alert about both joins no two."""
    city = City(tmp_path)
    for name in ("old", "older"):
        city.tower.receive([alert(name, minutes=-5, entities={"user.name": [name]})])
    for name in ("u1", "u2"):
        found = {"user.name": [name], "source.ip": ["203.0.113.66"]}
        city.tower.receive([alert(name, entities=found)])
    home = casefile.numbered(city.tower.records, 3)
    city.desk.cases.split(home.id, ["u2-0"], "別の件", **SATO)
    city.tower.tick()
    one, two, three, four = city.open()
    city.desk.cases.merge(one.id, [three.id], "同じ件", **SATO)
    city.desk.cases.merge(two.id, [four.id], "同じ件", **SATO)
    city.tower.receive([alert("both", minutes=1, entities={"user.name": ["u1", "u2"]})])
    assert [each.number for each in city.open()] == [1, 2]


def test_a_third_does_not_join_what_was_parted(tmp_path: Path) -> None:
    """An alert about both sides and an older incident of somebody else: that takes in one side and not the other, too."""
    city = City(tmp_path)
    city.tower.receive([alert("old", minutes=-5, entities={"user.name": ["u0"]})])
    for name in ("u1", "u2"):
        found = {"user.name": [name], "source.ip": ["203.0.113.66"]}
        city.tower.receive([alert(name, entities=found)])
    city.desk.cases.split(casefile.numbered(city.tower.records, 2).id, ["u2-0"], "別の件", **SATO)
    city.tower.tick()
    city.tower.receive([alert("all", minutes=1, entities={"user.name": ["u0", "u1", "u2"]})])
    assert [(each.number, each.alert_ids) for each in city.open()] == [
        (1, ["old--5", "u1-0", "all-1"]),
        (3, ["u2-0"]),
    ]


@pytest.mark.parametrize("how", ["called off", "denied"])
def test_what_was_approved_is_not_done_after_all(tmp_path: Path, how: str) -> None:
    """The other incident was to do it, and then does not, as it was no threat or somebody said no: the one that was split off is open
    and asks for it, once."""
    city = City(tmp_path, "u1", "u2", armed=[BOOK])
    stage = Broken(down={"directory.disable_account"})
    city.tower.runs.world = World(lambda action, on: stage)
    [run] = city.runs(city.home())
    if how == "denied":
        city.desk.deny(run.id, actor="suzuki", roles=MANAGER, note="不要")
    else:
        city.desk.approve(run.id, actor="suzuki", roles=MANAGER)
    city.ask("u2")
    city.tower.tick()
    if how == "called off":
        assert [accounts(one) for one in city.runs(city.open()[1])] == [set()]
        city.desk.close(city.home().id, Verdict.FALSE_POSITIVE, "委託先の作業", **SATO)
    for _ in range(3):
        city.clock.advance(timedelta(minutes=1))
        city.tower.tick()
    waiting = [one for one in city.runs(city.open()[-1]) if one.state is RunState.PROPOSED]
    assert [accounts(one) for one in waiting] == [{"u2"}]
    assert stage.acts == []
