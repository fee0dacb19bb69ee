"""The table of controls and how each is judged."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import yaml

from dashboards.compliance.checks import CHECKS, Look
from dashboards.compliance.control import controls
from dashboards.compliance.judgement import State, judge, tally
from dashboards.console.rulebook import Rulebook
from dashboards.reporting.document import Ingredients
from hinomi import query
from hinomi.words import Words
from ops.folders import packs_folder
from tests.dashboards.browse import browser
from tests.dashboards.city import INCIDENTS, NOW, City
from tests.shared import corpus


def of(city: City) -> Ingredients:
    return Ingredients(city.events, city.records, city.clock, rulebook=Rulebook([packs_folder()]))


def test_table_covers_the_guideline_and_is_no_surer_than_its_source() -> None:
    """Each control of the shared list is here once, and what is inferred there is not called verified here."""
    known = {one.id: one for one in controls()}
    listed = yaml.safe_load(corpus("guideline", "controls.yaml").read_text(encoding="utf-8"))["controls"]
    assert [one["id"] for one in listed] == [one.id for one in controls()]
    for one in listed:
        assert known[one["id"]].inferred or one["confidence"] == "verified", one["id"]
        assert known[one["id"]].number_inferred or one["numbering"] == "verified", one["id"]
        assert known[one["id"]].asks.ja != one["requirement_ja"], one["id"]


def test_every_control_can_be_judged_and_every_query_read() -> None:
    """A control has a check or something for a person; each named check exists; each query is a query."""
    for control in controls():
        assert control.checks or control.person.ja, control.id
        for ask in control.checks:
            assert ask.kind in CHECKS, control.id
            if ask.kind == "logs":
                query.parse(ask.given["query"])


def test_incidents_that_nobody_took_are_no_evidence(bare_city: City) -> None:
    """Ten minutes after the first incident none is late, and none shows either that incidents are taken; no message is due yet,
    and that is said instead of "0 of 0". What has no listener is not "0 of 0 silent"."""
    young = {
        "opened": bare_city.clock.now() - timedelta(minutes=10),
        "status": "new",
        "acknowledged_at": None,
    }
    held = INCIDENTS[0].model_copy(update=young)
    bare_city.records.put("incident", held.id, held.model_dump(mode="json", warnings=False))
    found = {one.control.id: one for one in judge(of(bare_city))}
    taken, sent = found["MIC-1-(9)"].outcomes
    assert found["MIC-1-(9)"].state is State.GAP and not taken.good and "—" not in taken.words.en
    assert sent.good and "older than an hour" in sent.words.en
    assert "no listener has reported" in " ".join(one.words.en for one in found["MIC-7.1"].outcomes)


def test_states_follow_evidence_and_people(own_city: City) -> None:
    """A gap until evidence is found, waiting until a person confirms, evidenced then, waiting again after a year."""
    before = {one.control.id: one.state for one in judge(of(own_city))}
    assert before["MIC-6.1-(6)-b"] is State.GAP  # nothing is a year old
    assert before["MIC-5.2"] is State.GAP  # no drill is known
    drill = {
        "on": "2026-10-01",
        "what": "drill",
        "title": "机上訓練",
        "people": ["総務課 12人", "副市長(CISO)"],
    }
    own_city.records.put("exercise", "1", {**drill, "by": "k.mori", "at": own_city.clock.now().isoformat()})
    known = {one.control.id: one for one in judge(of(own_city))}["MIC-5.2"]
    assert known.state is State.PERSON and "2026-10-01 机上訓練" in known.outcomes[0].words.ja
    assert known.outcomes[0].words.en.startswith(
        "1 drill and 0 trainings recorded in a year, 2 people or sections took part"
    )
    visitor = browser(own_city, "k.mori", rulebook=Rulebook([packs_folder()]))
    assert visitor.post("/compliance/MIC-5.2", said="done", note="不足").status_code == 400
    assert visitor.post("/compliance/MIC-5.2", said="gap", note="期限のない不足", due="").status_code == 400
    visitor.post(
        "/compliance/MIC-5.2", said="done", note="受講記録 2026年6月、文書管理番号 12", owner="総務課"
    )
    visitor.post("/compliance/MIC-7.4", said="excepted", note="台帳を整備中のため", due="2026-12-31")
    after = {one.control.id: one.state for one in judge(of(own_city))}
    assert after["MIC-5.2"] is State.EVIDENCED
    assert after["MIC-7.4"] is State.EXCEPTED
    own_city.clock.advance(timedelta(days=60))
    assert {one.control.id: one.state for one in judge(of(own_city))}["MIC-7.4"] is State.PERSON
    own_city.clock.advance(timedelta(days=310))
    assert {one.control.id: one.state for one in judge(of(own_city))}[
        "MIC-5.2"
    ] is State.GAP  # the drill is old, too
    own_city.records.put(
        "exercise", "2", {**drill, "on": "2027-11-01", "by": "k.mori", "at": "2027-11-01T09:00:00+09:00"}
    )
    assert {one.control.id: one.state for one in judge(of(own_city))}["MIC-5.2"] is State.PERSON
    assert visitor.audited("compliance.attest")[0]["target"] == "MIC-5.2"


def test_what_response_leaves_out_is_a_gap(own_city: City) -> None:
    """An incident of a year ago, of today or that another took in counts for nothing; of those between, each that nobody was told of,
    that had no plan or of which no evidence was kept is named, and the rest is evidence for itself alone."""
    own_city.clock.advance(timedelta(days=3))
    found = {
        name: CHECKS[name](Look(of(own_city)), None) for name in ("notified", "evidence_taken", "playbooks")
    }
    assert not any(one.good for one in found.values())
    assert "#1" in found["evidence_taken"].words.ja and "#1" in found["notified"].words.ja
    assert "#1" not in found["playbooks"].words.ja  # it has a plan
    records = own_city.records
    records.put("evidence", "x", {"incident_id": "inc-2"})
    archive = {"action": "console.evidence", "target": "inc-1", "at": own_city.clock.now().isoformat()}
    records.put("audit", "x", archive)
    grave = [one.body for one in records.find("incident") if one.body["grade"] >= 2]
    for one in grave:
        records.put("notification", f"n-{one['id']}", {"incident_id": one["id"], "state": "sent"})
        records.put("incident", one["id"], {**one, "run_ids": one["run_ids"] or ["run"]})
    records.put(
        "playbook_run", "run", {"state": "done", "dry_run": True, "created": own_city.clock.now().isoformat()}
    )
    after = {name: CHECKS[name](Look(of(own_city)), None) for name in found}
    assert all(one.good for one in after.values()), [one.words.ja for one in after.values()]
    one_more = {
        **grave[0],
        "id": "inc-9",
        "number": 9,
        "grade": 3,
        "opened": (NOW + timedelta(days=1)).isoformat(),
    }
    records.put("incident", "inc-9", {**one_more, "run_ids": []})
    again = {name: CHECKS[name](Look(of(own_city)), None) for name in found}
    assert not any(one.good for one in again.values()) and all(
        "(#9)" in one.words.ja for one in again.values()
    )
    own_city.clock.advance(timedelta(days=400))
    late = {name: CHECKS[name](Look(of(own_city)), None) for name in found}
    assert late["notified"].good and not late["playbooks"].good  # nothing was rehearsed within the year


def test_whoever_a_digest_told_was_told(own_city: City) -> None:
    """A message that went out in a digest went out, also before it is marked; one that somebody forestalled is not missing; one that
    failed, waits, or whose digest waits is."""
    own_city.clock.advance(timedelta(hours=2))
    records = own_city.records

    def found(*messages: dict[str, Any]) -> tuple[bool, list[str]]:
        for number, message in enumerate(messages):
            body = {"incident_id": "inc-2", "asks": True, **message}
            records.put("notification", f"n{number}", body)
        outcome = CHECKS["notified"](Look(of(own_city)), None)
        return outcome.good, re.findall(r"([0-9]+) 件", outcome.words.ja)

    told = {"incident_id": "inc-1", "state": "sent"}
    assert found(told, {"state": "moot"}) == (True, ["2", "1", "1"])
    assert found(told, {"state": "moot", "asks": False, "decides": "a"}) == (False, ["2", "1", "0"])
    for state, went in {"sent": "2", "planned": "1", "failed": "1", "unknown": "1"}.items():
        digest = {**told, "members": ["n1"], "asks": False, "state": state}
        for member in ({"state": "folded", "into": "n2"}, {"state": "planned"}):
            assert found(told, member, digest) == (went == "2", ["2", went, "0"]), (state, member)
    assert found(told, {"state": "folded", "into": "n2"}, {**digest, "state": "moot"})[1] == ["2", "1", "1"]
    records.delete("notification", "n2")  # a digest that tells of others, too, is not theirs to see
    assert found(told, {"state": "folded", "into": "n2"})[1] == ["2", "2", "0"]


def test_a_report_counts_for_whose_it_is(own_city: City) -> None:
    """The digests of an organisation show nothing of the tower's own, nor the other way round."""
    whole = replace(of(own_city), organizations={"higashi": Words("東町", "East")})
    for n, whose in enumerate(["higashi", "higashi", "higashi", ""]):
        body = {"name": "daily-digest", "created": own_city.clock.now().isoformat(), "files": []}
        own_city.records.put("report", f"r{n}", {**body, "organization": whose} if whose else body)
    for one, n in ((whole, 1), (whole.part_of("higashi"), 3)):
        assert f" {n} 件" in CHECKS["digests"](Look(one), None).words.ja


def test_a_broken_audit_log_is_a_gap(own_city: City) -> None:
    """Whoever edits the audit log loses the evidence for controls that rest on it."""
    browser(own_city, "m.kato")
    assert {one.control.id: one.state for one in judge(of(own_city))}["MIC-6.1-(6)-c"] is State.EVIDENCED
    record = own_city.records.find("audit")[0]
    own_city.records.put("audit", record.id, {**record.body, "actor": "nobody"})
    assert {one.control.id: one.state for one in judge(of(own_city))}["MIC-6.1-(6)-c"] is State.GAP


def test_without_rules_nothing_is_called_watched(own_city: City) -> None:
    """No rules in force: controls that rest on detections are in gap, none is evidenced by silence."""
    bare = Ingredients(own_city.events, own_city.records, own_city.clock)
    found = {one.control.id: one for one in judge(bare)}
    assert found["MIC-6.2-(2)"].state is State.GAP
    assert sum(tally(judge(bare)).values()) == 60


def test_page_shows_query_and_state(own_city: City) -> None:
    """All sixty are on the page with the query that can be repeated; the state narrows; an analyst cannot attest."""
    visitor = browser(own_city, "m.kato", rulebook=Rulebook([packs_folder()]))
    page = visitor.get("/compliance").text
    assert page.count('class="control s-') == 60
    assert 'href="/search?q=source.zone' in page
    assert "番号は推定" in page
    assert visitor.get("/compliance?state=gap").text.count('class="control s-gap') > 0
    assert visitor.post("/compliance/MIC-5.2", said="done", note="受講記録").status_code == 403
