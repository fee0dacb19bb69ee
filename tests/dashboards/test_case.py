"""What the queue and the incident page say and do beyond single decisions: bulk, views, clocks, graph, evidence."""

import hashlib
import io
import json
import random
import zipfile
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from dashboards import attack, graph, lanes
from dashboards.console import live, targets
from dashboards.console.docket import docket
from dashboards.console.evidence import cut
from dashboards.console.rulebook import Rulebook
from dashboards.console.similar import precedents
from dashboards.settings import TargetSettings
from dashboards.texts import Texts
from hinomi.batch import Batch
from hinomi.incident import Incident, Status, Verdict
from ops.folders import packs_folder
from rules.coverage import coverage
from tests.dashboards.browse import browser
from tests.dashboards.city import ALERTS, INCIDENTS, NOW, City, at

JA = Texts("ja")


def _incident(city: City, number: int) -> Incident:
    return Incident.model_validate(city.records.find("incident", {"number": number})[0].body)


def test_bulk_acts_on_each_and_says_what_was_left(own_city: City) -> None:
    """Two incidents are assigned and closed with one form; a closed one among them is said, not hidden."""
    visitor = browser(own_city, "m.kato")
    answer = visitor.post_many(
        "/bulk", [("number", "1"), ("number", "3")], do="assign", assignee="k.mori", back="/?view=new"
    )
    assert answer.headers["location"] == "/?view=new&done=bulk"
    assert [_incident(own_city, n).assignee for n in (1, 3)] == ["k.mori", "k.mori"]
    visitor.post_many("/bulk", [("number", "3")], do="close", verdict="benign", reason="点検のため")
    assert _incident(own_city, 3).verdict is Verdict.BENIGN
    assert len(visitor.audited("incident.assign")) == 2
    assert visitor.post_many("/bulk", [], do="assign", assignee="k.mori").status_code == 400
    assert visitor.post_many("/bulk", [("number", "1")], do="close", verdict="no").status_code == 400
    assert (
        visitor.post_many("/bulk", [("number", "1")], do="acknowledge", back="//evil.example/")
        .headers["location"]
        .startswith("/?")
    )


def test_saved_views_are_ones_own_or_shared(own_city: City) -> None:
    """A view keeps the filter; others see only shared ones and cannot remove them; another page is refused."""
    mine, other = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    mine.post("/views", name="夜間の重大", address="/?view=new&grade=3")
    mine.post("/views", name="全員の一覧", address="/?view=all", shared="yes")
    assert "夜間の重大" in mine.get("/").text
    page = other.get("/").text
    assert "全員の一覧" in page
    assert "夜間の重大" not in page
    shared = own_city.records.find("view", {"shared": True})[0]
    assert other.post(f"/views/{shared.id}/remove").status_code == 403
    assert mine.post(f"/views/{shared.id}/remove").status_code == 303
    assert mine.post("/views", name="x", address="https://evil.example/").status_code == 400
    assert mine.post("/views", name="", address="/").status_code == 400


@pytest.mark.parametrize(
    ("grade", "minutes", "state"),
    [(3, 5, "ok"), (3, 12, "soon"), (3, 16, "over"), (2, 61, "over"), (0, 999, None)],
)
def test_target_clock(grade: int, minutes: int, state: str | None) -> None:
    """Fifteen minutes for a grave one: fine, a quarter left, over; grade 0 has no target."""
    incident = INCIDENTS[0].model_copy(update={"grade": grade, "opened": NOW - timedelta(minutes=minutes)})
    clock = targets.running(incident, TargetSettings(), NOW, JA)
    assert (clock.state if clock else None) == state
    closed = incident.model_copy(update={"status": Status.CLOSED})
    assert targets.running(closed, TargetSettings(), NOW, JA) is None


def test_similar_incidents_with_their_verdicts(bare_city: City) -> None:
    """The one that shares the person and the finding comes, with how it was judged; a stranger does not."""
    past = INCIDENTS[0].model_copy(
        update={"id": "old", "number": 9, "status": Status.CLOSED, "verdict": Verdict.FALSE_POSITIVE}
    )
    merged = past.model_copy(update={"id": "gone", "number": 8, "fields": {"merged_into": "old"}})
    for one in (INCIDENTS[0], INCIDENTS[3], past, merged):
        bare_city.records.put("incident", one.id, one.model_dump(mode="json"))
    held = docket(bare_city.records)
    found = precedents(INCIDENTS[0], held)
    assert [alike.incident.number for alike in found.shown] == [9]
    assert "t.yamada" in found.shown[0].entities
    assert found.verdicts == {"false_positive": 1}
    stranger = past.model_copy(update={"entities": {}, "timeline": [], "tags": []})
    bare_city.records.put("incident", past.id, stranger.model_dump(mode="json"))
    assert precedents(INCIDENTS[0], held).shown == []


def test_precedents_say_what_comparing_each_pair_says(bare_city: City) -> None:
    """Over drawn incidents, some changed afterwards: the score of each that is shown is the worth of what the two share."""
    drawn = random.Random(8)
    for number in (*range(1, 60), *range(1, 60, 7)):
        names, rules = drawn.sample("abcdefgh", 3), drawn.sample("pqrstu", 2)
        line = INCIDENTS[0].timeline[0].model_copy(update={"kind": "alert"})
        one = INCIDENTS[0].model_copy(
            update={
                "id": f"i{number}",
                "number": number,
                "entities": {"user.name": names, "file.name": names[:1]},
                "tags": drawn.sample(["attack.t1", "attack.t2"], 1),
                "timeline": [line.model_copy(update={"ja": f"規則{rule}。3 件"}) for rule in rules],
            }
        )
        bare_city.records.put("incident", one.id, one.model_dump(mode="json"))
        entries = docket(bare_city.records).entries()
    worth = {"title": 3.0, "user.name": 2.0, "file.name": 0.5}
    for mine in entries:
        every = {
            other.incident.number: sum(worth[kind] for kind, _ in mine.places & other.places)
            + 0.5 * len({*mine.incident.tags} & {*other.incident.tags})
            for other in entries
            if other is not mine and mine.places & other.places
        }
        found = precedents(mine.incident, docket(bare_city.records)).shown
        best = sorted(every, key=lambda number: (-every[number], -number))[:5]
        assert [(one.incident.number, one.score) for one in found] == [(n, every[n]) for n in best]


def test_graph_joins_source_person_and_machine() -> None:
    """One node for an address under two fields; a line with the titles of its alerts; hostile names inert."""
    alert = ALERTS[1].model_copy(
        update={
            "entities": {"source.ip": ["203.0.113.66"], "client.ip": ["203.0.113.66"], "user.name": ["<b>x"]}
        }
    )
    svg = graph.draw([alert], JA, lambda field, value: f"/search?q={field}")
    assert svg.count('class="node"') == 2
    assert "&lt;b&gt;x" in svg
    assert "国外からの VPN サインイン成功" in svg
    assert graph.draw([], JA, lambda f, v: "") == ""


def test_lanes_show_findings_in_time() -> None:
    """Marks lie where their time is; what lies outside the stretch is not drawn."""
    lines = lanes.lanes(ALERTS[:3], INCIDENTS[0].timeline, JA)
    assert lines[-1].name == "人の対応・連絡"
    whole = lanes.draw(lines, at("02:00"), at("06:00"), JA)
    late = lanes.draw(lines, at("04:30"), at("06:00"), JA)
    assert whole.count("mark-l-") == 3
    assert late.count("mark-l-") == 1


def test_attack_steps_in_order() -> None:
    """Tactics of the tags are marked, in the order of an intrusion; a technique has its name."""
    steps = attack.steps(["attack.credential-access", "attack.initial-access", "attack.t1110.003"])
    assert [step.key for step in steps if step.reached] == ["initial-access", "credential-access"]
    assert attack.techniques(["attack.t1110.003"])[0][1].ja == "パスワードスプレー"


def test_every_technique_of_the_rules_has_a_name() -> None:
    """Whatever technique a rule of the packs names is shown in words, in both languages."""
    named = coverage(Rulebook([packs_folder()]).rules)
    found = attack.techniques(f"attack.{one.technique.lower()}" for one in named)
    assert len(found) > 90
    assert [identity for identity, name in found if identity in (name.ja, name.en)] == []


def test_matched_parts_are_marked(own_city: City) -> None:
    """The rule that matched is named, and its value stands marked in the raw line and in the field."""
    alert = ALERTS[1].model_copy(
        update={"id": "own", "rule_id": "vpn_login_ok", "datasets": ["fortinet.fortigate"]}
    )
    own_city.records.put("alert", "own", alert.model_dump(mode="json"))
    incident = INCIDENTS[1].model_copy(update={"alert_ids": ["own"]})
    own_city.records.put("incident", incident.id, incident.model_dump(mode="json"))
    rulebook = Rulebook([packs_folder() / "telework"])
    page = browser(own_city, "m.kato", rulebook=rulebook).get("/incidents/2").text
    assert "action=&#34;<mark>tunnel-up</mark>&#34;" in page
    assert "<b>VPN サインイン</b>" in page


@pytest.mark.parametrize(
    ("places", "pieces"),
    [
        ([], [("abcdef", False)]),
        ([(1, 3)], [("a", False), ("bc", True), ("def", False)]),
        ([(0, 6)], [("abcdef", True)]),
        ([(1, 4), (2, 5)], [("a", False), ("bcd", True), ("e", True), ("f", False)]),
    ],
)
def test_cut_keeps_every_character(places: list[tuple[int, int]], pieces: list[tuple[str, bool]]) -> None:
    """Overlapping places do not double or lose a character."""
    assert cut("abcdef", places) == pieces
    assert "".join(text for text, _ in cut("abcdef", places)) == "abcdef"


def _with_resident_log(city: City) -> None:
    row = {
        "@timestamp": at("13:10", 19),
        "event.id": "view-1",
        "user.name": "rpa02",
        "event.original": "2026/11/19 13:10:00,rpa02,照会,千代田 花子",
    }
    city.events.append(
        [Batch.of("city.resident_view", pl.DataFrame([row]), origin="juki", ingested=at("13:11", 19))]
    )
    alert = ALERTS[3].model_copy(update={"datasets": ["city.resident_view"], "event_ids": ["view-1"]})
    city.records.put("alert", alert.id, alert.model_dump(mode="json"))


def test_residents_data_needs_a_reason_that_is_recorded(own_city: City) -> None:
    """Sealed until a reason is given; then shown to this person, for this incident and for a while; audited."""
    _with_resident_log(own_city)
    visitor = browser(own_city, "m.kato")
    assert "千代田 花子" not in visitor.get("/incidents/2").text
    assert visitor.get("/incidents/2/evidence.zip").status_code == 403
    assert visitor.post("/reveal", scope="incident:2", reason="  ").status_code == 400
    visitor.post("/reveal", scope="incident:2", reason="照会された人数を確かめるため", back="/incidents/2")
    assert "千代田 花子" in visitor.get("/incidents/2").text
    assert visitor.audited("console.reveal")[0]["details"]["reason"] == "照会された人数を確かめるため"
    assert "千代田 花子" not in browser(own_city, "k.mori").get("/incidents/2").text
    own_city.clock.advance(timedelta(minutes=29))
    assert "千代田 花子" in visitor.get("/incidents/2").text
    own_city.clock.advance(timedelta(minutes=2))
    assert "千代田 花子" not in visitor.get("/incidents/2").text


def test_evidence_archive_says_what_is_not_in_it(own_city: City) -> None:
    """Of an alert of 5,000 events that names 40, of which the store holds 39, the archive tells each number."""
    visitor = browser(own_city, "m.kato")

    def contents() -> dict[str, Any]:
        with zipfile.ZipFile(io.BytesIO(visitor.get("/incidents/1/evidence.zip").content)) as held:
            told: dict[str, Any] = json.loads(held.read("contents.json"))
            assert told["events"] == len(held.read("events.ndjson").splitlines())
            return told

    alert = next(one for one in ALERTS if one.id == "download")
    ids = [*alert.event_ids[:39], "gone"]
    changed = alert.model_copy(update={"event_ids": ids, "event_count": 5_000})
    own_city.records.put("alert", alert.id, changed.model_dump(mode="json"))
    told = contents()
    (one,) = [one for one in told["alerts"] if one["alert"] == "download"]
    assert (one["matched"], one["named"], one["in_this_archive"]) == (5_000, 40, min(39, len(ids) - 1))
    assert "一部" in told["note"]["ja"]
    for other in ALERTS[:3]:
        whole = other.model_copy(update={"event_count": len(own_city.events.get(other.event_ids))})
        own_city.records.put("alert", other.id, whole.model_dump(mode="json"))
    assert "すべて" in contents()["note"]["ja"]


def test_evidence_archive_has_true_hashes(own_city: City) -> None:
    """Every file's hash stands in SHA256SUMS, the archive's in the audit log, raw lines are whole."""
    visitor = browser(own_city, "m.kato")
    answer = visitor.get("/incidents/1/evidence.zip")
    digest = hashlib.sha256(answer.content).hexdigest()
    assert visitor.audited("console.evidence")[0]["details"]["sha256"] == digest
    with zipfile.ZipFile(io.BytesIO(answer.content)) as held:
        sums = dict(reversed(line.split("  ")) for line in held.read("SHA256SUMS").decode().splitlines())
        names = {"events.ndjson", "alerts.json", "incident.json", "playbook_runs.json", "contents.json"}
        assert set(sums) == names
        for name, wanted in sums.items():
            assert hashlib.sha256(held.read(name)).hexdigest() == wanted
        assert b"remip=203.0.113.66" in held.read("events.ndjson")


def test_pulse_changes_with_an_incident(own_city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The live pulse is the same until somebody decides something."""
    monkeypatch.setattr(live, "EVERY", 0.0)
    pulse = live.Pulse(own_city.records)
    before = pulse.text()
    assert pulse.text() == before
    own_city.clock.advance(timedelta(seconds=5))
    browser(own_city, "m.kato").post("/incidents/1/comment", text="電話した")
    assert pulse.text() != before
