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
from hinomi.errors import StoreError
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from responders.responder import Responder
from tests.responders.city import alert, messages, responder

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
    with pytest.raises(ValueError, match="status"):
        made.tick()
    assert len(_told(tmp_path)) == 1
