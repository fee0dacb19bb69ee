"""Alerts that share a person, machine or address become one incident, once, with its reasons in words."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.errors import InputError
from hinomi.incident import Status, Verdict
from hinomi.ledger import Line
from responders.incidents.suppression import Suppression
from responders.incidents.tuning import suggested
from responders.responder import desk
from tests.responders.city import ANALYST, KEY, NIGHT, alert, responder


def test_one_incident_for_one_story(tmp_path: Path) -> None:
    """Different rules about the same person in any spelling join; others open their own."""
    tower, _ = responder(tmp_path)
    first = tower.receive([alert()])
    tower.receive([alert("login_abroad", minutes=2, entities={"user.name": ["HINOMI\\T.Yamada"]})])
    tower.receive([alert("mail_rule", minutes=77, entities={"user.name": ["t.yamada@city.example.jp"]})])
    tower.receive([alert("rpa", minutes=600, entities={"user.name": ["rpa02"]})])
    assert [r.body["number"] for r in tower.records.find("incident", order="number")] == [1, 2]
    held = tower.records.get("incident", first[0].id)
    assert held is not None
    assert held.body["alert_ids"] == ["vpn_spray-0", "login_abroad-2", "mail_rule-77"]
    assert held.body["story_ja"].startswith("11月20日 03:14から、03:14 vpn_spray を検知、03:16 login_abroad")


def test_replay_changes_nothing_and_growth_updates(tmp_path: Path) -> None:
    """The same alert again is no news; an alert that grew updates its incident without a second line."""
    tower, _ = responder(tmp_path)
    [incident] = tower.receive([alert()])
    assert tower.receive([alert()]) == []
    [grown] = tower.receive([alert(event_count=12, last=NIGHT + timedelta(minutes=9))])
    assert grown.id == incident.id
    assert grown.last == NIGHT + timedelta(minutes=9)
    assert sum(line.kind == "alert" for line in grown.timeline) == 1


def test_an_alert_between_two_incidents_merges_them(tmp_path: Path) -> None:
    """The older takes in the younger, which is closed and says where it went; alerts point to the survivor."""
    tower, _ = responder(tmp_path)
    [one] = tower.receive([alert("a", entities={"user.name": ["u1"]})])
    [two] = tower.receive([alert("b", minutes=1, entities={"host.name": ["pc-0417"]})])
    tower.receive(
        [alert("c", minutes=2, entities={"user.name": ["u1"], "host.name": ["PC-0417.city.example.jp"]})]
    )
    survivor, closed = tower.records.get("incident", one.id), tower.records.get("incident", two.id)
    assert survivor is not None and closed is not None
    assert survivor.body["alert_ids"] == ["a-0", "b-1", "c-2"]
    assert closed.body["status"] == Status.CLOSED and "#1" in closed.body["timeline"][-1]["ja"]
    moved = tower.records.get("alert", "b-1")
    assert moved is not None and moved.body["incident_id"] == one.id


def test_machines_that_go_by_their_addresses_are_told_apart(tmp_path: Path) -> None:
    """Two appliances of one network whose logs name them by address are two incidents; the same one, however written, is one."""
    tower, _ = responder(tmp_path)
    hosts = ["192.0.2.10", "192.0.2.11", "2001:db8::a", " 2001:DB8:0::A"]
    for minute, host in enumerate(hosts):
        tower.receive([alert(f"r{minute}", minutes=minute, entities={"host.name": [host]})])
    held = tower.records.find("incident", order="number")
    assert [one.body["alert_ids"] for one in held] == [["r0-0"], ["r1-1"], ["r2-2", "r3-3"]]


def test_low_alerts_open_nothing_but_join(tmp_path: Path) -> None:
    """Below the level an alert is kept, and told when an incident about the same person is open."""
    tower, _ = responder(tmp_path)
    assert tower.receive([alert("hint", level="low")]) == []
    [incident] = tower.receive([alert("real", minutes=1)])
    [joined] = tower.receive([alert("hint", minutes=2, level="low")])
    assert joined.id == incident.id and joined.level == "high"


def test_shared_addresses_join_nothing(tmp_path: Path) -> None:
    """The city's own NAT address does not tie strangers together."""
    tower, _ = responder(tmp_path, incidents={"common_addresses": ["198.51.100.10"]})
    for user in ("u1", "u2"):
        tower.receive([alert(user, entities={"user.name": [user], "source.ip": ["198.51.100.10"]})])
    assert tower.records.count("incident") == 2


@pytest.mark.parametrize(
    ("level", "zones", "grade"),
    [
        ("high", ["lgwan"], 3),
        ("critical", [], 3),
        ("high", ["internet"], 2),
        ("medium", ["mynumber"], 2),
        ("medium", [], 1),
    ],
)
def test_grade_follows_level_and_zone_with_a_reason(
    tmp_path: Path, level: str, zones: list[str], grade: int
) -> None:
    """The proposal is marked as this tool's own."""
    tower, _ = responder(tmp_path)
    [incident] = tower.receive([alert(level=level, zones=zones)])
    assert incident.grade == grade
    assert "提案" in incident.grade_reason_ja and "proposal" in incident.grade_reason_en


def test_an_alert_never_takes_the_place_of_another_organisations(tmp_path: Path) -> None:
    """One that comes with a held alert's id from somebody else, also a graver one and again, is kept beside it."""
    tower, _ = responder(tmp_path)
    [east] = tower.receive([alert(organization="a")])
    forged = alert(organization="", minutes=5)
    [nobodys] = tower.receive([forged.model_copy(update={"id": east.alert_ids[0]})])
    assert tower.receive([forged.model_copy(update={"id": east.alert_ids[0]})]) == []
    assert (nobodys.organization, nobodys.id == east.id) == ("", False)
    [first, second] = tower.records.find("alert", order="organization")
    assert {one.id: one.body["organization"] for one in (first, second)} == {
        east.alert_ids[0]: "a",
        nobodys.alert_ids[0]: "",
    }


def test_suppression_has_an_end_and_is_counted(tmp_path: Path) -> None:
    """While it holds the alert calls nobody but is stored and counted with the reason; afterwards it counts."""
    tower, clock = responder(tmp_path)
    held = Suppression(
        id="s1",
        rule_id="vpn_spray",
        reason="脆弱性診断 11/20",
        owner="sato",
        until=NIGHT + timedelta(hours=1),
    )
    tower.records.put("suppression", "s1", held.model_dump(mode="json"))
    assert tower.receive([alert()]) == []
    stored = tower.records.get("alert", "vpn_spray-0")
    assert stored is not None and stored.body["suppressed_by"] == "s1"
    assert tower.ledger.take() == {Line("suppressed", "vpn_spray", "脆弱性診断 11/20"): 1}
    clock.advance(timedelta(hours=2))
    assert len(tower.receive([alert(minutes=120)])) == 1


def _maintenance(field: str, value: str) -> Suppression:
    until = NIGHT + timedelta(hours=1)
    return Suppression(
        id="m1",
        rule_id="*",
        where={field: value},
        reason="保守",
        owner="sato",
        until=until,
        critical_too=False,
    )


@pytest.mark.parametrize(
    ("field", "named", "quiet"),
    [
        ("host.name", ["sv01"], True),
        ("host.name", ["sv01", "SV01.city.example.jp"], True),
        ("host.name", ["pc-7", "pc-8", "sv01"], False),
        ("host.name", ["pc-7"], False),
        ("host.name", [], False),
        ("user.name", ["t.yamada", *(f"user{n}" for n in range(300))], False),
        ("user.name", ["t.yamada"], True),
        ("dns.question.name", ["a.example.net", "A.example.net"], False),
    ],
)
def test_what_is_silenced_for_one_thing_is_not_for_others(
    tmp_path: Path, field: str, named: list[str], quiet: bool
) -> None:
    """Maintenance of one server, an exclusion for one person: an alert that is about others too calls people, however many."""
    tower, _ = responder(tmp_path)
    value = {"host.name": "sv01", "user.name": "t.yamada"}.get(field, "a.example.net")
    held = _maintenance(field, value)
    tower.records.put("suppression", held.id, held.model_dump(mode="json"))
    called = tower.receive([alert(entities={field: named, "source.ip": ["203.0.113.66"]})])
    assert (called == []) is quiet
    stored = tower.records.get("alert", "vpn_spray-0")
    assert stored is not None and bool(stored.body["suppressed_by"]) is quiet


def test_an_alert_that_grows_beyond_what_is_silenced_calls(tmp_path: Path) -> None:
    """At first it is about the server under maintenance alone, then the same alert names a clerk's machine, too."""
    tower, _ = responder(tmp_path)
    held = _maintenance("host.name", "sv01")
    tower.records.put("suppression", held.id, held.model_dump(mode="json"))
    first = alert(entities={"host.name": ["sv01"]})
    assert tower.receive([first]) == []
    more = {"entities": {"host.name": ["sv01", "pc-7"]}, "event_count": 2}
    [incident] = tower.receive([first.model_copy(update=more)])
    assert incident.alert_ids == [first.id]


def test_an_exclusion_is_suggested_by_what_alone_each_alert_is_about(tmp_path: Path) -> None:
    """Two sprays from one address share a victim: the address describes them, the victim does not."""
    sprays = [
        alert(minutes=n, entities={"user.name": ["t.yamada", f"u{n}"], "source.ip": ["192.0.2.7"]})
        for n in (0, 5)
    ]
    [incident] = responder(tmp_path)[0].receive(sprays[:1])
    assert suggested(incident, sprays, "vpn_spray") == {"source.ip": "192.0.2.7"}


def test_decisions_of_people_are_kept_and_audited(tmp_path: Path) -> None:
    """Acknowledge, assign, comment, regrade, close: each in the timeline and the audit log, none lost to new alerts."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert()])
    people = desk(tower.records, clock, KEY)
    people.acknowledge(incident.id, actor="sato", roles=ANALYST)
    people.acknowledge(incident.id, actor="suzuki", roles=ANALYST)
    people.assign(incident.id, "suzuki", actor="sato", roles=ANALYST)
    people.comment(incident.id, "本人に電話した", actor="suzuki", roles=ANALYST)
    people.regrade(incident.id, 3, "業務に支障", actor="suzuki", roles=ANALYST)
    [after] = tower.receive([alert("more", minutes=5)])
    assert (after.acknowledged_by, after.assignee, after.grade) == ("sato", "suzuki", 3)
    closed = people.close(incident.id, Verdict.TRUE_POSITIVE, "侵害を確認", actor="suzuki", roles=ANALYST)
    assert closed.status is Status.CLOSED
    actions = [r.body["action"] for r in tower.records.find("audit")]
    for action in (
        "incident.ack",
        "incident.assign",
        "incident.comment",
        "incident.level",
        "incident.status",
    ):
        assert action in actions
    assert tower.audit.verify() == []


users = st.sampled_from(["a", "b", "c", "d"])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(users, st.sampled_from(["h1", "h2", "h3"]), st.integers(0, 90)), min_size=1, max_size=12
    )
)
def test_every_alert_is_in_exactly_one_open_incident(
    tmp_path_factory: pytest.TempPathFactory, facts: list[tuple[str, str, int]]
) -> None:
    """Whatever order alerts come in, grouping is the connected components of shared entities."""
    tower, _ = responder(tmp_path_factory.mktemp("t"))
    alerts = [
        alert(f"r{i}", minutes=minute, entities={"user.name": [user], "host.name": [host]})
        for i, (user, host, minute) in enumerate(facts)
    ]
    for one in alerts:
        tower.receive([one])
    open_ = [r.body for r in tower.records.find("incident", {"status": "new"})]
    placed = [identity for body in open_ for identity in body["alert_ids"]]
    assert sorted(placed) == sorted(one.id for one in alerts)
    assert len(open_) == _components(facts)


def _components(facts: list[tuple[str, str, int]]) -> int:
    groups: list[set[str]] = []
    for user, host, _ in facts:
        mine = {user, host}
        touching = [group for group in groups if group & mine]
        groups = [group for group in groups if not group & mine] + [mine.union(*touching)]
    return len(groups)


def test_what_two_organisations_saw_is_no_one_incident(tmp_path: Path) -> None:
    """Two towns have a t.yamada and a 10.0.0.1: their alerts open an incident each, nobody's alert a third; no later
    alert ties them, and people cannot join them either."""
    tower, _ = responder(tmp_path)
    shared = {"user.name": ["t.yamada"], "source.ip": ["10.0.0.1"]}
    opened = [
        tower.receive([alert(f"r{n}", entities=shared, organization=whose)])[0]
        for n, whose in enumerate(("a", "b", ""))
    ]
    assert [one.organization for one in opened] == ["a", "b", ""]
    [joined] = tower.receive([alert("later", minutes=5, entities=shared, organization="b")])
    assert (joined.id, joined.organization) == (opened[1].id, "b")
    people = desk(tower.records, tower.clock, KEY)
    with pytest.raises(InputError, match="別の組織"):
        people.cases.merge(opened[0].id, [opened[1].id], "同じ件", actor="k.mori", roles=["analyst"])
    assert len(tower.records.find("incident", {"status": "new"})) == 3
