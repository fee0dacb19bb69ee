"""What no log tells, from the page and by the API: an incident that a person opens, a playbook that they start."""

import pytest

from dashboards.users import Role
from responders.incidents.incidents import NUMBER
from responders.playbooks.asked import KIND
from responders.playbooks.named import inputs
from tests.dashboards.browse import browser
from tests.dashboards.city import PASSWORD, City
from tests.dashboards.test_api import _call, _token

REPORT = {
    "title": "公用端末の紛失",
    "what": "電車に置き忘れたと <b>h.abe</b> から電話",
    "known": "2026-11-20T07:10",
    "grade": "2",
    "zone": "mynumber",
    "target-user.name": "h.abe",
    "target-host.name": "pc-0777",
    "playbook": "lost_device",
    "key": "once",
}


def test_opened_on_the_page_with_its_playbook(own_city: City) -> None:
    """The form in both languages; sent twice it is one report, kept until the responder gives it its number; then the incident says that
    no log told of it, asks for the report with the moment of knowledge, and its plan waits for somebody else."""
    analyst, manager = browser(own_city, "m.kato"), browser(own_city, "k.mori")
    assert 'href="/incidents/open"' in analyst.get("/").text
    page, english = analyst.get("/incidents/open").text, manager.get("/incidents/open?lang=en").text
    assert "インシデントを起票する" in page and "LGWAN接続系" in page
    assert "Open an incident by hand" in english and "Lost or stolen device" in english
    for seeded in range(4):
        own_city.records.append(NUMBER, {"alert": str(seeded)})
    receipt = analyst.post("/incidents/open", **REPORT).headers["location"]
    assert analyst.post("/incidents/open", **REPORT).headers["location"] == receipt
    kept = analyst.get(receipt)
    assert "受け付けました" in kept.text and kept.headers["refresh"] == "2"
    assert f'href="{receipt}"' in manager.get("/incidents/open").text
    own_city.responder.tick()
    there = analyst.get(receipt).headers["location"]
    assert there == "/incidents/5?done=opened"
    [incident] = [
        one.body for one in own_city.records.find("incident") if one.body["fields"].get("opened_by")
    ]
    case = analyst.get(there).text
    for said in ("手入力で起票", "&lt;b&gt;h.abe&lt;/b&gt;", "アカウント h.abe を停止する"):
        assert said in case, said
    assert incident["grade"] == 2 and incident["zones"] == ["mynumber"]


@pytest.mark.parametrize("named", ["nobody,t.yamada", "x、t.yamada", "a\nb", "\x1b[31m"])
def test_a_box_offers_only_what_comes_back_as_it_was(own_city: City, named: str) -> None:
    """An account that a failed sign-in invented is not two people once the form comes back, and empties no form."""
    held = own_city.records.find("incident", {"number": 2})[0]
    entities = {**held.body["entities"], "user.name": [named, "課　総務"]}
    own_city.records.put("incident", held.id, {**held.body, "entities": entities}, expect=held.version)
    page = browser(own_city, "m.kato").get("/incidents/2").text
    assert 'name="target-user.name" value="課　総務"' in page


@pytest.mark.parametrize("address", ["::ffff:203.0.113.10", "fe80::1%$(reboot)", "203.0.113.300"])
def test_an_address_has_one_spelling(own_city: City, address: str) -> None:
    """What protects an address is not passed by in another form of it."""
    asker = browser(own_city, "k.mori")
    form = {"playbook": "ddos", "target-source.ip": address}
    assert asker.post("/incidents/2/start", **form).status_code == 400


def test_started_on_the_page_and_approved_by_another(own_city: City) -> None:
    """The boxes hold what the incident names, one is changed; the plan appears with its targets; whoever asked reads that they
    cannot approve it, another person can, and the audit log holds who asked for what."""
    asker, other = browser(own_city, "k.mori"), browser(own_city, "y.ota")
    page = asker.get("/incidents/2").text
    assert 'name="target-user.name" value="rpa02"' in page and "端末・媒体の紛失、盗難(利用者)" in page
    form = {"playbook": "lost_device", "target-user.name": "rpa02, h.abe", "target-host.name": "pc-0233"}
    sent = asker.post("/incidents/2/start", **form)
    assert sent.headers["location"] == "/incidents/2?done=start_asked"
    own_city.responder.tick()
    mine = asker.get("/incidents/2?done=start_asked").text
    for said in ("計画を求めました", "アカウント rpa02 を停止する", "アカウント h.abe を停止する"):
        assert said in mine, said
    run = next(iter(own_city.records.find(KIND))).body["run_id"]
    assert f'action="/approvals/{run}"' not in mine
    assert f'action="/approvals/{run}"' in other.get("/incidents/2").text
    assert asker.post(f"/approvals/{run}", decision="approve").status_code == 403
    assert other.post(f"/approvals/{run}", decision="approve").status_code == 303
    [entry] = asker.audited("playbook.start")
    assert entry["actor"] == "k.mori"
    assert entry["details"]["targets"] == {"user.name": ["rpa02", "h.abe"], "host.name": ["pc-0233"]}


def test_every_playbook_stands_in_the_list(own_city: City) -> None:
    """With what it is done to, in both languages; whoever may only look has no form."""
    own_city.users.create("v.looks", PASSWORD, [Role.VIEWER])
    analyst, viewer = browser(own_city, "m.kato"), browser(own_city, "v.looks")
    page, english = analyst.get("/incidents/2").text, analyst.get("/incidents/2?lang=en").text
    for name, playbook in own_city.responder.runs.playbooks.items():
        assert f'<option value="{name}">{playbook.title_ja}' in page
        assert playbook.title_en.replace("'", "&#39;") in english
        assert all(f'name="target-{field}"' in page for field in inputs(playbook)), name
    assert 'action="/incidents/2/start"' not in viewer.get("/incidents/2").text
    assert viewer.post("/incidents/2/start", playbook="ddos").status_code == 403
    assert 'action="/incidents/4/start"' not in analyst.get("/incidents/4").text  # it is closed


def test_started_by_a_token(own_city: City) -> None:
    """In the name of its user; without targets: the incident's own. What the desk refuses is a problem document, not a crash."""
    secret = _token(own_city, "m.kato")
    answer = _call(own_city, secret, "POST", "/incidents/2/start", json={"playbook": "lost_device"})
    [asked] = answer.json()["items"]
    assert (asked["by"], asked["targets"]) == ("m.kato", {"user.name": ["rpa02"], "host.name": ["pc-0233"]})
    for body in ({"playbook": "none"}, {"playbook": "ddos", "targets": {"user.name": ["\x07"]}}, {}):
        assert _call(own_city, secret, "POST", "/incidents/2/start", json=body).status_code == 400, body
    assert _call(own_city, secret, "POST", "/incidents/4/start", json={"playbook": "ddos"}).status_code == 400


def test_opened_by_a_token(own_city: City) -> None:
    """The same by the API: the report, and once it is taken up the number of its incident; a system that sends it again under its key
    opens nothing more."""
    secret, reading = _token(own_city, "m.kato"), _token(own_city, "m.kato", "read")
    body = {
        "title": "委託先からの連絡",
        "what": "委託先のサーバーに侵入",
        "known": "2026-11-20T07:10:00+09:00",
        "targets": {"host.name": ["sv-itaku"]},
        "key": "case-77",
    }
    assert _call(own_city, reading, "POST", "/incidents/open", json=body).status_code == 403
    first, again = (_call(own_city, secret, "POST", "/incidents/open", json=body).json() for _ in range(2))
    assert first == again and first["items"][0]["state"] == "asked"
    own_city.responder.tick()
    [taken] = _call(own_city, secret, "GET", f"/reported/{first['items'][0]['id']}").json()["items"]
    assert (taken["state"], taken["number"]) == ("open", 1)
    assert own_city.records.count("incident", {"title_ja": "sv-itaku: 委託先からの連絡"}) == 1
    assert _call(own_city, secret, "GET", "/reported/none").status_code == 404
    for wrong in ({"known": "2999-01-01T00:00:00Z"}, {"zone": "moon"}, {"title": ""}, {"organization": "x"}):
        assert (
            _call(own_city, secret, "POST", "/incidents/open", json=body | wrong | {"key": ""}).status_code
            == 400
        )
