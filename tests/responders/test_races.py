"""What a person decides in the very moment in which the tower or somebody else writes is never lost."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import Refused
from hinomi.incident import Incident, Status, Verdict
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from responders.desk import Desk
from responders.playbooks.run import Run, RunState, StepState
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, responder

ROUNDS = 25
NAMES = ("sato", "suzuki", "mori")


def _respond(folder: Path, ready: Any) -> None:
    tower, _ = responder(folder)
    ready.wait()
    for n in range(ROUNDS):
        tower.receive([alert(f"rule{n}", minutes=n)])


def _write(folder: Path, ready: Any, incident_id: str, name: str) -> None:
    people = desk(SqliteRecords(folder / "records.sqlite"), FixedClock(NIGHT), KEY)
    ready.wait()
    for n in range(ROUNDS):
        people.comment(incident_id, f"{name}-{n}", actor=name, roles=ANALYST)
        if n == ROUNDS // 2:
            people.acknowledge(incident_id, actor=name, roles=ANALYST)
            people.regrade(incident_id, 3, f"{name} の判断", actor=name, roles=ANALYST)


def test_processes_on_one_store_lose_nothing(tmp_path: Path) -> None:
    """The respond process takes alerts in while three people write: every alert, note and decision is there."""
    tower, _ = responder(tmp_path)
    [incident] = tower.receive([alert("first")])
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(1 + len(NAMES), timeout=60)
    workers = [
        context.Process(target=_respond, args=(tmp_path, ready)),
        *(context.Process(target=_write, args=(tmp_path, ready, incident.id, n)) for n in NAMES),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * (1 + len(NAMES))
    after = held(tower, incident.id)
    assert set(after.alert_ids) == {"first-0", *(f"rule{n}-{n}" for n in range(ROUNDS))}
    notes = sorted(line.ja for line in after.timeline if line.kind == "comment")
    assert notes == sorted(f"{name}-{n}" for name in NAMES for n in range(ROUNDS))
    assert sum(line.kind == "alert" for line in after.timeline) == ROUNDS + 1
    taken_by, known, grade = "", 0, incident.grade
    for line in (
        after.timeline
    ):  # it is taken once, and once more only where another than who has it raised it in between
        if line.kind == "ack":
            assert not taken_by or grade > known
            taken_by, known = line.actor, grade
        elif line.kind == "level":
            grade = 3
            known = grade if line.actor == taken_by else known
    assert after.acknowledged_by == taken_by
    assert after.grade == 3 and after.fields["grade_by"] in NAMES
    assert after.acknowledged_by in NAMES and after.status is Status.ACKNOWLEDGED
    assert tower.audit.verify() == []


def held(tower: Responder, incident_id: str) -> Incident:
    record = tower.records.get("incident", incident_id)
    assert record is not None
    return Incident.model_validate(record.body)


@contextmanager
def just_before(tower: Responder, place: int, act: Callable[[], object]) -> Iterator[list[int]]:
    """Somebody acts just before the tower's n-th write of records. Yields what is not empty once it came to that."""
    put, writes, came = tower.records.put, 0, list[int]()

    def putting(*arguments: Any, **more: Any) -> Record:
        nonlocal writes
        writes += 1
        if writes == place and not came:
            came.append(place)
            tower.records.put = put  # type: ignore[method-assign]
            act()
            tower.records.put = putting  # type: ignore[method-assign]
        return put(*arguments, **more)

    tower.records.put = putting  # type: ignore[method-assign]
    try:
        yield came
    finally:
        tower.records.put = put  # type: ignore[method-assign]


def _decide(people: Desk, incident_id: str) -> None:
    people.comment(incident_id, "本人に電話した", actor="sato", roles=ANALYST)
    people.acknowledge(incident_id, actor="sato", roles=ANALYST)
    people.regrade(incident_id, 3, "業務に支障", actor="sato", roles=ANALYST)


@pytest.mark.parametrize("whose", [0, 1])
def test_a_decision_at_any_moment_of_a_merge_is_kept(tmp_path: Path, whose: int) -> None:
    """On the survivor or on the one that is taken in, before each write: note, acknowledgement and grade are kept."""
    for place in range(1, 100):
        folder = tmp_path / str(place)
        tower, clock = responder(folder)
        people = desk(SqliteRecords(folder / "records.sqlite"), clock, KEY)
        [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
        [two] = tower.receive([alert("b", minutes=1, entities={"host.name": ["pc-1"]})])
        both = alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["pc-1"]})
        with just_before(tower, place, lambda p=people, i=(one, two)[whose].id: _decide(p, i)) as came:  # type: ignore[misc]
            tower.receive([both])
        after = held(tower, one.id)
        assert after.alert_ids == ["a-0", "b-1", "c-2"], place
        assert held(tower, two.id).status is Status.CLOSED
        if not came:
            assert place > 5, "the campaign went through the whole merge"
            return
        assert [line.ja for line in after.timeline if line.kind == "comment"] == ["本人に電話した"], place
        assert (after.acknowledged_by, after.grade, after.fields["grade_by"]) == ("sato", 3, "sato"), place
        assert after.status is Status.ACKNOWLEDGED, place


def test_an_alert_is_not_lost_in_an_incident_that_is_closed_meanwhile(tmp_path: Path) -> None:
    """A person closes it before any write: the verdict stands and the alert is in an incident that has it."""
    opened = set[int]()
    for place in range(1, 100):
        folder = tmp_path / str(place)
        tower, clock = responder(folder)
        people = desk(SqliteRecords(folder / "records.sqlite"), clock, KEY)
        [incident] = tower.receive([alert("a")])

        def close(people: Desk = people, incident: Incident = incident) -> None:
            people.close(incident.id, Verdict.BENIGN, "保守作業", actor="sato", roles=ANALYST)

        with just_before(tower, place, close) as came:
            [after] = tower.receive([alert("b", minutes=1)])
        if not came:
            assert opened == {2}, "closed before the alert was in: a new incident"
            return
        closed = held(tower, incident.id)
        assert (closed.status, closed.verdict) == (Status.CLOSED, Verdict.BENIGN), place
        assert "b-1" in after.alert_ids and after.status is Status.NEW, place
        record = tower.records.get("alert", "b-1")
        assert record is not None and record.body["incident_id"] == after.id
        opened.add(after.number)


def test_a_person_on_an_incident_that_was_merged_means_the_survivor(tmp_path: Path) -> None:
    """The page was still open: what is written there arrives at the incident that goes on."""
    tower, clock = responder(tmp_path)
    [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
    [two] = tower.receive([alert("b", minutes=1, entities={"host.name": ["pc-1"]})])
    tower.receive([alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["pc-1"]})])
    after = desk(tower.records, clock, KEY).acknowledge(two.id, actor="sato", roles=ANALYST)
    assert after.id == one.id and held(tower, one.id).acknowledged_by == "sato"


def test_an_alert_stored_before_a_crash_is_taken_in_afterwards(tmp_path: Path) -> None:
    """The process died between storing the alert and its incident: received again, it is there, under one number."""
    tower, _ = responder(tmp_path)
    put = tower.records.put

    def dying(kind: str, *arguments: Any, **more: Any) -> Record:
        if kind == "incident":
            raise KeyboardInterrupt
        return put(kind, *arguments, **more)

    tower.records.put = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        tower.receive([alert()])
    again, _ = responder(tmp_path)
    [incident] = again.receive([alert()])
    assert incident.number == 1 and incident.alert_ids == ["vpn_spray-0"]
    assert again.receive([alert()]) == []


def proposed(folder: Path) -> tuple[Responder, FixedClock, Run]:
    tower, clock = responder(folder)
    [incident] = tower.receive([alert(playbook="rpa_misuse")])
    return tower, clock, _run(tower, held(tower, incident.id).run_ids[0])


def _run(tower: Responder, run_id: str) -> Run:
    record = tower.records.get("playbook_run", run_id)
    assert record is not None
    return Run.model_validate(record.body)


def test_a_denial_in_the_last_second_beats_asking_again(tmp_path: Path) -> None:
    """Denied while the tower is about to put the request anew: the denial stands."""
    for place in range(1, 100):
        tower, clock, run = proposed(tmp_path / str(place))
        people = desk(tower.records, FixedClock(clock.now()), KEY)
        clock.advance(run.expires - clock.now())

        def deny(people: Desk = people, run_id: str = run.id) -> None:
            people.deny(run_id, actor="suzuki", roles=MANAGER)

        with just_before(tower, place, deny) as came:
            tower.tick()
        tower.tick()
        if not came:
            assert place > 2
            return
        assert _run(tower, run.id).state is RunState.DENIED, place


def test_a_plan_that_grows_in_the_moment_of_its_approval(tmp_path: Path) -> None:
    """Either the plan that was approved is carried out as it was, or the person is told that it changed."""
    outcomes = set[str]()
    for place in range(1, 100):
        tower, clock, run = proposed(tmp_path / str(place))
        people = desk(SqliteRecords(tmp_path / str(place) / "records.sqlite"), clock, KEY)
        more = alert("other", minutes=3, playbook="rpa_misuse", entities={
            "user.name": ["u.two"], "source.ip": ["203.0.113.66"]})  # fmt: skip
        refused = list[str]()

        def approve(people: Desk = people, run: Run = run, refused: list[str] = refused) -> None:
            try:
                people.approve(run.id, actor="suzuki", roles=MANAGER, plan=run.plan_hash)
            except Refused as error:
                refused.append(error.en)

        with just_before(tower, place, approve) as came:
            tower.receive([more])
        tower.tick()
        if not came:
            assert outcomes == {"as approved", "told"}
            return
        after = _run(tower, run.id)
        if refused:
            assert "changed" in refused[0] and after.state is RunState.PROPOSED, place
            assert after.plan_hash != run.plan_hash
            outcomes.add("told")
        else:
            assert after.state is RunState.DONE and after.plan_hash == run.plan_hash, place
            outcomes.add("as approved")


def test_two_people_undo_at_once(tmp_path: Path) -> None:
    """The desk of a second person sees the first one's undo and refuses in words, not with a conflict."""
    tower, clock, run = proposed(tmp_path)
    step = next(step for step in run.steps if step.act)
    touched = step.model_copy(update={"state": StepState.DONE, "before": {"was": "enabled"}})
    finished = run.model_copy(update={"state": RunState.DONE, "dry_run": False, "steps": [touched]})
    tower.records.put("playbook_run", run.id, finished.model_dump(mode="json"))
    first = desk(SqliteRecords(tmp_path / "records.sqlite"), clock, KEY)
    second = desk(tower.records, clock, KEY)

    def undo() -> None:
        first.undo(run.id, actor="suzuki", roles=MANAGER)

    with just_before(tower, 1, undo), pytest.raises(Refused, match="元に戻せる"):
        second.undo(run.id, actor="kato", roles=MANAGER)
    assert _run(tower, run.id).decided_by == "suzuki"
