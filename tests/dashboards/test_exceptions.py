"""Exceptions of detection: from a false alarm in one click, reviewed by another person, in force until their end."""

from datetime import timedelta

from hinomi.alert import Alert
from ops.folders import packs_folder
from responders.incidents.suppression import covering
from rules.stats import KIND as STAT
from tests.dashboards.browse import browser
from tests.dashboards.city import City


def test_from_false_positive_to_exception_and_back(own_city: City) -> None:
    """One button proposes what the alerts share, with a reason and an end; who proposed it cannot approve it; another
    office holder sees how many alerts it fits, approves it, and the rule calls nobody about it; then it is ended."""
    analyst, office = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    assert "/incidents/2/exceptions" not in analyst.get("/incidents/2").text
    analyst.post("/incidents/2/close", verdict="false_positive", reason="保守業者の予定作業")
    page = analyst.get("/incidents/2").text
    assert 'action="/incidents/2/exceptions"' in page and "rpa02" in page
    rule, alert = "rpa", own_city.records.get("alert", "rpa")
    assert alert is not None
    rule = str(alert.body["rule_id"])
    assert (
        analyst.post("/incidents/2/exceptions", rule=rule, reason="#2 を誤検知と判定したため").status_code
        == 303
    )
    (held,) = own_city.records.find("tuning")
    assert held.body["where"]["user.name"] == "rpa02"
    assert "1 件に当てはまります" in office.get("/exceptions").text
    assert analyst.post(f"/exceptions/{held.id}/review", decision="approve").status_code == 403
    same = Alert.model_validate(alert.body)
    assert covering(own_city.records, same, own_city.clock.now()) is None
    assert (
        office.post(f"/exceptions/{held.id}/review", decision="approve", note="確認した").status_code == 303
    )
    assert covering(own_city.records, same, own_city.clock.now()) is not None
    assert "例外をやめる" in analyst.get("/exceptions").text
    assert covering(own_city.records, same, own_city.clock.now() + timedelta(days=91)) is None
    assert analyst.post(f"/exceptions/{held.id}/end").status_code == 303
    assert covering(own_city.records, same, own_city.clock.now()) is None
    assert "取りやめ" in analyst.get("/exceptions").text
    assert analyst.audited("tuning.approved")[0]["actor"] == "k.mori"


def test_planned_work_is_ended_on_the_page(own_city: City) -> None:
    """Whoever works on incidents ends it before its time."""
    now = own_city.clock.now()
    held = own_city.desk.roster.plan_maintenance(
        "入替", now, now + timedelta(days=13), {"host.name": "sv01"}, actor="m.kato", roles=["analyst"]
    )
    analyst = browser(own_city, "m.kato")
    assert "保守作業を終える" in analyst.get("/exceptions").text
    assert analyst.post(f"/exceptions/{held.id}/end").status_code == 303
    kept = own_city.records.get("suppression", held.id)
    assert kept is not None and kept.body["until"] <= own_city.clock.now().isoformat()
    assert "保守作業を終える" not in analyst.get("/exceptions").text


def test_own_proposal_and_a_real_attack_make_none(own_city: City) -> None:
    """An office holder's own proposal waits for somebody else; an incident that was real gives no exception."""
    office = browser(own_city, "k.mori")
    office.post("/incidents/2/close", verdict="benign", reason="点検")
    rule = str(own_city.records.find("alert", {"incident_id": "inc-2"})[0].body["rule_id"])
    office.post("/incidents/2/exceptions", rule=rule, reason="点検のため")
    (held,) = own_city.records.find("tuning")
    assert "自分の提案です" in office.get("/exceptions").text
    assert office.post(f"/exceptions/{held.id}/review", decision="approve").status_code == 403
    office.post("/incidents/1/close", verdict="true_positive", reason="侵害を確認")
    assert "/incidents/1/exceptions" not in office.get("/incidents/1").text
    assert office.post("/incidents/1/exceptions", rule="x", reason="誤り").status_code == 400


def test_rules_show_their_cost(own_city: City) -> None:
    """The list shows matches and the share of the time that matching took; — where it was never measured."""
    from dashboards.console.rulebook import Rulebook

    book = Rulebook([packs_folder() / "telework"])
    rule = next(one for one in book.rules.rules if one.unsupported is None)
    body = {
        "hour": own_city.clock.now().replace(minute=0, second=0, microsecond=0).isoformat(),
        "signals": {rule.id: 1234},
        "seconds": {rule.id: 3.0},
        "shared": 1.0,
        "sampled": 10,
        "events": 10,
    }
    own_city.records.put(STAT, "worker-0", body)
    page = browser(own_city, "m.kato", rulebook=book).get("/rules").text
    assert "1,234" in page and "75.0%" in page and ">—<" in page
