"""Victims that join an incident after its plan was decided on: a plan of their own, and no second one for the others."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.incident import Incident, Status, Verdict
from hinomi.store import Record
from responders.desk import Desk
from responders.incidents import casefile
from responders.playbooks.following import Place, act_of
from responders.playbooks.planning import plan
from responders.playbooks.playbook import catalogue
from responders.playbooks.run import KIND, Run, RunState, StepState
from responders.playbooks.settings import PlaybookSettings
from responders.playbooks.world import World
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, responder
from tests.responders.playbooks.stage import Broken, incident, written

BOOK = "isolate_endpoint"


class Killed(BaseException):
    """The process ends here."""


class Spread:
    """A tower with targets in memory, and machines on which the same account's malware is found one after another."""

    def __init__(self, folder: Path, *, armed: Sequence[str] = (BOOK,)) -> None:
        self.tower: Responder
        self.clock: FixedClock
        self.tower, self.clock = responder(folder, playbooks={"armed": list(armed)})
        self.stage = Broken()
        self.tower.runs.world = World(lambda action, on: self.stage)
        self.people: Desk = desk(self.tower.records, self.clock, KEY)

    def found_on(self, *machines: str, book: str = BOOK) -> Incident:
        """Alerts on these machines, given in one go. Returns their incident."""
        coming = [
            alert(f"malware-{one}", playbook=book, entities={"host.name": [one], "user.name": ["t.yamada"]})
            for one in machines
        ]
        return self.taken(coming)

    def apart(self, machine: str) -> Incident:
        """The incident of a machine that shares nothing with another's."""
        return self.taken([alert(f"own-{machine}", playbook=BOOK, entities={"host.name": [machine]})])

    def taken(self, alerts: Sequence[Alert]) -> Incident:
        """The incident of the alerts as it is written."""
        self.tower.receive(alerts)
        taken = self.tower.records.get("alert", alerts[-1].id)
        assert taken is not None
        return casefile.read(self.tower.records, taken.body["incident_id"])

    def runs(self, incident: Incident) -> list[Run]:
        """The incident's runs in their order; none is in the records without being named by the incident."""
        ids = casefile.read(self.tower.records, incident.id).run_ids
        assert {one.id for one in self.tower.records.find(KIND, limit=1000)} == set(ids)
        found = (self.tower.records.get(KIND, identity) for identity in ids)
        return [one.read_as(Run) for one in found if one is not None]

    def dying_after(self, writes: int, act: Callable[[], object]) -> None:
        """Do it in a process that dies after so many writes, if it makes as many."""
        put, left = self.tower.records.put, writes

        def last(*arguments: Any, **more: Any) -> Record:
            nonlocal left
            record, left = put(*arguments, **more), left - 1
            if left == 0:
                raise Killed
            return record

        with pytest.MonkeyPatch.context() as dying, suppress(Killed):
            dying.setattr(self.tower.records, "put", last)
            act()

    def approve(self, run: Run) -> None:
        self.people.approve(run.id, actor="suzuki", roles=MANAGER)


def isolated(run: Run) -> list[str]:
    """Whom the plan isolates."""
    return [step.values["host"] for step in run.acts if step.act == "endpoint.isolate"]


def ended(on: Spread, incident: Incident, state: RunState) -> None:
    """The incident's one run, brought into this state."""
    [run] = on.runs(incident)
    if state is RunState.DENIED:
        on.people.deny(run.id, actor="suzuki", roles=MANAGER)
    elif state is RunState.RUNNING:
        on.stage.down.add("endpoint.isolate")
        on.approve(run)
    else:
        on.approve(run)
    on.tower.tick()
    assert on.runs(incident)[0].state is state


@pytest.mark.parametrize("state", [RunState.DONE, RunState.RUNNING, RunState.DENIED])
def test_a_machine_that_joins_later_gets_a_plan(tmp_path: Path, state: RunState) -> None:
    """For it alone, in a run of its own that needs an approval of its own; the first run stays as it is."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, state)
    before = on.runs(incident)[0]
    assert on.found_on("pc-2").id == incident.id
    first, second = on.runs(incident)
    assert first == before
    assert (second.state, isolated(second)) == (RunState.PROPOSED, ["pc-2"])
    assert "追加" in second.title_ja and "追加" not in first.title_ja
    on.stage.down.clear()
    on.tower.tick()
    assert ("endpoint.isolate", "pc-2") not in on.stage.done
    on.approve(second)
    on.tower.tick()
    assert on.runs(incident)[1].state is RunState.DONE and ("endpoint.isolate", "pc-2") in on.stage.done


def test_victims_that_come_while_it_waits_join_it(tmp_path: Path) -> None:
    """A storm of machines is one follow-up that grows, and an approval of what it was before counts no more."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.found_on("pc-2")
    seen = on.runs(incident)[1].plan_hash
    for number in range(3, 30):
        on.found_on(f"pc-{number}")
    assert len(on.runs(incident)) == 2
    second = on.runs(incident)[1]
    assert isolated(second) == [f"pc-{number}" for number in range(2, 30)] and second.plan_hash != seen
    held = on.tower.records.get("approval", second.id)
    assert held is not None and held.body["plan_hash"] == second.plan_hash


def test_the_same_victims_again_are_no_news(tmp_path: Path) -> None:
    """More of their alerts, also told twice, make no further plan; nor does another plan than the machine's own."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.found_on("pc-1")
    on.taken([alert("more", playbook=BOOK, entities={"host.name": ["PC-1"], "user.name": ["t.yamada"]})])
    assert len(on.runs(incident)) == 1


def test_one_follow_up_after_another(tmp_path: Path) -> None:
    """Each is decided on, and each has its own machines."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    for number in (2, 3, 4):
        on.approve(on.runs(incident)[-1])
        on.tower.tick()
        on.found_on(f"pc-{number}")
    assert [isolated(run) for run in on.runs(incident)] == [["pc-1"], ["pc-2"], ["pc-3"], ["pc-4"]]
    assert len({run.title_ja for run in on.runs(incident)}) == 4


def test_a_rehearsal_uses_nothing_up(tmp_path: Path) -> None:
    """Approved as a dry run, then armed: the next news of the incident asks for the plan that acts, once."""
    on = Spread(tmp_path, armed=())
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.found_on("pc-1")
    assert len(on.runs(incident)) == 1 and on.stage.acts == []
    on.tower.runs.settings = PlaybookSettings(armed=[BOOK])
    on.tower.settings.playbooks.armed.append(BOOK)
    on.found_on("pc-1")
    on.found_on("pc-1")
    rehearsed, real = on.runs(incident)
    assert (rehearsed.dry_run, real.dry_run, isolated(real)) == (True, False, ["pc-1"])
    on.approve(real)
    on.tower.tick()
    assert on.runs(incident)[1].state is RunState.DONE and ("endpoint.isolate", "pc-1") in on.stage.done


def test_a_plan_that_acts_is_not_rehearsed_afterwards(tmp_path: Path) -> None:
    """The playbook was disarmed since: what it did to the machine needs no plan that shows it."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.tower.settings.playbooks.armed.clear()
    on.found_on("pc-1")
    on.found_on("pc-2")
    assert [(run.dry_run, isolated(run)) for run in on.runs(incident)] == [
        (False, ["pc-1"]),
        (True, ["pc-2"]),
    ]


def test_decided_but_not_begun_yet(tmp_path: Path) -> None:
    """Approved in the moment before the second machine came: the approval stands for the first, the second is asked for."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    on.approve(on.runs(incident)[0])
    on.found_on("pc-2")
    assert [isolated(run) for run in on.runs(incident)] == [["pc-1"], ["pc-2"]]
    on.tower.tick()
    assert [run.state for run in on.runs(incident)] == [RunState.DONE, RunState.PROPOSED]


def test_opened_again_after_a_follow_up(tmp_path: Path) -> None:
    """Closing withdraws what waits; opened anew it is the follow-up that is asked for, not what was done."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.found_on("pc-2")
    on.people.close(incident.id, Verdict.BENIGN, "保守", actor="sato", roles=ANALYST)
    on.tower.tick()
    assert on.runs(incident)[1].state is RunState.WITHDRAWN
    on.people.reopen(incident.id, "続いている", actor="sato", roles=ANALYST)
    on.tower.tick()
    first, second = on.runs(incident)
    assert (first.state, second.state, isolated(second)) == (RunState.DONE, RunState.PROPOSED, ["pc-2"])


def test_opened_again_after_it_was_called_off(tmp_path: Path) -> None:
    """Closed as a false alarm before the machine answered, then it was none: what was given up is asked for anew."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.RUNNING)
    on.people.close(incident.id, Verdict.FALSE_POSITIVE, "誤検知", actor="sato", roles=ANALYST)
    on.tower.tick()
    assert on.runs(incident)[0].state is RunState.FAILED
    on.people.reopen(incident.id, "誤検知ではない", actor="sato", roles=ANALYST)
    on.tower.tick()
    assert [(run.state, isolated(run)) for run in on.runs(incident)[1:]] == [(RunState.PROPOSED, ["pc-1"])]


def test_another_verdict_while_it_stays_closed(tmp_path: Path) -> None:
    """It was a threat, and is over: the question to people is put again, and no act is asked for."""
    on = Spread(tmp_path, armed=["malware_endpoint"])
    incident = on.found_on("pc-1", book="malware_endpoint")
    ended(on, incident, RunState.RUNNING)
    on.people.close(incident.id, Verdict.FALSE_POSITIVE, "誤検知", actor="sato", roles=ANALYST)
    on.tower.tick()
    [run] = on.runs(incident)
    assert (run.state, run.step(3).called_off) == (RunState.FAILED, True)
    on.people.close(incident.id, Verdict.TRUE_POSITIVE, "本物", actor="sato", roles=ANALYST)
    on.tower.tick()
    [run] = on.runs(incident)
    assert (run.state, run.step(3).state) == (RunState.RUNNING, StepState.WAITING)
    assert [step.act for step in run.steps if step.called_off] == ["endpoint.isolate"]
    told = casefile.read(on.tower.records, incident.id).timeline[-1]
    assert (told.ref, "改められた" in told.ja) == (run.id, True)


@pytest.mark.parametrize("ticks", [0, 1], ids=["approved", "done"])
def test_what_was_done_on_the_one_that_was_taken_in_is_not_asked_for_again(
    tmp_path: Path, ticks: int
) -> None:
    """Joined by a person: the survivor's plan is for its own machine, as the other's is isolated, or will be in the next round."""
    on = Spread(tmp_path)
    one, two = on.apart("pc-1"), on.apart("pc-9")
    [other] = on.tower.records.find(KIND, {"incident_id": two.id})
    on.approve(other.read_as(Run))
    for _ in range(ticks):
        on.tower.tick()
    on.people.cases.merge(one.id, [two.id], "同じ件", actor="sato", roles=ANALYST)
    for _ in range(2):
        on.tower.tick()
    plans = {run.incident_id: (run.state, isolated(run)) for run in on.runs(one)}
    assert plans == {one.id: (RunState.PROPOSED, ["pc-1"]), two.id: (RunState.DONE, ["pc-9"])}
    on.taken([alert("more", playbook=BOOK, entities={"host.name": ["pc-9"]})])
    assert len(on.runs(one)) == 2


def test_beside_what_a_person_started_the_first_is_no_follow_up() -> None:
    """Its title has no number: there is none before it."""
    alerts, settings = [alert()], PlaybookSettings()
    book = catalogue()["account_takeover"]
    held = frozenset({act_of("endpoint.isolate", "", {"host": "pc-2"})})
    first, third = (
        plan(incident(alerts), alerts, book, settings, NIGHT, place=Place(number, held=held))
        for number in (0, 2)
    )
    assert (first.title_ja, first.title_en) == (book.title_ja, book.title_en)
    assert (third.title_ja, third.title_en) == (f"{book.title_ja}(追加 2)", f"{book.title_en} (follow-up 2)")


def test_each_machines_decision_stays_with_it(tmp_path: Path) -> None:
    """A plan whose rounds have a gate each: the follow-up asks at the new machine's alone."""
    on = Spread(tmp_path, armed=("server_intrusion",))
    incident = on.found_on("www-1", book="server_intrusion")
    on.approve(on.runs(incident)[0])
    on.tower.tick()
    on.found_on("www-2", book="server_intrusion")
    second = on.runs(incident)[1]
    gates = [step for step in second.steps if step.kind == "approve" and step.for_acts]
    assert [step.values["host"] for step in second.acts if step.act == "host_firewall.isolate"] == ["www-2"]
    assert len(gates) == 1 and "www-2" in gates[0].title_ja and "www-1" not in gates[0].title_ja
    assert all(step.gate is None or step.gate < step.index for step in second.steps)


def test_a_question_asked_anew_has_what_hangs_on_it(tmp_path: Path) -> None:
    """Nothing spread when the first machine was found, so the segment stayed; it may be cut when the second is."""
    on = Spread(tmp_path, armed=("ransomware",))
    names = {"network.name": ["lgwan"], "user.name": ["t.yamada"]}
    incident = on.taken([alert("r-1", playbook="ransomware", entities={"host.name": ["pc-1"], **names})])
    on.approve(on.runs(incident)[0])
    on.tower.tick()
    asked = next(step for step in on.runs(incident)[0].steps if step.asks)
    on.people.automation.finish_task(
        on.runs(incident)[0].id, asked.index, actor="sato", roles=ANALYST, answer="no"
    )
    on.tower.tick()
    assert on.runs(incident)[0].state is RunState.DONE
    on.taken([alert("r-2", playbook="ransomware", entities={"host.name": ["pc-1"], **names})])
    assert len(on.runs(incident)) == 1
    on.taken([alert("r-3", playbook="ransomware", entities={"host.name": ["pc-2"], **names})])
    second = on.runs(incident)[1]
    assert [(step.act, *step.values.values()) for step in second.acts] == [
        ("endpoint.isolate", "pc-2"),
        ("router.cut_segment", "lgwan"),
    ]


@pytest.mark.parametrize("at", range(1, 20))
def test_killed_at_any_write(tmp_path: Path, at: int) -> None:
    """The process dies after some write on the way to the follow-up, its alert comes again: one run, named by the incident,
    with a request for its approval."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    on.dying_after(at, lambda: on.found_on("pc-2"))
    on.found_on("pc-2")
    on.tower.tick()
    assert [isolated(run) for run in on.runs(incident)] == [["pc-1"], ["pc-2"]]
    held = on.tower.records.get("approval", on.runs(incident)[1].id)
    assert held is not None and held.body["state"] == "open"


def test_the_runs_of_a_release_before_are_read(tmp_path: Path) -> None:
    """A stored run without anything that came since holds what its steps say."""
    on = Spread(tmp_path)
    incident = on.found_on("pc-1")
    ended(on, incident, RunState.DONE)
    held = on.tower.records.get(KIND, on.runs(incident)[0].id)
    assert held is not None
    kept = {"index", "title_ja", "title_en", "act", "values", "state"}
    steps = [{name: one[name] for name in kept} for one in held.body["steps"]]
    on.tower.records.put(KIND, held.id, {**held.body, "steps": steps})
    on.found_on("pc-2")
    assert [isolated(run) for run in on.runs(incident)] == [["pc-1"], ["pc-2"]]
    assert on.runs(incident)[0].steps[0].state is not StepState.PLANNED


def test_a_run_for_later_victims_opens_no_second_ticket(tmp_path: Path) -> None:
    """The incident's title has grown with its alerts; its ticket is open all the same."""
    steps = "  - {act: ticket.open, value: incident.title, undo: false}\n"
    book, alerts = written(tmp_path, steps), [alert()]
    first = plan(incident(alerts), alerts, book, PlaybookSettings(), NIGHT)
    [ticket] = first.acts
    held = frozenset({act_of(ticket.act, ticket.on, ticket.values)})
    about = incident(alerts, title_ja="t.yamada: 侵害の疑い")
    assert plan(about, alerts, book, PlaybookSettings(), NIGHT, place=Place(1, held=held)).acts == []


@pytest.mark.parametrize("how", ["error", "new term"])
def test_taken_back_while_closed_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The verdict is corrected on a closed incident, and the tower fails, or another leads, when it has just heard of it: what people
    do goes on within minutes."""
    city = Spread(tmp_path, armed=["malware_endpoint"])
    incident = city.found_on("pc-1", book="malware_endpoint")
    ended(city, incident, RunState.RUNNING)
    city.people.close(incident.id, Verdict.FALSE_POSITIVE, "委託先の作業", actor="sato", roles=ANALYST)
    city.tower.tick()
    assert city.runs(incident)[0].step(3).called_off
    city.people.close(incident.id, Verdict.TRUE_POSITIVE, "本物", actor="sato", roles=ANALYST)
    if how == "new term":
        assert city.tower.calling.due()
        city.tower.calling.restart()
    else:

        def broken(*_: object, **__: object) -> None:
            raise ValueError("damaged")

        with monkeypatch.context() as once, pytest.raises(ValueError, match="damaged"):
            once.setattr(type(city.tower.runs), "take_up", broken)
            city.tower.tick()
    city.clock.advance(timedelta(minutes=6))
    city.tower.tick()
    assert city.runs(incident)[0].step(3).state is StepState.WAITING
    again = casefile.read(city.tower.records, incident.id)
    assert again.fields["propose_again"] is False and again.status is Status.CLOSED


def test_undone_while_open_is_not_asked_for_again(tmp_path: Path) -> None:
    """Opened again from a false alarm, and that is dealt with; what a person puts back afterwards, on the open incident, stays put back
    when it is next planned anew."""
    city = Spread(tmp_path)
    incident = city.found_on("pc-1")
    [run] = city.runs(incident)
    city.approve(run)
    city.tower.tick()
    city.people.close(incident.id, Verdict.FALSE_POSITIVE, "委託先の作業", actor="sato", roles=ANALYST)
    city.tower.tick()
    city.people.reopen(incident.id, "誤検知ではない", actor="sato", roles=ANALYST)
    city.tower.tick()
    city.people.undo(run.id, actor="suzuki", roles=MANAGER, note="復旧した")
    city.tower.tick()
    again = {"propose_again": True}
    casefile.change(
        city.tower.records,
        incident.id,
        lambda now: now.model_copy(update={"fields": {**now.fields, **again}}),
    )
    city.tower.tick()
    assert [one.state for one in city.runs(incident)].count(RunState.PROPOSED) == 0
    assert not any(step.called_off for one in city.runs(incident) for step in one.acts)
