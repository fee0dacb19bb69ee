"""Permits to act first have a page: who may, by whom, from when until when, what was done on them; and the incident says who may."""

from pathlib import Path

from dashboards.console.permits_page import permits
from dashboards.users import Role
from hinomi.store import Record
from responders.playbooks.permits import FIRST, KIND, first_id
from responders.playbooks.run import Run
from tests.dashboards.browse import browser
from tests.dashboards.city import INCIDENTS, PASSWORD, City
from tests.responders.playbooks.stage import scene, written
from tests.responders.playbooks.test_act_first import first, night

FORM = {"taker": "m.kato", "start": "2026-11-20T00:00", "end": "2026-12-20T08:00", "reason": "夜間当番"}


def test_a_permit_is_given_shown_and_taken_back(own_city: City) -> None:
    """By an office, to somebody who works on incidents; the page says from when until when; ended, it does not hold any more. A
    permit whose giver has lost the office says that it is void; a damaged record hides none of the others."""
    office, analyst = browser(own_city, "k.mori"), browser(own_city, "m.kato")
    assert "許可はありません" in analyst.get("/permits").text
    assert analyst.post("/permits", **FORM).status_code == 403
    assert office.post("/permits", **FORM).status_code == 303
    own_city.records.put(KIND, "damaged", {"state": "open"})
    page = analyst.get("/permits").text
    for said in ("m.kato", "k.mori", "夜間当番", "2026-11-20 00:00", "2026-12-20 08:00", "有効"):
        assert said in page, said
    assert "取り消す" not in page and "許可を与える" not in page  # an analyst decides nothing here
    [held] = [one for one in own_city.records.find(KIND) if one.id != "damaged"]
    own_city.users.set_roles("k.mori", [Role.VIEWER])
    own_city.users.create("c.ito", "correct horse battery", [Role.CISO], full_name="伊藤 千尋")
    [shown] = permits(own_city.records, own_city.clock.now())
    assert shown.state == "void"
    own_city.users.set_roles("k.mori", [Role.INFORMATION_SYSTEM_MANAGER])
    assert browser(own_city, "k.mori").post(f"/permits/{held.id}/end").status_code == 303
    assert "取り消し" in analyst.get("/permits").text


def _of_the_incident(city: City, run: Run, stands: Record) -> None:
    city.records.put("playbook_run", run.id, run.model_dump(mode="json"))
    city.records.put("standing", stands.id, stands.body)
    held = city.records.get("incident", INCIDENTS[0].id)
    assert held is not None
    body = {**held.body, "run_ids": [*held.body["run_ids"], run.id]}
    city.records.put("incident", held.id, body, expect=held.version)


def test_what_stood_behind_a_gate_is_offered_to_the_office_of_the_gate(
    tmp_path: Path, own_city: City
) -> None:
    """A server that the CISO let be cut off: the manager who approves such plans sees no button, to undo it or to prolong it."""
    (tmp_path / "tower").mkdir()
    gate = "  - approve: {who: ciso, shows_ja: 切り離します, shows_en: cut off}\n"
    cut = "  - {act: host_firewall.isolate, value: host.name, for_hours: 24}\n"
    on = scene(tmp_path / "tower", written(tmp_path, "  - evidence: {of: [host.name]}\n" + gate + cut))
    for person, at in (("suzuki", None), ("mori", 1)):
        on.approve(person, at)
        on.tick()
    (stands,) = on.runs.records.find("standing")
    _of_the_incident(own_city, on.run.model_copy(update={"incident_id": INCIDENTS[0].id}), stands)
    own_city.users.create("e.abe", PASSWORD, [Role.CISO])
    pages = {who: browser(own_city, who).get("/incidents/1").text for who in ("k.mori", "e.abe")}
    for ends in ("undo", "extend/2"):
        at = f"/runs/{on.run_id}/{ends}"
        assert at in pages["e.abe"] and at not in pages["k.mori"], ends


def test_a_block_is_let_stand_longer_from_its_page(tmp_path: Path, own_city: City) -> None:
    """The page says when it ends; an office other than whoever asked prolongs it, with a reason; where the plan took two
    people, so does this, and both must name the same time. Nobody prolongs without end."""
    (tmp_path / "tower").mkdir()
    steps = "  - evidence: {of: [user.name]}\n  - {act: firewall.block_address, value: source.ip, for_hours: 24}\n"
    on = scene(tmp_path / "tower", written(tmp_path, steps))
    on.approve()
    on.tick()
    (stands,) = on.runs.records.find("standing")
    run = on.run.model_copy(update={"people": 2, "requested_by": "k.mori", "incident_id": INCIDENTS[0].id})
    _of_the_incident(own_city, run, stands)
    own_city.users.create("e.abe", PASSWORD, [Role.CHIEF_SECURITY_OFFICER])
    first, second = browser(own_city, "y.ota"), browser(own_city, "e.abe")
    page = first.get("/incidents/1").text
    assert "に自動で解除します" in page and f"/runs/{run.id}/extend/1" in page
    assert "/extend/" not in browser(own_city, "m.kato").get("/incidents/1").text
    at, form = f"/runs/{run.id}/extend/1", {"until": "2026-11-23T09:00", "reason": "調査が続くため"}
    assert browser(own_city, "k.mori").post(at, **form).status_code == 403  # asked for the plan
    assert first.post(at, until="2027-11-23T09:00", reason="x").status_code == 400
    assert first.post(at, **form).headers["location"].endswith("done=extend_asked")
    assert "y.ota さんが 11/23 09:00 までの延長に同意" in second.get("/incidents/1").text
    assert (
        first.post(at, **form).headers["location"].endswith("done=extend_asked")
    )  # the same person twice is one
    assert (
        second.post(at, **form | {"until": "2026-11-24T09:00"})
        .headers["location"]
        .endswith("done=extend_asked")
    )
    assert (
        second.post(at, **form).headers["location"].endswith("done=extend_asked")
    )  # the first named another time since
    assert first.post(at, **form).headers["location"].endswith("done=extended")
    (now,) = own_city.records.find("standing")
    assert now.body["due"] == "2026-11-23T09:00:00+09:00" and now.body["asked"] is None
    assert len(first.audited("playbook.extend")) == 5 and len(first.audited("playbook.extend.refused")) == 1


def test_what_was_done_first_is_listed(tmp_path: Path, own_city: City) -> None:
    """Who did what on which incident, and until when it stands without an approval."""
    (tmp_path / "tower").mkdir()
    on = night(tmp_path / "tower")
    first(on)
    on.runs.tick()
    for kind, identity in (("playbook_run", on.run_id), (FIRST, first_id(on.run_id, 2))):
        held = on.runs.records.get(kind, identity)
        assert held is not None
        own_city.records.put(kind, identity, held.body)
    page = browser(own_city, "m.kato").get("/permits").text
    assert "拡散を止める" in page and "sato" in page and "2026-11-20 05:14" in page
    assert "11/20 05:14</time> までに" in page  # a time, not the words of its markup
