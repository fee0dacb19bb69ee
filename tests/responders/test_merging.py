"""What an incident that is taken in brings along: deadlines, tasks, evidence, whom was told, the plan."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import InputError
from hinomi.incident import Incident, Status
from responders.desk import Desk
from responders.incidents import casefile
from responders.incidents.shelf import FolderShelf
from responders.playbooks.run import KIND, Run, RunState
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder

SATO = {"actor": "sato", "roles": ANALYST}
OFFICE = {"actor": "suzuki", "roles": [*MANAGER, "information_security_manager"]}
WHOSE = {"user.name": ["u2"], "host.name": ["pc-1"]}
Joining = Callable[["Two"], Incident]


class Two:
    """Two incidents: the younger with a plan, a reporting clock, a task, a piece of evidence and somebody who was told."""

    def __init__(self, folder: Path) -> None:
        self.tower: Responder
        self.clock: FixedClock
        self.tower, self.clock = responder(folder)
        self.people: Desk = desk(self.tower.records, self.clock, KEY, FolderShelf(folder / "evidence"))
        self.tower.receive([alert("a", entities={"user.name": ["u1"]}, zones=["mynumber"])])
        [self.other] = self.tower.receive([alert("b", minutes=1, playbook="rpa_misuse", entities=WHOSE)])
        taken = self.tower.records.get("alert", "a-0")
        assert taken is not None
        self.one = casefile.read(self.tower.records, taken.body["incident_id"])
        self.people.clocks.start(self.other.id, "PPC-MN-PRELIM", NIGHT, "C2 への通信", **SATO)
        self.task = self.people.cases.add_task(self.other.id, "本人に電話する", **SATO)
        self.piece = self.people.cases.take_evidence(
            self.other.id, "memo.txt", b"memo", origin="pc-1", **SATO
        )
        self.people.contacts.told(self.other.id, "ciso", "状況", by_way_of="tel", at=NIGHT, **SATO)

    def runs(self, incident: Incident) -> list[Run]:
        found = self.tower.records.find(KIND, {"incident_id": incident.id})
        return [one.read_as(Run) for one in found]


def by_a_person(two: Two) -> Incident:
    """Somebody joins them on the page."""
    return two.people.cases.merge(two.one.id, [two.other.id], "同じ件", **SATO)


def by_an_alert(two: Two) -> Incident:
    """An alert about both arrives."""
    two.tower.receive([alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["pc-1"]})])
    return casefile.read(two.tower.records, two.one.id)


JOININGS = pytest.mark.parametrize("join", [by_a_person, by_an_alert])


@JOININGS
def test_what_people_did_comes_along(tmp_path: Path, join: Joining) -> None:
    """The survivor shows clocks, tasks, evidence and calls of both; the other's own page keeps its own."""
    two = Two(tmp_path)
    own = two.people.cases.add_task(two.one.id, "所管課に聞く", **SATO)
    whole = join(two)
    cases = two.people.cases
    assert [one.body["duty"] for one in two.people.clocks.of(whole.id)] == ["PPC-MN-PRELIM", "PPC-MN-FINAL"]
    assert {one.id for one in cases.tasks(whole.id)} == {own.id, two.task.id}
    assert [one.id for one in cases.evidence(whole.id)] == [two.piece.id]
    assert [one.body["whom"] for one in two.people.contacts.of(whole.id)] == ["ciso"]
    assert [one.id for one in cases.tasks(two.other.id)] == [two.task.id]
    with ZipFile(BytesIO(cases.seal(whole.id, "警察へ", **SATO))) as sealed:
        assert any(name.endswith("memo.txt") for name in sealed.namelist())
    cases.finish_task(two.task.id, **SATO)
    assert casefile.read(two.tower.records, whole.id).timeline[-1].ja == "作業を終えた: 本人に電話する"


@JOININGS
def test_a_duty_goes_on_with_the_clock_that_it_has(tmp_path: Path, join: Joining) -> None:
    """Started or declined again on the survivor it is the same clock, with its history; a report is drafted once."""
    two = Two(tmp_path)
    whole = join(two)
    before = two.people.clocks.of(whole.id)
    earlier = NIGHT - timedelta(days=1)
    two.people.clocks.start(whole.id, "PPC-MN-PRELIM", earlier, "窓口が先に知っていた", **SATO)
    after = two.people.clocks.of(whole.id)
    assert [one.id for one in after] == [one.id for one in before]
    assert after[0].body["known"] == earlier.isoformat()
    two.people.clocks.decline(whole.id, "PPC-MN-PRELIM", "個人番号は含まれない", **OFFICE)
    assert {one.body["duty"]: one.body["state"] for one in two.people.clocks.of(whole.id)} == {
        "PPC-MN-PRELIM": "not_due",
        "PPC-MN-FINAL": "running",
    }
    assert two.tower.records.count("duty_clock") == 2


@JOININGS
def test_both_had_a_clock_of_the_duty(tmp_path: Path, join: Joining) -> None:
    """The one that ends first is shown; what is decided holds for both; what was reported of one is not reported of both."""
    two = Two(tmp_path)
    two.clock.advance(timedelta(days=2))
    two.people.clocks.start(two.one.id, "PPC-MN-PRELIM", two.clock.now(), "こちらも", **SATO)
    clocks = two.people.clocks
    [prelim, _] = clocks.of(two.one.id)
    whole = join(two)
    shown = clocks.of(whole.id)
    assert [one.body["duty"] for one in shown] == ["PPC-MN-PRELIM", "PPC-MN-FINAL"]
    assert shown[0].body["incident_id"] == two.other.id
    clocks.sent(shown[0].id, by="sato", how="電話", at=two.clock.now())
    assert [one.id for one in clocks.of(whole.id) if one.body["duty"] == "PPC-MN-PRELIM"] == [prelim.id]
    clocks.decline(whole.id, "PPC-MN-PRELIM", "一つの報告に含めた", **OFFICE)
    states = {
        one.body["incident_id"]: one.body["state"]
        for one in two.tower.records.find("duty_clock", {"duty": "PPC-MN-PRELIM"})
    }
    assert states == {two.one.id: "not_due", two.other.id: "sent"}


@JOININGS
def test_a_warning_leads_to_the_page_that_goes_on(tmp_path: Path, join: Joining) -> None:
    """The deadline of the one that was taken in is warned of under the survivor's number."""
    two = Two(tmp_path)
    whole = join(two)
    two.clock.advance(timedelta(days=5))
    two.tower.tick()
    told = [one for one in messages(tmp_path) if "duties/PPC-MN-PRELIM" in one]
    assert told and all(f"/incidents/{whole.number}/duties/" in one for one in told)


@JOININGS
def test_the_plan_is_asked_for_on_the_survivor(tmp_path: Path, join: Joining) -> None:
    """The other's waiting plan is withdrawn, and the survivor's covers what that one did."""
    two = Two(tmp_path)
    whole = join(two)
    for _ in range(2):
        two.tower.tick()
    [run] = two.runs(whole)
    assert run.state is RunState.PROPOSED and [one.values for one in run.acts if one.act]
    assert [one.state for one in two.runs(two.other)] == [RunState.WITHDRAWN]
    assert run.id in casefile.read(two.tower.records, whole.id).run_ids


def test_joined_by_a_person_it_says_so_and_is_as_grave(tmp_path: Path) -> None:
    """In the record stand the person and the reason, not an entity that they do not share; the graver grade holds at once, also over a
    lower one that a person gave; who took the lesser one is called for it, and all that the alerts say is worked out."""
    tower, _ = responder(tmp_path)
    people = desk(tower.records, tower.clock, KEY)
    [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
    [two] = tower.receive([alert("b", minutes=1, entities=WHOSE, level="critical", zones=["lgwan"])])
    people.acknowledge(one.id, **SATO)
    people.regrade(one.id, 1, "範囲は狭い", **SATO)
    whole = people.cases.merge(one.id, [two.id], "同じ端末", **SATO)
    assert (whole.grade, casefile.needs_a_person(whole)) == (3, True) and "grade_by" not in whole.fields
    other = tower.records.get("incident", two.id)
    assert other is not None
    line = other.read_as(Incident).timeline[-1]
    assert (line.actor, line.ja) == ("sato", "インシデント #1 にまとめました: 同じ端末")
    tower.tick()
    whole = casefile.read(tower.records, one.id)
    assert whole.zones == ["lgwan"] and set(whole.entities["user.name"]) == {"u1", "u2"}


def test_what_is_taken_in_twice_over_comes_along(tmp_path: Path) -> None:
    """The third takes in the second, which took in the first's: nothing is lost on the way."""
    two = Two(tmp_path)
    [third] = two.tower.receive([alert("d", minutes=3, entities={"user.name": ["u9"]})])
    two.people.cases.merge(two.other.id, [third.id], "同じ件", **SATO)
    whole = two.people.cases.merge(two.one.id, [two.other.id], "同じ件", **SATO)
    assert casefile.family(whole) == [two.one.id, two.other.id, third.id]
    assert [one.id for one in two.people.cases.tasks(whole.id)] == [two.task.id]


def test_a_survivor_that_is_closed_in_that_moment_takes_nothing_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is told; neither says that it took the other in."""
    two = Two(tmp_path)
    append = two.people.audit.append

    def closing(**more: object) -> str:
        if more["action"] == "incident.merge_asked":
            closed = {"status": Status.CLOSED}
            casefile.change(two.tower.records, two.one.id, lambda now: now.model_copy(update=closed))
        return append(**more)  # type: ignore[arg-type]

    with monkeypatch.context() as racing, pytest.raises(InputError, match="終了"):
        racing.setattr(type(two.people.audit), "append", lambda _, **more: closing(**more))
        by_a_person(two)
    assert casefile.read(two.tower.records, two.other.id).status is not Status.CLOSED
    assert "まとめた" not in casefile.read(two.tower.records, two.one.id).timeline[-1].ja


@JOININGS
def test_what_was_joined_by_a_release_before_comes_along(tmp_path: Path, join: Joining) -> None:
    """Its survivor says nothing of it: from the next start on it has the running clock, and the same duty brought up again is that."""
    two = Two(tmp_path)
    [third] = two.tower.receive([alert("d", minutes=3, entities={"user.name": ["u9"]})])
    task = two.people.cases.add_task(third.id, "所管課に聞く", **SATO)
    two.people.cases.merge(two.other.id, [third.id], "同じ件", **SATO)
    whole = join(two)
    clocks = two.people.clocks.of(whole.id)
    for one in (two.one, two.other):
        without_took_in(two, one)
    assert two.people.clocks.of(whole.id) == []
    two.tower.start()
    assert two.people.clocks.of(whole.id) == clocks != []
    assert {one.id for one in two.people.cases.tasks(whole.id)} == {two.task.id, task.id}
    again = two.people.clocks.propose(whole.id, "PPC-MN-PRELIM", by="hinomi")
    assert again in clocks and two.tower.records.count("duty_clock") == len(clocks)


def test_the_survivors_are_told_once(tmp_path: Path) -> None:
    """A second start writes nothing; what went into an incident that is not kept any more holds nothing up."""
    two = Two(tmp_path)
    whole = by_a_person(two)
    without_took_in(two, whole)
    held = two.tower.records.get(casefile.KIND, two.other.id)
    assert held is not None
    lost = {**held.body, "id": "0", "fields": {"merged_into": "gone"}}
    two.tower.records.put(casefile.KIND, "0", lost)
    two.tower.start()
    first = two.tower.records.get(casefile.KIND, whole.id)
    two.tower.start()
    assert first is not None and first.body["fields"]["took_in"] == [two.other.id]
    assert two.tower.records.get(casefile.KIND, whole.id) == first


def without_took_in(two: Two, incident: Incident) -> None:
    """As a release before left it."""
    held = two.tower.records.get(casefile.KIND, incident.id)
    assert held is not None
    fields = {name: value for name, value in held.body["fields"].items() if name != "took_in"}
    two.tower.records.put(casefile.KIND, incident.id, {**held.body, "fields": fields})


def test_what_an_alert_grows_by_joins_incidents(tmp_path: Path) -> None:
    """A scan that goes on reaches a machine of which there is an incident already: they are one from then on."""
    tower, _ = responder(tmp_path)
    [scan] = tower.receive(
        [alert("scan", entities={"source.ip": ["10.9.0.1"], "destination.ip": ["10.9.0.5"]})]
    )
    [other] = tower.receive([alert("hit", minutes=1, entities={"destination.ip": ["10.9.0.6"]})])
    assert scan.id != other.id
    more = {"source.ip": ["10.9.0.1"], "destination.ip": ["10.9.0.5", "10.9.0.6"]}
    grown = alert("scan", entities=more)
    tower.receive([grown.model_copy(update={"event_count": grown.event_count + 1})])
    assert len(casefile.read(tower.records, scan.id).alert_ids) == 2
    assert casefile.read(tower.records, other.id).alert_ids == casefile.read(tower.records, scan.id).alert_ids
