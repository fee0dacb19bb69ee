"""On-call beyond the rota: quiet hours, zones, stand-ins, hand-over, maintenance, calendar, deadlines, failing channels."""

import itertools
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hinomi.clock import JST
from hinomi.errors import InputError, Refused
from hinomi.store import Records
from responders.handover import HandOver
from responders.oncall import Rota
from responders.oncall.ical import calendar, shifts
from responders.oncall.settings import Override
from responders.oncall.standins import OVERRIDE
from responders.responder import desk
from tests.responders.city import ANALYST, KEY, NIGHT, alert, messages, responder
from tests.responders.peers.served import served

PEOPLE = {
    "sato": {"name_ja": "佐藤", "channels": ["desk"]},
    "suzuki": {"name_ja": "鈴木", "channels": ["desk"]},
    "ciso": {"name_ja": "副市長", "channels": ["desk"]},
}
AS: dict[str, Any] = {"actor": "sato", "roles": ANALYST}


def oncall(**more: Any) -> dict[str, Any]:
    return {"people": PEOPLE, "layers": [{"people": ["sato"]}], **more}


def test_quiet_hours_wait_for_the_morning_and_grave_ones_do_not(tmp_path: Path) -> None:
    """Grade 1 at 03:14 is told at 07:00, together with the others of the night; grade 3 at once."""
    quiet = [{"start": "22:00", "end": "07:00", "grades": [1, 2]}]
    tower, clock = responder(tmp_path, oncall=oncall(quiet=quiet))
    for n in range(4):
        tower.receive([alert(f"r{n}", minutes=n, level="medium", entities={"user.name": [f"u{n}"]})])
    clock.advance(timedelta(hours=2))
    tower.tick()
    assert messages(tmp_path) == []
    tower.receive([alert("grave", minutes=5, level="critical", entities={"user.name": ["x"]})])
    tower.tick()
    assert len(messages(tmp_path)) == 1
    clock.time = datetime(2026, 11, 20, 7, 0, tzinfo=JST)
    tower.tick()
    told = messages(tmp_path)
    assert len(told) == 2 and any("4 件のインシデント" in text for text in told)


def test_a_zone_has_a_chain_of_its_own(tmp_path: Path) -> None:
    """What touches LGWAN calls the chief beside the person on call, at once."""
    chains = {"lgwan": [{"after_minutes": 0, "to": ["ciso"]}]}
    settings = oncall(escalation={2: [{"after_minutes": 0, "to": ["oncall"]}]}, escalation_zones=chains)
    tower, clock = responder(tmp_path, oncall=settings)
    tower.receive([alert(zones=["lgwan"], level="medium")])
    clock.advance(timedelta(minutes=1))
    tower.tick()
    assert {text.splitlines()[0] for text in messages(tmp_path)} == {"To: 佐藤", "To: 副市長"}


def test_somebody_stands_in(tmp_path: Path) -> None:
    """Entered while the tower runs, by whoever works on incidents; it can be dropped again."""
    tower, clock = responder(tmp_path)
    people = desk(tower.records, clock, KEY)
    end = NIGHT + timedelta(hours=6)
    with pytest.raises(Refused):
        people.roster.stand_in(
            "suzuki", NIGHT, end, "急病", settings=tower.settings.oncall, actor="k", roles=["viewer"]
        )
    with pytest.raises(InputError, match="一覧にない"):
        people.roster.stand_in("nobody", NIGHT, end, "急病", settings=tower.settings.oncall, **AS)
    held = people.roster.stand_in("suzuki", NIGHT, end, "急病", settings=tower.settings.oncall, **AS)
    assert tower.rota.who(NIGHT + timedelta(hours=1)) == "suzuki" and tower.rota.who(end) == "sato"
    people.roster.drop_stand_in(held.id, **AS)
    assert tower.rota.who(NIGHT + timedelta(hours=1)) == "sato"


@pytest.mark.parametrize("first", range(6))
def test_the_stand_in_that_was_entered_last_holds(tmp_path: Path, first: int) -> None:
    """Two overlap, in whatever order their ids are: the later word counts where they do, the earlier one before and behind it."""
    tower, clock = responder(tmp_path)
    people, hour = desk(tower.records, clock, KEY), timedelta(hours=1)
    start = NIGHT + first * hour
    for person, begins, ends in (
        ("suzuki", start, start + 6 * hour),
        ("ciso", start + hour, start + 5 * hour),
    ):
        people.roster.stand_in(person, begins, ends, "急病", settings=tower.settings.oncall, **AS)
        clock.advance(timedelta(minutes=1))
    assert [tower.rota.who(start + n * hour) for n in (0, 1, 4, 5, 6)] == [
        "suzuki",
        "ciso",
        "ciso",
        "suzuki",
        "sato",
    ]


@pytest.mark.parametrize("at", ["garbage", "2026-11-20T03:00:00", 7])
def test_a_damaged_stand_in_stops_no_calling(tmp_path: Path, at: object) -> None:
    """It is passed over, and whoever else is entered holds."""
    tower, clock = responder(tmp_path)
    people, end = desk(tower.records, clock, KEY), NIGHT + timedelta(hours=1)
    people.roster.stand_in("suzuki", NIGHT, end, "急病", settings=tower.settings.oncall, **AS)
    body = {
        "person": "ciso",
        "start": NIGHT.isoformat(),
        "end": end.isoformat(),
        "reason": "",
        "state": "open",
    }
    tower.records.put(OVERRIDE, "damaged", {**body, "at": at} if at != 7 else {**body, "start": 7})
    assert tower.rota.who(NIGHT) == "suzuki"


def test_stand_ins_of_years_hide_none(tmp_path: Path) -> None:
    """A thousand that are over and were never dropped: who stands in tonight is found among them."""
    tower, clock = responder(tmp_path)
    body = {"person": "ciso", "start": "2020-01-01T00:00:00+09:00", "reason": "", "state": "open"}
    for number in range(1000):
        old = {**body, "end": f"2020-{number % 12 + 1:02}-02T00:00:00+09:00"}
        tower.records.put(OVERRIDE, f"0{number:04}", old)
    people, end = desk(tower.records, clock, KEY), NIGHT + timedelta(hours=1)
    people.roster.stand_in("suzuki", NIGHT, end, "急病", settings=tower.settings.oncall, **AS)
    assert tower.rota.who(NIGHT) == "suzuki"


def test_the_change_of_shift_hands_over(tmp_path: Path) -> None:
    """Whoever comes gets what is open and the notes of who goes, once; notes are handed on once."""
    layers = [
        {"people": ["sato"], "start": "17:15", "end": "08:30"},
        {"people": ["suzuki"], "start": "08:30", "end": "17:15"},
    ]
    tower, clock = responder(tmp_path, oncall={"people": PEOPLE, "layers": layers})
    people = desk(tower.records, clock, KEY)
    [incident] = tower.receive([alert()])
    tower.tick()
    people.acknowledge(incident.id, **AS)
    people.roster.note("PC-114 は預かり済み", **AS)
    clock.time = datetime(2026, 11, 20, 8, 31, tzinfo=JST)
    tower.tick()
    clock.advance(timedelta(minutes=2))
    tower.tick()
    [text] = [one for one in messages(tmp_path) if "引き継ぎ" in one]
    assert text.startswith("To: 鈴木") and "前の当番: 佐藤" in text
    assert "PC-114 は預かり済み(11/20 03:14 sato)" in text and "担当 sato" in text
    japanese, english = text.split("\n----\n")
    assert "まずすること: 下の終わっていないものについて、前の当番に" in japanese
    assert "あなたの当番: 11/20 08:31 から 11/20 17:15 まで" in japanese and "#1 [段階2 中]" in japanese
    assert "until 11/20 17:15" in english and "* #1 [grade 2," in english and "預かり済み" in english


def test_who_comes_on_call_first_sees_what_nobody_has_taken(tmp_path: Path) -> None:
    """Not the newest and not only a list: the one incident to open, with its address."""
    layers = [
        {"people": ["sato"], "start": "17:15", "end": "08:30"},
        {"people": ["suzuki"], "start": "08:30", "end": "17:15"},
    ]
    tower, clock = responder(tmp_path, oncall={"people": PEOPLE, "layers": layers})
    tower.receive([alert()])
    tower.tick()
    clock.time = datetime(2026, 11, 20, 8, 31, tzinfo=JST)
    tower.tick()
    [text] = [one for one in messages(tmp_path) if "引き継ぎ" in one]
    first = text.split("\n\n", 1)[1].splitlines()[0]
    assert first.startswith("まずすること: まだ誰も引き受けていない #1 を開き") and first.endswith(
        "/incidents/1"
    )


def test_a_hand_over_names_who_knows_and_what_calls(tmp_path: Path) -> None:
    """Who was on call and is no contact any more is named; after a hole whoever has the incident is to be asked; an incident that
    has become graver waits again; one that calls nobody is not the first step; a hand-over is told once, also after a death."""
    tower, clock = responder(tmp_path, oncall={"people": PEOPLE, "layers": [{"people": ["suzuki"]}]})
    [incident] = tower.receive([alert()])
    hand_over = HandOver(tower.records, tower.rota, tower.outbox, "https://h")

    def told(before: str | None, **changes: Any) -> str:
        body = {**incident.model_dump(mode="json"), **changes}
        tower.records.put("incident", incident.id, body)
        tower.records.put("oncall_shift", "now", {"person": before, "since": NIGHT.isoformat()})
        hand_over.look(clock.now())
        held = max(
            tower.records.find("notification", {"incident_id": ""}), key=lambda one: one.body["created"]
        )
        clock.advance(timedelta(minutes=1))
        return str(held.body["text"]).split("\n----\n", maxsplit=1)[0]

    gone = told("tanaka", acknowledged_by="sato")
    assert "前の当番: tanaka(今は連絡先の一覧にいません)" in gone and "いませんでした" not in gone
    assert gone.startswith("まずすること: #1 の今の様子を、担当の sato に聞いてください。")
    hole = told(None, acknowledged_by="sato")
    assert "前の当番: いませんでした" in hole and "前の当番に今の様子を" not in hole
    risen = told("sato", acknowledged_by="sato", fields={**incident.fields, "acknowledged_grade": 1})
    assert risen.startswith("まずすること: 引き受けたあとで重くなった #1 を開き")
    assert told("sato", grade=0).startswith("今すぐすることはありません。")


def test_a_hand_over_that_died_on_the_way_is_told_once(tmp_path: Path) -> None:
    """The message was planned, the shift not yet written: the next look plans no other one."""
    tower, clock = responder(tmp_path, oncall={"people": PEOPLE, "layers": [{"people": ["suzuki"]}]})
    tower.records.put("oncall_shift", "now", {"person": "sato", "since": NIGHT.isoformat()})

    class Dying:
        """The records until the shift is written."""

        def __getattr__(self, name: str) -> Any:
            return getattr(tower.records, name)

        def put(self, kind: str, *rest: Any, **more: Any) -> Any:
            if kind == "oncall_shift":
                raise SystemExit
            return tower.records.put(kind, *rest, **more)

    with pytest.raises(SystemExit):
        HandOver(cast("Records", Dying()), tower.rota, tower.outbox, "https://h").look(clock.now())
    clock.advance(timedelta(minutes=1))
    HandOver(tower.records, tower.rota, tower.outbox, "https://h").look(clock.now())
    assert tower.records.count("notification", {"incident_id": ""}) == 1


def test_a_shift_ends_to_the_minute(tmp_path: Path) -> None:
    """Not at the next quarter of an hour."""
    layers = [
        {"people": ["sato"], "start": "08:40", "end": "17:20"},
        {"people": ["suzuki"], "start": "17:20", "end": "08:40"},
    ]
    tower, _ = responder(tmp_path, oncall={"people": PEOPLE, "layers": layers})
    for began, end in (("09:00", "17:20"), ("17:19", "17:20"), ("08:40", "17:20")):
        assert tower.rota.until(_at(began)) == _at(end), began


def test_short_spells_are_passed_over_by_nobody(tmp_path: Path) -> None:
    """A stand-in from 08:50 to 08:57 is the next hand-over, in the calendar and a hole in it: not what stands at quarter hours."""
    spell = {"start": "2026-11-20T08:50:00+09:00", "end": "2026-11-20T08:57:30+09:00", "person": "suzuki"}
    layers = [{"people": ["sato"], "start": "07:00", "end": "08:52"}, {"people": ["ciso"], "start": "08:59"}]
    tower, _ = responder(tmp_path, oncall={"people": PEOPLE, "layers": layers, "overrides": [spell]})
    assert tower.rota.until(_at("08:00")) == _at("08:50")
    assert tower.rota.until(_at("08:50")) == _at("08:57:30")
    assert tower.rota.holes(_at("08:00"), days=1)[0] == (_at("08:57:30"), _at("08:59"))
    assert list(itertools.islice(shifts(tower.rota, _at("08:00"), 1), 3)) == [
        ("sato", _at("08:00"), _at("08:50")),
        ("suzuki", _at("08:50"), _at("08:57:30")),
        ("ciso", _at("08:59"), _at("00:00") + timedelta(days=1)),
    ]


def test_whoever_is_always_on_call_has_no_end(tmp_path: Path) -> None:
    """Two layers of one person that meet at 08:30 are one spell; a stand-in who is the same person ends nothing, either."""
    same = {"start": "2026-11-20T10:00:00+09:00", "end": "2026-11-20T11:00:00+09:00", "person": "sato"}
    layers = [
        {"people": ["sato"], "start": "08:30", "end": "17:00"},
        {"people": ["sato"], "start": "17:00", "end": "08:30"},
    ]
    tower, _ = responder(tmp_path, oncall={"people": PEOPLE, "layers": layers, "overrides": [same]})
    assert tower.rota.until(_at("09:00")) is None


def _at(clock_time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{clock_time}+09:00")


def test_maintenance_is_planned_ahead(tmp_path: Path) -> None:
    """Only between start and end, only about these entities, and never what is critical; counted as suppressed."""
    tower, clock = responder(tmp_path)
    roster = desk(tower.records, clock, KEY).roster
    start, end = NIGHT + timedelta(hours=1), NIGHT + timedelta(hours=3)
    with pytest.raises(InputError, match="対象"):
        roster.plan_maintenance("入替", start, end, {}, **AS)
    roster.plan_maintenance("基幹サーバー入替", start, end, {"host.name": "srv-1"}, **AS)
    about = {"entities": {"host.name": ["srv-1"]}}
    assert tower.receive([alert("before", **about)])
    clock.advance(timedelta(hours=2))
    other = {"entities": {"host.name": ["srv-2"]}}
    assert tower.receive([alert("during", minutes=120, **about)]) == []
    assert tower.receive([alert("other", minutes=120, **other)])
    assert tower.receive([alert("grave", minutes=120, level="critical", **about)])
    clock.advance(timedelta(hours=2))
    assert tower.receive([alert("after", minutes=240, **about)])
    counted = {line.reason for line in tower.ledger.take()}
    assert any(reason and "基幹サーバー入替" in reason for reason in counted)


def test_maintenance_ends_before_its_time(tmp_path: Path) -> None:
    """The work was done early or planned by mistake: from then on alerts call; another number ends nothing, nor does what is over."""
    tower, clock = responder(tmp_path)
    roster = desk(tower.records, clock, KEY).roster
    about = {"host.name": "srv-1"}
    held = roster.plan_maintenance("入替", clock.now(), clock.now() + timedelta(days=13), about, **AS)
    with pytest.raises(InputError, match="保守作業はありません"):
        roster.end_maintenance("x", **AS)
    assert tower.receive([alert("during", entities={"host.name": ["srv-1"]})]) == []
    roster.end_maintenance(held.id, **AS)
    assert tower.receive([alert("after", entities={"host.name": ["srv-1"]})])
    with pytest.raises(InputError, match="もう終わっています"):
        roster.end_maintenance(held.id, **AS)
    assert [one.body["action"] for one in tower.records.find("audit")].count("oncall.maintenance_ended") == 1


def test_the_calendar_is_one_that_telephones_read(tmp_path: Path) -> None:
    """RFC 5545: lines end in CRLF and hold at most 75 octets; a week has the shifts that the rota names."""
    long = {**PEOPLE, "sato": {"name_ja": "佐藤, 一郎;" + "長" * 40, "channels": ["desk"]}}
    layers = [
        {"people": ["sato", "suzuki"], "start": "17:15", "end": "08:30", "turns_from": "2026-11-16"},
        {"people": ["ciso"], "start": "08:30", "end": "17:15"},
    ]
    tower, _ = responder(tmp_path, oncall={"people": long, "layers": layers})
    text = calendar(tower.rota, NIGHT, days=7)
    assert text.endswith("END:VCALENDAR\r\n") and "\r\n" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    whole = text.replace("\r\n ", "")
    assert "佐藤\\, 一郎\\;" in whole and whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 17
    spans = list(shifts(tower.rota, NIGHT, 7))
    assert all(one[2] == two[1] for one, two in itertools.pairwise(spans)), "no holes"
    own = calendar(tower.rota, NIGHT, days=7, person="ciso").replace("\r\n ", "")
    assert "副市長" in own and "佐藤" not in own


def test_deadlines_are_told_ahead(tmp_path: Path) -> None:
    """A clock: on day 3, the day before, the last day also to the CISO; each stage once; nothing after it was sent."""
    tower, clock = responder(tmp_path)
    people = desk(tower.records, clock, KEY)
    [incident] = tower.receive([alert(zones=["mynumber"])])
    people.acknowledge(incident.id, **AS)
    people.clocks.start(incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", **AS)
    for _ in range(4 * 24 + 20):
        clock.advance(timedelta(hours=1))
        tower.tick()
    told = [text for text in messages(tmp_path) if "速報" in text and "報告の期限" in text]
    assert len(told) == 5  # soon, day and due to the one on call; due also to the others of the chain
    assert sum("近づいて" in text for text in told) == sum("明日" in text for text in told) == 1
    assert {t.splitlines()[0] for t in told if "今日" in t} == {"To: 佐藤", "To: 鈴木", "To: 副市長"}


def test_a_deadline_is_written_as_people_write_a_day(tmp_path: Path) -> None:
    """12月2日, no nought before the number."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert(zones=["mynumber"])])
    known = datetime(2026, 11, 28, 9, 0, tzinfo=JST)
    clock.time = known + timedelta(days=6)
    desk(tower.records, clock, KEY).clocks.start(incident.id, "PPC-MN-PRELIM", known, "兆候", **AS)
    tower.tick()
    said = [str(one.body["subject"]) for one in tower.records.find("notification")]
    assert [one for one in said if "(12月3日(木) " in one or "(12月2日(水) " in one], said


class Far:
    """A service outside that counts."""

    def __init__(self) -> None:
        self.seen = 0

    def app(self) -> Starlette:
        async def take(request: Request) -> Response:
            self.seen += 1
            return Response()

        return Starlette(routes=[Route("/beat", take)])


def test_a_channel_that_fails_is_told_elsewhere_and_the_heartbeat_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While messages go out the address outside is fetched; a mail relay that is away is told on another channel, once."""
    far = Far()
    (tmp_path / "tls").mkdir()
    with served(far.app(), tmp_path / "tls", tls=False) as at:
        monkeypatch.setenv("BEAT", f"{at.url}/beat")
        channels = {
            "desk": {"kind": "file", "folder": str(tmp_path / "messages")},
            "mail": {"kind": "smtp", "host": "127.0.0.1", "port": 1, "sender": "a@example.jp", "tls": "none"},
        }
        people = {**PEOPLE, "sato": {"name_ja": "佐藤", "channels": ["mail"], "mail": "s@example.jp"}}
        tower, clock = responder(
            tmp_path,
            oncall={"people": people, "layers": [{"people": ["sato"]}]},
            notify={
                "channels": channels,
                "alarm": ["suzuki"],
                "heartbeat": {"url": "env:BEAT", "minutes": 5},
            },
        )
        tower.outbox.sending.chance = random.Random(1)
        tower.tick()
        assert far.seen == 1
        tower.receive([alert()])
        for _ in range(30):
            clock.advance(timedelta(minutes=1))
            tower.tick()
        [text] = [one for one in messages(tmp_path) if "通知そのものが届いていません" in one]
        assert text.startswith("To: 鈴木") and "mail: 1 件" in text
        assert "* mail: 1 did not arrive" in text.split("\n----\n")[1]
        seen = far.seen
        clock.advance(timedelta(minutes=6))
        tower.tick()
        assert far.seen == seen, "silent, so that the service outside rings"
    held = tower.records.get("notify_health", "now")
    assert held is not None and held.body["ok"] is False


def test_what_leaves_the_network_names_nobody(tmp_path: Path) -> None:
    """The same incident on an inner and an outer channel: the outer one has the number, the grade and the links only."""
    channels = {
        "desk": {"kind": "file", "folder": str(tmp_path / "inner")},
        "away": {"kind": "file", "folder": str(tmp_path / "outer"), "inside": False},
    }
    people = {
        "sato": {"name_ja": "佐藤", "channels": ["desk"]},
        "suzuki": {"name_ja": "鈴木", "channels": ["away"]},
    }
    chain = {2: [{"after_minutes": 0, "to": ["sato", "suzuki"]}]}
    tower, clock = responder(
        tmp_path,
        oncall={"people": people, "layers": [{"people": ["sato"]}], "escalation": chain},
        notify={"channels": channels},
    )
    tower.receive([alert()])
    clock.advance(timedelta(minutes=1))
    tower.tick()
    [inner] = [path.read_text() for path in (tmp_path / "inner").glob("*.txt")]
    [outer] = [path.read_text() for path in (tmp_path / "outer").glob("*.txt")]
    for secret in ("t.yamada", "203.0.113.66"):
        assert secret in inner and secret not in outer
    assert "#1" in outer and "/a/" in outer and "段階 2" in outer
    ja, _, en = outer.partition("\n----\n")
    for said_ja, said_en in (
        ("警報 1 件", "Alerts: 1"),
        ("/incidents/1", "/incidents/1"),
        ("転送しない", "do not forward"),
    ):
        assert said_ja in ja and said_en in en


def test_stand_ins_are_read_once_for_many_moments(tmp_path: Path) -> None:
    """Two weeks of holes and of shifts ask the store once each; the first two shifts are there before the rest is worked out."""
    tower, _ = responder(tmp_path)
    asked = list[int]()

    def standins() -> Sequence[Override]:
        asked.append(1)
        return [Override(start=NIGHT, end=NIGHT + timedelta(hours=2), person="suzuki", reason="交代")]

    rota = Rota(tower.rota.settings, standins)
    assert rota.holes(NIGHT) == [] and len(asked) == 1
    first = list(itertools.islice(shifts(rota, NIGHT, 14), 2))
    assert [who for who, _, _ in first] == ["sato", "suzuki"] and len(asked) == 2
    assert rota.who(NIGHT) == "suzuki" and len(asked) == 3, "one moment is asked as it is now"


def test_what_the_limit_of_the_hour_holds_back_is_told(tmp_path: Path) -> None:
    """No channel failed, so no channel is named: how many wait, and what holds them, on a way that the limit does not close."""
    notify = {
        "channels": {"desk": {"kind": "file", "folder": str(tmp_path / "messages")}},
        "alarm": ["suzuki"],
        "an_hour": 1,
    }
    layers = {"people": PEOPLE, "layers": [{"people": ["sato"]}]}
    tower, clock = responder(tmp_path, oncall=layers, notify=notify)
    for names in (["a"], ["b", "c"]):
        tower.receive([alert(one, entities={"user.name": [one]}) for one in names])
        clock.advance(timedelta(minutes=2))
        tower.tick()
    minutes = 0
    while not (told := [one for one in messages(tmp_path) if "通知そのものが届いていません" in one]):
        clock.advance(timedelta(minutes=1))
        tower.tick()
        minutes += 1
        assert minutes < 40, "nobody is told"
    assert told[0].startswith("To: 鈴木") and "まだ送っていないもの: 2 件" in told[0] and minutes > 5
    assert "not sent yet: 2 (the hour's limit" in told[0]
