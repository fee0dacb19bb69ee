"""An incident that needs a person reaches one, whatever dies or does not answer: at least once, twice at most and marked so.

Each test is a suspect of the fault campaign, made to happen for certain: the store refuses one write or the process dies
there, another process leads in between, channels fail.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.alert import Alert
from hinomi.clock import FixedClock
from hinomi.errors import Damaged, StoreError
from hinomi.incident import Verdict
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, alert, messages, responder

MINUTE = timedelta(minutes=1)


class Died(BaseException):
    """The process is gone at once: nothing catches it."""


def breaking(records: SqliteRecords, at: int, error: Callable[[], BaseException], *, late: bool) -> list[int]:
    """Makes the so-manyth write fail, before it is done or (late) after; returns a counter of the writes."""
    put, count = records.put, [0]

    def write(*arguments: Any, **more: Any) -> Record:
        count[0] += 1
        if count[0] == at and not late:
            raise error()
        done = put(*arguments, **more)
        if count[0] == at:
            raise error()
        return done

    records.put = write  # type: ignore[method-assign]
    return count


def whole(records: Any) -> None:
    """Writes go through again."""
    if "put" in vars(records):
        del records.put


def away() -> StoreError:
    """What a cluster that does not answer gives."""
    return StoreError("記録を書けません。", "records cannot be written")


def _one(n: int = 0, **more: Any) -> Alert:
    entities = {"host.name": [f"pc{n:03}"], "source.ip": [f"203.0.113.{n}"]}
    return alert(f"r{n}", entities=entities, zones=["lgwan"], **more)


def _round(made: Responder, alerts: list[Alert]) -> bool:
    """What the respond process does in a round; False where the store failed in the middle."""
    try:
        made.receive(alerts)
        made.tick()
    except StoreError:
        return False
    return True


def _writes(tmp_path: Path) -> int:
    """How many writes a round of two alerts takes."""
    made, _ = responder(tmp_path / "quiet")
    count = breaking(made.records, 0, away, late=False)  # type: ignore[arg-type]
    assert _round(made, [_one(1, playbook="block_address"), _one(2)])
    return count[0]


def _told(folder: Path) -> list[str]:
    return [text for n in (1, 2) for text in messages(folder) if f"pc{n:03}" in text]


@pytest.mark.parametrize("late", [False, True], ids=["not written", "answer lost"])
def test_a_store_that_is_away_for_one_write_delays_a_round(tmp_path: Path, *, late: bool) -> None:
    """Whichever write of two new incidents fails, both are told within two rounds, once, and the plan is asked for."""
    for at in range(1, _writes(tmp_path) + 1):
        folder = tmp_path / f"{at}-{late}"
        folder.mkdir()
        made, clock = responder(folder)
        breaking(made.records, at, away, late=late)  # type: ignore[arg-type]
        alerts = [_one(1, playbook="block_address"), _one(2)]
        _round(made, alerts)
        whole(made.records)
        for _ in range(2):
            clock.advance(timedelta(seconds=1))
            assert _round(made, alerts), at  # what was not taken is given again
        _all_told(made, folder, at)


def _all_told(made: Responder, folder: Path, at: int) -> None:
    told = "\n".join(messages(folder))
    assert "pc001" in told and "pc002" in told, at
    assert all("certain" not in str(r.body["history"]) for r in made.records.find("notification")), at
    assert {r.body["state"] for r in made.records.find("notification")} <= {"sent", "folded"}, at
    assert made.records.count("playbook_run") == 1, at
    sent = made.records.count("notification", {"state": "sent"})
    assert [r.body["action"] for r in made.records.find("audit")].count("notify.sent") >= sent, at


def test_a_process_that_dies_at_any_write_is_followed_by_one_that_tells(tmp_path: Path) -> None:
    """Killed between any two writes; the next process is given the same alerts: both incidents are told, a message that
    may come twice says so, and the plan is asked for."""
    for at in range(1, _writes(tmp_path) + 1):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        made, clock = responder(folder)
        breaking(made.records, at, Died, late=False)  # type: ignore[arg-type]
        alerts = [_one(1, playbook="block_address"), _one(2)]
        with pytest.raises(Died):
            _round(made, alerts)
        made.records.close()
        again, clock = responder(folder)
        again.start()
        for _ in range(3):
            clock.advance(timedelta(seconds=10))
            assert _round(again, alerts), at
        told = "\n".join(messages(folder))
        assert "pc001" in told and "pc002" in told, at
        assert again.records.count("playbook_run") == 1, at
        for record in again.records.find("notification", {"state": "sent"}):
            doubted = any(not line.get("certain", True) for line in record.body["history"])
            text = (folder / "messages" / f"{record.id}.txt").read_text(encoding="utf-8")
            assert doubted == ("【再送】" in text), at
        again.records.close()


def test_whoever_leads_again_looks_anew(tmp_path: Path) -> None:
    """One process led, another took an incident in and died before it called: the first, leading again, calls."""
    first, clock = responder(tmp_path)
    first.start()
    first.tick()
    second, _ = responder(tmp_path)
    second.receive([_one(1)])
    clock.advance(timedelta(seconds=10))
    first.start()
    first.tick()
    assert len(messages(tmp_path)) == 1


def test_a_doubt_is_sent_once_more_and_a_second_one_calls_somebody_else(tmp_path: Path) -> None:
    """The process dies while sending on the only channel: the message goes again, marked. It dies again: that is enough for
    this person, and the next of the chain is called at once."""
    made, clock = responder(tmp_path)
    made.receive([_one(1)])
    made.tick()
    [record] = made.records.find("notification")
    for died in (1, 2):
        held = made.records.get("notification", record.id)
        assert held is not None
        made.records.put("notification", record.id, {**held.body, "state": "sending"})
        (tmp_path / "messages" / f"{record.id}.txt").unlink()
        made.start()
        clock.advance(timedelta(seconds=30))
        made.tick()
        told = messages(tmp_path)
        assert len(told) == 1
        assert ("【再送】" in told[0], told[0].splitlines()[0]) == (
            died == 1,
            f"To: {'佐藤' if died == 1 else '鈴木'}",
        )
    after = made.records.get("notification", record.id)
    assert after is not None and after.body["state"] == "unknown"
    actions = [r.body["action"] for r in made.records.find("audit", limit=1000)]
    assert actions.count("notify.unknown") == 2


def _with_mail(folder: Path, **people: list[str]) -> tuple[Responder, FixedClock]:
    """Mail by a relay that is away, and files."""
    channels = {
        "mail": {"kind": "smtp", "host": "127.0.0.1", "port": 1, "sender": "a@example.jp", "tls": "none"},
        "desk": {"kind": "file", "folder": str(folder / "messages")},
    }
    own = {
        name: {"name_ja": name, "channels": named, "mail": f"{name}@example.jp"}
        for name, named in people.items()
    }
    chain = [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 30, "to": ["boss"]}]
    oncall = {"people": own, "layers": [{"people": ["sato"]}], "escalation": {3: chain}}
    return responder(folder, oncall=oncall, notify={"channels": channels, "attempts": 3})


def _minutes(made: Responder, clock: FixedClock, n: int) -> None:
    for _ in range(n):
        clock.advance(MINUTE)
        made.tick()


def test_a_relay_that_is_away_calls_whoever_has_another_way(tmp_path: Path) -> None:
    """Three tries, then the boss, whose mail goes by the same relay, is passed over; somebody with another way is asked."""
    made, clock = _with_mail(tmp_path, sato=["mail"], boss=["mail"], guard=["desk"])
    made.receive([_one(1)])
    _minutes(made, clock, 4)
    assert [text.splitlines()[0] for text in messages(tmp_path)] == ["To: guard"]
    assert made.records.count("notification") == 2


def test_a_message_is_tried_until_the_relay_is_back(tmp_path: Path) -> None:
    """Nobody has another way and the relay is away for two days: the message is tried every two minutes and goes at last."""
    made, clock = _with_mail(tmp_path, sato=["mail"], boss=["mail"])
    made.receive([_one(1)])
    _minutes(made, clock, 5)
    clock.advance(timedelta(days=2))
    _minutes(made, clock, 5)
    states = [(r.body["state"], r.body["lost"]) for r in made.records.find("notification")]
    assert states and set(states) == {("planned", True)}
    made.settings.notify.channels["mail"] = made.settings.notify.channels["desk"]
    _minutes(made, clock, 3)
    assert any(text.startswith("To: sato") for text in messages(tmp_path))


def test_one_broken_incident_does_not_silence_the_others(tmp_path: Path) -> None:
    """A record that cannot be read is told as an error; the incident behind it is called in the same round."""
    made, _ = responder(tmp_path)
    [broken] = made.receive([_one(1, level="critical")])
    held = made.records.get("incident", broken.id)
    assert held is not None
    made.records.put("incident", broken.id, {**held.body, "status": "?"})
    made.receive([_one(2)])
    with pytest.raises(Damaged, match="status"):
        made.tick()
    assert len(_told(tmp_path)) == 1


def test_one_broken_alert_does_not_keep_the_plan_of_another(tmp_path: Path) -> None:
    """What is kept of the first alert cannot be read; the incident of the second has its plan in the same round."""
    made, _ = responder(tmp_path)
    made.records.put("alert", _one(1).id, {"id": "?"})
    with pytest.raises(Damaged, match="rule_id"):
        made.receive([_one(1), _one(2, playbook="block_address")])
    assert made.records.count("playbook_run") == 1


def test_an_incident_that_does_not_say_its_grade_does_not_silence_the_others(tmp_path: Path) -> None:
    """Neither grade nor time is in its record: it is told as an error, in every round, and the one behind it is called; also
    where the queue is made anew of what there is."""
    made, clock = responder(tmp_path)
    [broken] = made.receive([_one(1)])
    held = made.records.get("incident", broken.id)
    assert held is not None
    cut = {key: value for key, value in held.body.items() if key not in ("grade", "last", "fields")}
    made.records.put("incident", broken.id, {**cut, "title_ja": 7})
    for n in (2, 3):
        made.receive([_one(n)])
        clock.advance(MINUTE)
        with pytest.raises(Damaged, match="title_ja"):
            made.tick()
        made.calling.restart()
    assert len(messages(tmp_path)) == 2


def _two_plans(made: Responder) -> tuple[str, str, str]:
    """Two incidents, each with a plan that waits: the run of the first, incident and run of the second."""
    one, two = made.receive([_one(n, playbook="block_address") for n in (1, 2)])
    runs = {r.body["incident_id"]: r.id for r in made.records.find("playbook_run")}
    return runs[one.id], two.id, runs[two.id]


def _close(made: Responder, incident: str) -> None:
    """A person closes it: its plan is withdrawn in the next round."""
    door = desk(made.records, made.clock, KEY)
    door.close(incident, Verdict.FALSE_POSITIVE, "試験", actor="sato", roles=ANALYST)


def _state(made: Responder, run: str) -> str:
    held = made.records.get("playbook_run", run)
    assert held is not None
    return str(held.body["state"])


def _lines(made: Responder, incident: str) -> str:
    held = made.records.get("incident", incident)
    assert held is not None
    return "\n".join(line["ja"] for line in held.body["timeline"])


def test_one_broken_run_does_not_hold_up_the_plans_behind_it(tmp_path: Path) -> None:
    """A run under way cannot be read; the plan behind it is withdrawn with its incident, and the timeline says so."""
    made, _ = responder(tmp_path)
    broken, incident, run = _two_plans(made)
    made.records.put("playbook_run", broken, {"state": "running"})
    _close(made, incident)
    with pytest.raises(Damaged, match="playbook"):
        made.tick()
    assert _state(made, run) == "withdrawn" and "取り下げ" in _lines(made, incident)


def test_a_run_that_somebody_writes_in_the_same_moment_holds_up_none(tmp_path: Path) -> None:
    """Another process writes the first run while it is withdrawn: no error, the second is withdrawn in the same round and the
    first in the next."""
    made, clock = responder(tmp_path)
    one, incident, two = _two_plans(made)
    held = made.records.get("playbook_run", one)
    assert held is not None
    _close(made, str(held.body["incident_id"]))
    _close(made, incident)
    put, crossed = made.records.put, list[str]()

    def crossing(kind: str, id: str, *arguments: Any, **more: Any) -> Record:  # noqa: A002
        if kind == "playbook_run" and not crossed:
            crossed.append(id)
            put(kind, id, {**held.body, "id": id} if id == one else _body(made, id))
        return put(kind, id, *arguments, **more)

    made.records.put = crossing  # type: ignore[method-assign]
    made.tick()
    assert sorted((_state(made, one), _state(made, two))) == ["proposed", "withdrawn"]
    clock.advance(MINUTE)
    made.tick()
    assert {_state(made, one), _state(made, two)} == {"withdrawn"}


def _body(made: Responder, run: str) -> dict[str, Any]:
    held = made.records.get("playbook_run", run)
    assert held is not None
    return dict(held.body)


def test_what_a_run_has_to_say_is_not_lost_with_the_store(tmp_path: Path) -> None:
    """The store is away when the timeline is to be written: the line is there after the next round."""
    made, clock = responder(tmp_path)
    _, incident, run = _two_plans(made)
    _close(made, incident)
    put, failed = made.records.put, list[str]()

    def away_once(kind: str, id: str, *arguments: Any, **more: Any) -> Record:  # noqa: A002
        if kind == "incident" and not failed:
            failed.append(id)
            raise away()
        return put(kind, id, *arguments, **more)

    made.records.put = away_once  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        made.tick()
    assert failed and _state(made, run) == "withdrawn" and "取り下げ" not in _lines(made, incident)
    clock.advance(MINUTE)
    made.tick()
    assert "取り下げ" in _lines(made, incident)
