"""Calling people: the rota, one message for a storm, escalation until somebody takes it, real SMTP, single approvals."""

import email
import email.policy
import itertools
import socketserver
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hinomi.alert import Alert
from hinomi.clock import JST
from hinomi.errors import Refused
from hinomi.incident import Verdict
from hinomi.words import Words
from responders.connectors.protocol import Done
from responders.notify import links
from responders.notify.message import Brief, Message, of_several, plain
from responders.oncall import OnCallSettings, Rota
from responders.playbooks.rehearsal import Stage
from responders.responder import desk
from responders.settings import ResponderSettings
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder


def jst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JST)


@dataclass(slots=True)
class _Long(Stage):
    """Sees which messages went out before it acts: an act takes as long as its target does."""

    folder: Path = field(default_factory=Path)
    out: list[str] = field(default_factory=list)

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """See `Connector`."""
        self.out += messages(self.folder)
        return Stage.act(self, action, values)


def test_nobody_is_called_later_because_an_act_takes_long(tmp_path: Path) -> None:
    """An approved act and a new grave incident in the same round: the call goes out before the act begins."""
    tower, clock = responder(tmp_path, playbooks={"armed": ["rpa_misuse"]})
    target = _Long(folder=tmp_path)
    tower.runs.world = replace(tower.runs.world, connectors=lambda action, on: target)
    tower.receive([alert(playbook="rpa_misuse")])
    tower.tick()
    told = len(messages(tmp_path))
    [asked] = tower.records.find("approval", {"state": "open"})
    desk(tower.records, clock, KEY).approve(asked.id, actor="suzuki", roles=MANAGER)
    [other] = tower.receive([alert("ransom", level="critical", entities={"host.name": ["srv-9"]})])
    tower.tick()
    assert target.acts and len(target.out) == told + 1 and f"#{other.number}" in "".join(target.out)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2026-11-20T10:00", "day"),
        ("2026-11-20T17:15", "night"),
        ("2026-11-21T03:14", "night"),
        ("2026-11-22T12:00", "closed"),
        ("2026-11-23T12:00", "closed"),  # 勤労感謝の日
        ("2026-12-29T12:00", "closed"),
        ("2027-01-03T12:00", "closed"),
        ("2027-01-04T12:00", "day"),
        ("2026-11-25T10:00", "standin"),
    ],
)
def test_rota_by_hours_holidays_and_overrides(at: str, person: str) -> None:
    """Office hours, nights over midnight, holidays, the New Year closing, and somebody standing in."""
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    settings = OnCallSettings.model_validate(
        {
            "people": {
                name: {"name_ja": name, "channels": ["desk"]}
                for name in ("day", "night", "closed", "standin")
            },
            "layers": [
                {"people": ["day"], "days": weekdays, "start": "08:30", "end": "17:15"},
                {"people": ["night"], "days": weekdays, "start": "17:15", "end": "08:30"},
                {"people": ["closed"]},
            ],
            "overrides": [
                {
                    "start": "2026-11-25T08:00:00+09:00",
                    "end": "2026-11-25T18:00:00+09:00",
                    "person": "standin",
                }
            ],
        }
    )
    assert Rota(settings).who(jst(at)) == person


def test_a_storm_is_one_message_and_people_take_turns(tmp_path: Path) -> None:
    """Two hundred alerts about one person: one incident, one message, and one more for each step nobody answered."""
    made, clock = responder(tmp_path)
    made.receive([alert(f"r{i}", minutes=i % 50) for i in range(200)])
    clock.advance(timedelta(minutes=1))
    for _ in range(5):
        made.tick()
    assert len(messages(tmp_path)) == 1
    for minutes, people in ((13, 1), (2, 2), (15, 3), (60, 3)):
        clock.advance(timedelta(minutes=minutes))
        made.tick()
        assert len(messages(tmp_path)) == people
    told = {text.splitlines()[0] for text in messages(tmp_path)}
    assert told == {"To: 佐藤", "To: 鈴木", "To: 副市長"}


@pytest.mark.parametrize(
    ("old", "waits"),
    [(0, 2), (1, 1), (3, 0), (3600, 2), (-60, 2)],
    ids=["now", "young", "busy", "late", "ahead"],
)
def test_a_burst_that_came_together_on_the_way_waits_no_more(tmp_path: Path, old: int, waits: int) -> None:
    """Grade 2 waits two seconds from the event on, not from when a busy machine came to it; of an event an hour old or of a
    clock that is ahead it waits from the opening, as nothing is known of what comes with it."""
    made, clock = responder(tmp_path)
    clock.advance(timedelta(seconds=max(old, 0)))
    made.receive([alert(minutes=1 if old < 0 else 0)])
    for second in range(3):
        made.tick()
        assert bool(messages(tmp_path)) == (second >= waits), second
        clock.advance(timedelta(seconds=1))


def test_whoever_may_decide_is_asked_to_decide(tmp_path: Path) -> None:
    """The person on call is told to ask, those who hold the office or one above it to decide: never to ask themselves."""
    people = {
        "sato": {"name_ja": "佐藤", "channels": ["desk"]},
        "suzuki": {"name_ja": "鈴木課長", "channels": ["desk"], "office": "information_system_manager"},
        "ciso": {"name_ja": "副市長", "channels": ["desk"], "office": "ciso"},
    }
    steps = {grade: [{"after_minutes": 0, "to": ["oncall", "suzuki", "ciso"]}] for grade in (1, 2, 3)}
    own = {"people": people, "layers": [{"people": ["sato"]}], "escalation": steps}
    made, clock = responder(tmp_path, oncall=own)
    made.receive([alert(playbook="block_address")])
    clock.advance(timedelta(minutes=1))
    made.tick()
    first = {
        text.splitlines()[0]: next(line for line in text.splitlines() if line.startswith("まずすること"))
        for text in messages(tmp_path)
    }
    assert first["To: 佐藤"].endswith("決める人に判断を求めてください。")
    assert first["To: 鈴木課長"].endswith(first["To: 副市長"][-20:])
    assert first["To: 副市長"].endswith("承認するか却下するかを決めてください。")


def test_a_storm_over_several_incidents_is_one_message(tmp_path: Path) -> None:
    """Forty incidents at once are one message with a link each and a storm by itself: later ones wait for one digest; what
    is graver than all told does not wait; a second respond process after a crash tells nothing again."""
    made, clock = responder(tmp_path)
    made.receive([_of_host(n) for n in range(40)])
    clock.advance(timedelta(minutes=1))
    made.tick()
    [text] = messages(tmp_path)
    first = text.split("\n\n", 1)[1].splitlines()[0]
    assert first.startswith("まずすること: 一番重いものの「対応を始める」を押してください: http")
    assert (
        text.count("/a/") == 22 and "ほか 20 件" in text
    )  # 20 and the first step, twice and "Subject: 【40件】" in text
    ja, en = text.split("\n----\n")
    assert (
        en.count("* [Grade ") == 20
        and "* [Grade 2, Medium] pc002: r2 found (since 03:14) #3" in en
        and "転送しないで" in ja
    )
    for n in range(60, 70):
        made.receive([_of_host(n)])
        clock.advance(timedelta(seconds=40))
        made.tick()
    assert len(messages(tmp_path)) == 1  # a storm: they wait
    made.receive([_of_host(80, zones=["lgwan"])])
    made.tick()
    graver = set(messages(tmp_path))
    assert len(graver) == 2 and any("【11件】" in text for text in graver)
    made.start()
    made.tick()
    assert len(messages(tmp_path)) == 2
    states = [record.body["state"] for record in made.records.find("notification", limit=1000)]
    assert (states.count("sent"), states.count("folded")) == (2, 51)


def _deadline(what: str) -> Message:
    words = Words(f"期限: {what}", f"Due: {what}")
    return plain(words, [words], outside=words, link=f"https://hinomi.example.jp/{what}", grade=3)


def test_deadlines_in_a_digest_are_each_told_and_never_an_empty_link(tmp_path: Path) -> None:
    """Two deadlines of one incident, due the same morning, and a call: all three are said, the first step is the call's;
    without the call one opens the first deadline. Nothing is asked for with an empty link."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([_of_host(1)])
    for what in ("appi", "mynumber"):
        made.outbox.plan("sato", _deadline(what), key=what, incident_id=incident.id)
    clock.advance(timedelta(minutes=1))
    made.tick()
    [text] = messages(tmp_path)
    assert "期限: appi" in text and "期限: mynumber" in text and "pc001" in text
    first = text.split("\n\n", 1)[1].splitlines()[0]
    assert first.startswith(
        "まずすること: 引き受けを待つもののうち一番重いものの「対応を始める」を押してください: http"
    )
    assert text.count("対応を始める: http") == 1 and "対応を始める: \n" not in text
    several = of_several([Brief(_deadline(what), f"https://a/{what}", "") for what in ("one", "two")])
    assert several.text.startswith("まずすること: 開いてください: https://a/one\n")
    for said in (several.text, several.outside_text):
        assert "対応を始める" not in said and "acknowledge" not in said


def test_serious_incidents_in_a_storm_are_never_held_for_long(tmp_path: Path) -> None:
    """After a storm of small ones each of the first serious incidents is told in its own round; when they are a storm
    themselves they are told together, a minute apart at most."""
    made, clock = responder(tmp_path)
    made.receive([_of_host(n, level="medium") for n in range(300)])
    clock.advance(timedelta(seconds=3))
    made.tick()
    assert len(messages(tmp_path)) == 1
    for n in range(3):
        made.receive([_of_host(1000 + n, zones=["lgwan"])])
        made.tick()
        assert len(messages(tmp_path)) == 2 + n
    waits = []
    for n in range(600):
        before = len(messages(tmp_path))
        made.receive([_of_host(2000 + n, zones=["lgwan"])])
        clock.advance(timedelta(seconds=1))
        made.tick()
        waits.append(len(messages(tmp_path)) > before)
    told = [n for n, now in enumerate(waits) if now]
    assert len(told) <= 13 and max(b - a for a, b in itertools.pairwise(told)) <= 60


def test_a_digest_does_not_name_what_somebody_took(tmp_path: Path) -> None:
    """While messages wait in a storm one incident is acknowledged and one closed: the digest names neither, and when
    nothing is left nobody is called."""
    made, clock = responder(tmp_path)
    made.receive([_of_host(n) for n in range(5)])
    clock.advance(timedelta(seconds=3))
    made.tick()
    later = made.receive([_of_host(n) for n in range(10, 14)])
    clock.advance(timedelta(seconds=3))
    made.tick()
    people = desk(made.records, clock, KEY)
    people.acknowledge(later[0].id, actor="sato", roles=ANALYST)
    people.close(later[1].id, Verdict.BENIGN, "保守", actor="sato", roles=ANALYST)
    clock.advance(timedelta(minutes=10))
    made.tick()
    [text] = [one for one in messages(tmp_path) if "【2件】" in one]
    assert "pc012" in text and "pc013" in text and "pc010" not in text and "pc011" not in text
    named = [str(one.body.get("subject_en", "")) for one in made.records.find("notification", limit=1000)]
    assert [one for one in named if one.startswith("[2 incidents] ") and one.endswith(" and more")]
    states = [record.body["state"] for record in made.records.find("notification", limit=1000)]
    assert states.count("moot") == 2


def test_nobody_is_called_for_what_somebody_took(tmp_path: Path) -> None:
    """The only message that waited in a storm is about an incident that was taken: it does not go, and the log says so."""
    made, clock = responder(tmp_path)
    made.receive([_of_host(n) for n in range(5)])
    clock.advance(timedelta(seconds=3))
    made.tick()
    [last] = made.receive([_of_host(20)])
    clock.advance(timedelta(seconds=3))
    made.tick()
    desk(made.records, clock, KEY).acknowledge(last.id, actor="sato", roles=ANALYST)
    before = set(messages(tmp_path))
    clock.advance(timedelta(minutes=11))
    made.tick()
    assert set(messages(tmp_path)) == before
    assert "notify.moot" in [r.body["action"] for r in made.records.find("audit", limit=1000)]


def test_a_digest_after_a_crash_takes_in_what_it_stands_for(tmp_path: Path) -> None:
    """The digest was written, its messages not yet marked: they are not told a second time."""
    made, clock = responder(tmp_path)
    made.receive([_of_host(n) for n in range(2)])
    clock.advance(timedelta(minutes=1))
    made.tick()
    (tmp_path / "messages").rename(tmp_path / "before")
    for record in made.records.find("notification", {"state": ["sent", "folded"]}):
        made.records.put("notification", record.id, {**record.body, "state": "planned"})
    made.receive([_of_host(7)])
    clock.advance(timedelta(minutes=1))
    made.tick()
    told = messages(tmp_path)
    assert len(told) == 2 and sum("【2件】" in text for text in told) == 1


def _of_host(n: int, **more: Any) -> Alert:
    """An alert about a machine that no other alert is about: an incident of its own."""
    return alert(f"r{n}", entities={"host.name": [f"pc{n:03}"]}, **more)


def test_acknowledging_stops_the_escalation(tmp_path: Path) -> None:
    """Once somebody has it, nobody else is called."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([alert()])
    clock.advance(timedelta(minutes=1))
    made.tick()
    desk(made.records, clock, KEY).acknowledge(incident.id, actor="sato", roles=ANALYST)
    clock.advance(timedelta(hours=2))
    made.tick()
    assert len(messages(tmp_path)) == 1


def test_links_are_signed_and_expire() -> None:
    """A link says whom and what; another key, a changed letter or a day later and it is refused."""
    token = links.make(KEY, "incident-1", "sato", NIGHT, "n1")
    ticket = links.verify(KEY, token, NIGHT)
    assert (ticket.incident_id, ticket.person) == ("incident-1", "sato")
    for key, text, at in (
        (b"x" * 32, token, NIGHT),
        (KEY, token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1], NIGHT),
        (KEY, "no.token", NIGHT),
        (KEY, "", NIGHT),
        (KEY, token, NIGHT + timedelta(days=1)),
    ):
        with pytest.raises(Refused):
            links.verify(key, text, at)


class Mailbox(socketserver.ThreadingTCPServer):
    """A small SMTP server (RFC 5321): keeps what it is given; refuses the first `broken` deliveries with 451."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, broken: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[bytes] = []
        self.broken = broken


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example.jp ESMTP\r\n")
        for line in iter(self.rfile.readline, b""):
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                if self.server.broken:
                    self.server.broken -= 1
                    self.wfile.write(b"451 try later\r\n")
                else:
                    self.server.mails.append(body)
                    self.wfile.write(b"250 taken\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
                if command == b"QUIT":
                    return


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox(broken=1) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_mail_by_a_real_relay(tmp_path: Path, mailbox: Mailbox) -> None:
    """Refused once, tried again after a pause, then delivered once; Japanese subject whole, no header injected."""
    sections = {
        "oncall": {
            "people": {"sato": {"name_ja": "佐藤", "channels": ["mail"], "mail": "sato@city.example.jp"}},
            "layers": [{"people": ["sato"]}],
        },
        "notify": {
            "channels": {
                "mail": {
                    "kind": "smtp",
                    "host": "127.0.0.1",
                    "port": mailbox.server_address[1],
                    "tls": "none",
                    "sender": "hinomi@city.example.jp",
                }
            }
        },
    }
    made, clock = responder(tmp_path, **sections)
    made.receive([alert(title_ja="侵害の疑い\r\nBcc: evil@example.net")])
    for _ in range(6):
        clock.advance(timedelta(minutes=1))
        made.tick()
    assert len(mailbox.mails) == 1
    mail = email.message_from_bytes(mailbox.mails[0], policy=email.policy.default)
    assert mail["Bcc"] is None and "侵害の疑い" in mail["Subject"] and mail["To"] == "sato@city.example.jp"
    text = mail.get_body().get_content()  # type: ignore[union-attr]
    assert "まずすること:" in text and "Acknowledge:" in text
    [record] = made.records.find("notification")
    assert record.body["state"] == "sent" and record.body["attempts"] == 2


def test_an_approval_counts_once_by_the_right_person(tmp_path: Path) -> None:
    """Wrong office, too late, twice: refused and in the audit log; twenty at once: exactly one decision."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([alert(playbook="block_address")])
    held = made.records.get("incident", incident.id)
    assert held is not None
    run = held.body["run_ids"][0]
    people = desk(made.records, clock, KEY)
    with pytest.raises(Refused):
        people.approve(run, actor="kato", roles=["analyst"])
    outcomes: list[str] = []

    def approve(n: int) -> None:
        try:
            people.approve(run, actor=f"boss{n}", roles=MANAGER)
            outcomes.append("approved")
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=approve, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["approved"] + ["refused"] * 19
    actions = [record.body["action"] for record in made.records.find("audit")]
    assert actions.count("playbook.approved.refused") == 20 and made.audit.verify() == []


def test_an_approval_expires(tmp_path: Path) -> None:
    """After its time the plan must be looked at anew."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([alert(playbook="block_address")])
    held = made.records.get("incident", incident.id)
    assert held is not None
    clock.advance(timedelta(hours=2))
    with pytest.raises(Refused, match="期限"):
        desk(made.records, clock, KEY).approve(held.body["run_ids"][0], actor="suzuki", roles=MANAGER)


def test_a_graver_incident_calls_again(tmp_path: Path) -> None:
    """Taken at grade 2; when the LGWAN segment is touched it is grade 3 and somebody is called anew."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([alert()])
    clock.advance(timedelta(minutes=1))
    made.tick()
    people = desk(made.records, clock, KEY)
    people.acknowledge(incident.id, actor="sato", roles=ANALYST)
    made.receive([alert("crossing", minutes=5, zones=["lgwan"])])
    made.tick()
    assert len(messages(tmp_path)) == 2
    people.acknowledge(incident.id, actor="sato", roles=ANALYST)
    clock.advance(timedelta(hours=1))
    made.tick()
    assert len(messages(tmp_path)) == 2


def test_a_plan_that_nobody_decided_on_is_asked_again(tmp_path: Path) -> None:
    """After its time the request is put anew and can then be approved."""
    made, clock = responder(tmp_path)
    [incident] = made.receive([alert(playbook="block_address")])
    held = made.records.get("incident", incident.id)
    assert held is not None
    clock.advance(timedelta(hours=2))
    made.tick()
    desk(made.records, clock, KEY).approve(held.body["run_ids"][0], actor="suzuki", roles=MANAGER)


def test_a_hole_in_the_rota_calls_those_who_come_later_and_is_told() -> None:
    """Nights without a layer: the manager of the chain is called at once; the hole is named from when to when."""
    people = {name: {"name_ja": name, "channels": ["desk"]} for name in ("sato", "suzuki")}
    layer = {"people": ["sato"], "start": "08:30", "end": "17:30"}
    chain = {2: [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 30, "to": ["suzuki"]}]}
    settings = OnCallSettings.model_validate({"people": people, "layers": [layer], "escalation": chain})
    rota = Rota(settings)
    assert rota.due(2, timedelta(0), NIGHT) == ["suzuki"]
    assert rota.due(3, timedelta(0), NIGHT) == ["sato", "suzuki"]  # no chain of its own: everyone
    day = datetime(2026, 11, 19, 8, 30, tzinfo=JST)
    assert rota.holes(day, days=1) == [
        (datetime(2026, 11, 19, 17, 30, tzinfo=JST), datetime(2026, 11, 20, 8, 30, tzinfo=JST))
    ]


def test_names_that_nobody_has_are_refused_before_the_night() -> None:
    """A person or channel that is not configured is told when the configuration is read."""
    people = {"sato": {"name_ja": "佐藤", "channels": ["mail"]}}
    with pytest.raises(ValueError, match="suzuki"):
        OnCallSettings.model_validate({"people": people, "layers": [{"people": ["suzuki"]}]})
    with pytest.raises(ValueError, match="mail"):
        ResponderSettings.model_validate({"oncall": {"people": people}})


def test_an_incident_whose_alerts_are_gone_still_calls(tmp_path: Path) -> None:
    """Retention dropped them before the call was planned: the person is told to look, not left asleep."""
    tower, clock = responder(tmp_path)
    tower.receive([alert()])
    tower.records.delete("alert", "vpn_spray-0")
    clock.advance(timedelta(minutes=2))
    tower.tick()
    [message] = messages(tmp_path)
    assert "画面で証拠を確かめてください。" in message
