"""Permits to act first have a page: who may, by whom, from when until when, what was done on them; and the incident says who may."""

from pathlib import Path

from dashboards.console.permits_page import permits
from dashboards.users import Role
from responders.playbooks.permits import FIRST, KIND, first_id
from tests.dashboards.browse import browser
from tests.dashboards.city import City
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
