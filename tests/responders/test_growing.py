"""A large incident takes in many alerts at once: the same as one after another, for less."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.alert import Alert
from hinomi.errors import StoreError
from hinomi.incident import Incident
from hinomi.store import Record
from responders.incidents.growing import BEHIND
from responders.responder import Responder
from tests.responders.city import alert, responder

MANY = 70


def storm() -> list[Alert]:
    """Alerts about one address and ever other people, graver and wider on the way."""
    levels, zones = ("medium", "high", "low", "critical"), ([], ["internet"], ["lgwan"], ["mynumber"])
    return [
        alert(
            f"r{n % 9}",
            minutes=n,
            id=f"a{n}",
            level=levels[n * 4 // MANY],
            zones=zones[n * 4 // MANY],
            playbook="rpa_misuse" if n % 30 == 3 else "",
            tags=[f"attack.t{1000 + n % 11}", "attack.impact"][: 1 + n // 40],
            guideline=[f"MIC-{n % 5}"],
            entities={
                "user.name": [f"u{n}", "u1"],
                "source.ip": ["203.0.113.66"],
                "host.name": [f"pc-{n % 50}"],
            },
        )
        for n in range(MANY)
    ]


def only(tower: Responder) -> Incident:
    [record] = tower.records.find("incident")
    return record.read_as(Incident)


@pytest.mark.parametrize("portion", [2, 25, MANY])
def test_the_same_as_one_after_another(tmp_path: Path, portion: int) -> None:
    """Every figure, word, reason and line, whatever comes together."""
    one, _ = responder(tmp_path / "one")
    many, _ = responder(tmp_path / "many")
    for each in storm():
        one.receive([each])
    coming = storm()
    for begin in range(0, MANY, portion):
        many.receive(coming[begin : begin + portion])
    single, whole = only(one), only(many)
    lines = [line for line in single.timeline if line.kind == "alert"]
    assert [line for line in whole.timeline if line.kind == "alert"] == lines
    same = single.model_dump(exclude={"timeline"})
    assert whole.model_dump(exclude={"timeline"}) == same
    assert len(whole.alert_ids) == MANY and BEHIND not in whole.fields


def test_alerts_are_not_read_again_for_each_one(tmp_path: Path) -> None:
    """What is read for so many more alerts does not grow with how many the incident has."""
    tower, clock = responder(tmp_path)
    get, reads = tower.records.get, 0

    def counted(kind: str, *arguments: Any) -> Record | None:
        nonlocal reads
        reads += kind == "alert"
        return get(kind, *arguments)

    tower.records.get = counted  # type: ignore[method-assign]
    shared = {"source.ip": ["203.0.113.66"]}
    taken = []
    for part in range(3):
        reads = 0
        tower.receive([alert("scan", id=f"s{part}-{n}", entities=shared) for n in range(100)])
        clock.advance(timedelta(seconds=5))
        taken.append(reads)
    assert len(only(tower).alert_ids) == 300
    assert taken[2] < 100 * 6 + 300 * 4, taken


def test_killed_before_it_was_caught_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alerts are in, the process dies before the title is worked out: given again, it is."""
    tower, _ = responder(tmp_path)

    def dies(*_: object) -> Incident:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(type(tower.incidents), "caught_up", dies)
        tower.receive(storm())
    assert only(tower).fields[BEHIND] and len(only(tower).alert_ids) == MANY
    tower.receive(storm())
    fresh, _ = responder(tmp_path / "fresh")
    fresh.receive(storm())
    for name in ("title_ja", "story_ja", "level", "entities", "grade"):
        assert getattr(only(tower), name) == getattr(only(fresh), name)
    assert only(tower).fields["risk"] == only(fresh).fields["risk"] and BEHIND not in only(tower).fields


def test_a_huge_incident_costs_no_more_for_each_alert(tmp_path: Path) -> None:
    """Past three hundred: what is read for a hundred more, or for twenty that are known and grow, is a few records each and no longer
    all of them; the timeline stays short and says so; title, risk and plan follow within a minute, also in a process begun anew."""
    tower, _ = responder(tmp_path)
    get, reads = tower.records.get, 0

    def counted(kind: str, *arguments: Any) -> Record | None:
        nonlocal reads
        reads += kind == "alert"
        return get(kind, *arguments)

    def came(begin: int, end: int, **more: Any) -> int:
        nonlocal reads
        reads, about = 0, {"source.ip": ["203.0.113.66"], "user.name": ["u1"]}
        tower.receive([alert("scan", id=f"s{n}", entities=about, **more) for n in range(begin, end)])
        return reads

    came(0, 400)
    tower.records.get = counted  # type: ignore[method-assign]
    assert came(400, 420) <= 60 and came(0, 20, event_count=900) <= 60
    assert came(420, 421) <= 3 and only(tower).fields[BEHIND]
    lines = [line for line in only(tower).timeline if line.kind == "alert"]
    assert (len(lines), len(only(tower).alert_ids)) == (301, 421) and "警報の一覧" in lines[-1].ja
    again, later = responder(tmp_path)
    later.advance(timedelta(minutes=9))
    again.start()
    again.tick()
    assert BEHIND not in only(again).fields
    reasons = only(again).fields["risk"]
    came(0, 1, event_count=901, level="critical", playbook="rpa_misuse")
    assert (
        BEHIND not in only(tower).fields and only(tower).run_ids
    )  # grave, with a playbook: waits for nothing
    assert only(tower).fields["risk"] != reasons


def test_a_huge_incident_is_planned_for_after_a_hiccup_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was worked out, and then the store was away for a moment: the plan is asked for a minute later."""
    tower, clock = responder(tmp_path)

    def taken(begin: int, end: int, **more: Any) -> None:
        about = {"source.ip": ["203.0.113.66"], "user.name": ["u1"]}
        tower.receive([alert("scan", id=f"s{n}", entities=about, **more) for n in range(begin, end)])

    def away(*_: object, **__: object) -> None:
        raise StoreError("応答がありません。", "no answer")

    taken(0, 305)
    taken(305, 306, level="medium", playbook="critical_vulnerability")
    assert only(tower).fields[BEHIND]
    with monkeypatch.context() as broken, pytest.raises(StoreError):
        broken.setattr(type(tower), "_propose", away)
        tower.tick()
    assert not only(tower).run_ids and only(tower).fields[BEHIND]  # so that one begun anew finds it
    clock.advance(timedelta(minutes=2))
    tower.tick()
    assert only(tower).run_ids and BEHIND not in only(tower).fields
