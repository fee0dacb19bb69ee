"""The one next step of an incident, reports, calls, tasks, evidence, on call and the kill switch, as each role."""

import hashlib
import io
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dashboards.console import custody, uploads
from dashboards.users import Role
from hinomi.errors import InputError
from responders.incidents.evidence import verify_sealed
from responders.incidents.shelf import FolderShelf
from responders.oncall import ical
from responders.responder import desk
from responders.settings import ResponderSettings
from tests.dashboards.browse import Browser, browser
from tests.dashboards.city import KEY, PASSWORD, City

RESPONDING = ResponderSettings.model_validate(
    {
        "oncall": {
            "people": {
                "m.kato": {"name_ja": "情報政策課 加藤", "channels": ["m"], "phone": "000-0000-0001"},
                "k.mori": {
                    "name_ja": "森課長",
                    "channels": ["m"],
                    "phone": "000-0000-0002",
                    "office": "information_system_manager",
                },
            },
            "layers": [{"people": ["m.kato", "k.mori"]}],
            "escalation": {
                3: [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 2000, "to": ["m.kato"]}]
            },
        },
        "notify": {"channels": {"m": {"kind": "file", "folder": "messages"}}},
        "contacts": {
            "bodies": {
                "csirt": {"role": "csirt", "name_ja": "市 CSIRT", "phone": "000-0000-0010", "grade": 1}
            }
        },
    }
)


def _browser(city: City, name: str, responding: ResponderSettings = RESPONDING) -> Browser:
    """A browser on a console that knows who is on call."""
    return browser(city, name, responding=responding)


def _page(city: City, name: str, path: str) -> str:
    """A page as somebody sees it."""
    return _browser(city, name).get(path).text


def _step(page: str) -> str:
    """What the next step's box says."""
    return page.partition('class="next-step')[2].partition("</section>")[0]


def test_the_night_in_its_order(own_city: City) -> None:
    """Take it, have the plan decided, tell whom the tree names, judge: each time one step, with whom to call."""
    analyst, office = _browser(own_city, "m.kato"), _browser(own_city, "k.mori")
    step = _step(analyst.get("/incidents/1").text)
    assert "「対応を始める」を押してください" in step
    assert "情報政策課 加藤 を呼びます" in step
    analyst.post("/incidents/1/acknowledge")
    step = _step(analyst.get("/incidents/1").text)
    assert "承認を情報システム管理者に求めてください" in step
    assert "tel:000-0000-0002" in step
    assert 'value="approve"' not in step
    step = _step(office.get("/incidents/1").text)
    assert 'value="approve"' in step
    assert "承認しても機器やアカウントは変わりません" in step  # a dry run says so
    happens = step.partition("<dl")[2]
    assert happens.index("承認しても機器") < happens.index("実際に動かす設定にした場合: ")
    assert "元に戻す必要のある操作はありません" in happens
    assert "戻せます" not in happens.partition("元に戻すには")[2]
    run = own_city.records.find("approval")[0]
    assert office.post(f"/approvals/{run.id}", decision="deny", note="本人の操作").status_code == 303
    assert "市 CSIRTに連絡し" in _step(analyst.get("/incidents/1").text)
    told = {"whom": "csirt", "way": "phone", "what": "第一報"}
    assert analyst.post("/incidents/1/told", **told).status_code == 303
    page = analyst.get("/incidents/1").text
    assert "第一報" in page
    assert "証拠を確かめ、判定してください" in _step(page)
    analyst.post("/incidents/1/close", verdict="benign", reason="本人確認")
    assert not _step(analyst.get("/incidents/1").text)


def test_a_viewer_sees_the_step_and_no_button(city: City) -> None:
    """Who may is said; nothing can be pressed, and nobody's telephone form is there."""
    page = _browser(city, "a.kansa").get("/incidents/1").text
    step = _step(page)
    assert "あなたの役割ではできません" in step
    assert "<button" not in step
    for gone in ("/told", "/tasks", "/merge", "/evidence/seal", "/start"):
        assert f"/incidents/1{gone}" not in page


def test_a_report_from_decision_to_sent(own_city: City) -> None:
    """A clock runs from when the city knew; its draft is written, approved by another, sent by a person; all on the page."""
    analyst, office = _browser(own_city, "m.kato"), _browser(own_city, "y.ota")
    analyst.post("/incidents/2/acknowledge")
    base = "/incidents/2/duties/PPC-MN-PRELIM"
    assert "先にインシデントの画面で" in analyst.get(base).text
    assert analyst.post(f"{base}/draft").status_code == 400
    started = analyst.post(f"{base}/start", known="2026-11-20T08:00", why="市民課から電話")
    assert started.status_code == 303
    page = analyst.get("/incidents/2").text
    assert "2026-11-24 23:59:59 JST" in page
    assert "市民課から電話" in page
    assert analyst.post(f"{base}/draft").status_code == 303
    draft = analyst.get(base).text
    assert "【要記入】" in draft
    assert "実施済み:\n" in draft  # saved as it stands, the lines stay lines
    keys = [part.partition('"')[0] for part in draft.split('name="item-')[1:]]
    filled = {f"item-{key}": "確認済み。" + "長" * 2000 for key in keys}
    assert analyst.post(f"{base}/edit", version="1", **filled).status_code == 303
    assert analyst.post(f"{base}/approve", version="2").status_code == 403
    # whoever wrote it may not approve it; an office that did not may
    assert office.post(f"{base}/approve", version="2").status_code == 303
    assert office.get(f"{base}/file/docx?version=2").content[:2] == b"PK"
    at = "2026-11-20T08:30"
    assert analyst.post(f"{base}/sent", version="2", at=at, how="電話と様式").status_code == 303
    assert "報告しました" in analyst.get("/incidents/2").text
    assert office.get(f"{base}/file/exe?version=2").status_code == 400
    assert office.get(f"{base}/file/pdf?version=９９").status_code == 400
    assert analyst.post(f"{base}/draft").status_code == 303
    (new,) = own_city.records.find("duty_report", {"version": 3})
    own_city.records.put(new.kind, new.id, {**new.body, "fields": {"facts": "以前の項目"}})
    assert office.post(f"{base}/approve", version="3").status_code == 400
    page = office.get(base).text
    assert "報告の項目が変わりました" in page and f"{base}/approve" not in page


def test_no_report_is_due_is_an_offices_word(own_city: City) -> None:
    """An analyst may start a clock, not wave one off."""
    base = "/incidents/2/duties/PREF"
    assert _browser(own_city, "m.kato").post(f"{base}/decline", why="軽微").status_code == 403
    office = _browser(own_city, "k.mori")
    assert office.post(f"{base}/decline", why="軽微").status_code == 303
    assert "報告は不要と決めました" in office.get("/incidents/2").text


def test_tasks_joining_and_splitting(own_city: City) -> None:
    """A task is added and done; two incidents become one; alerts are asked to be split off."""
    visitor = _browser(own_city, "m.kato")
    assert visitor.post("/incidents/1/tasks", title="端末を預かる", due="2026-11-20T12:00").status_code == 303
    (task,) = own_city.records.find("incident_task")
    assert "端末を預かる" in visitor.get("/incidents/1").text
    assert visitor.post(f"/incidents/2/tasks/{task.id}", do="done").status_code == 400  # another incident's
    assert visitor.post(f"/incidents/1/tasks/{task.id}", do="done", note="10時に受領").status_code == 303
    assert "10時に受領" in visitor.get("/incidents/1").text
    alerts = own_city.records.find("incident", {"number": 1})[0]
    first = str(alerts.body["alert_ids"][0])
    split = visitor.post_many("/incidents/1/split", [("alert", first)], reason="別の件")
    assert split.status_code == 303
    assert own_city.records.count("incident_split") == 1
    assert (
        visitor.post("/incidents/2/merge", other="#1", reason="同じ送信元")
        .headers["location"]
        .startswith("/incidents/1?")
    )
    assert "次の件にまとめました" in visitor.get("/incidents/2").text
    assert visitor.post("/incidents/1/merge", other="1;drop", reason="x").status_code == 400


def test_evidence_is_handed_read_and_sealed(own_city: City, tmp_path: Path) -> None:
    """Each look is a link of the chain on the page; the ZIP holds its seal and the page's hash is the file's."""
    shelf = FolderShelf(tmp_path / "evidence")
    own_city = replace(own_city, desk=desk(own_city.records, own_city.clock, KEY, shelf))
    who = {"actor": "m.kato", "roles": ["analyst"]}
    incident = str(own_city.records.find("incident", {"number": 1})[0].id)
    piece = own_city.desk.cases.take_evidence(incident, "mem.img", b"\x00bytes", origin="pc-0417", **who)  # type: ignore[arg-type]
    visitor = _browser(own_city, "m.kato")
    page = visitor.get("/incidents/1").text
    assert piece.body["sha256"] in page
    base = f"/incidents/1/evidence/{piece.id}"
    assert visitor.post(f"{base}/read", note="解析").content == b"\x00bytes"
    assert visitor.post(f"{base}/hand", note="県警へ").status_code == 303
    assert "県警へ" in visitor.get("/incidents/1").text
    assert visitor.post(f"/incidents/2/evidence/{piece.id}/read", note="解析").status_code == 400
    sealed = visitor.post("/incidents/1/evidence/seal", note="県警へ提供")
    assert verify_sealed(sealed.content, own_city.records) == []
    assert len(zipfile.ZipFile(io.BytesIO(sealed.content)).namelist()) == 4
    assert _browser(own_city, "a.kansa").post("/incidents/1/evidence/seal", note="x").status_code == 403


def test_a_file_is_brought_to_the_vault(own_city: City, tmp_path: Path) -> None:
    """What arrives is the file to the byte, hashed, under a harmless name, its chain begun by whoever brought it; the same
    file again is no second piece. Too much, nothing, a broken form, and whoever may not: refused, nothing kept."""
    shelf = FolderShelf(tmp_path / "evidence")
    own_city = replace(own_city, desk=desk(own_city.records, own_city.clock, KEY, shelf))
    visitor, reader = _browser(own_city, "m.kato"), _browser(own_city, "a.kansa")
    content = bytes(range(256)) * 300 + b"\r\n--boundary\r\n"
    form = {"origin": "受付の端末 PC-114", "note": "画面の写真"}
    for _ in range(2):
        answer = visitor.upload("/incidents/1/evidence", ("../通帳 <b>.jpg", content), **form)
        assert answer.headers["location"].endswith("done=evidence_kept")
    (held,) = own_city.records.find("evidence")
    assert held.body["sha256"] == hashlib.sha256(content).hexdigest() and held.body["bytes"] == len(content)
    assert "/" not in held.body["name"] and held.body["custody"][0]["by"] == "m.kato"
    assert shelf.get(held.body["sha256"]) == content
    assert held.body["sha256"] in visitor.get("/incidents/1").text
    assert [one["details"]["sha256"] for one in visitor.audited("evidence.collected")] == [
        held.body["sha256"]
    ]
    assert reader.upload("/incidents/1/evidence", ("a", b"x"), **form).status_code == 403
    assert browser(own_city).upload("/incidents/1/evidence", ("a", b"x"), **form).status_code == 401
    visitor.csrf, token = "wrong", visitor.csrf
    assert visitor.upload("/incidents/1/evidence", ("a", b"x"), **form).status_code == 403
    visitor.csrf = token
    for bad in (("", b""), ("a", b"x" * (custody.MOST_FILE + 100_000))):
        assert visitor.upload("/incidents/1/evidence", bad, **form).status_code == 400
    assert visitor.post("/incidents/1/evidence", **form).status_code == 400
    refused = reader.upload("/incidents/1/evidence", ("a", b"x" * 100_000), **form)
    assert refused.status_code == 403  # who may not is told so, however much they sent
    assert own_city.records.count("evidence") == 1


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"no form"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1" * 50),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut'),
    ],
)
def test_what_is_no_form_is_said(kind: str, raw: bytes) -> None:
    """No boundary, no part, too many parts, cut in the middle: an answer in words, or no value, never a crash."""
    try:
        values, files = uploads.read(kind, raw)
    except InputError as error:
        assert "フォーム" in error.ja
    else:
        assert not files and "csrf" not in values


def test_on_call_now_next_and_a_stand_in(own_city: City) -> None:
    """The page says who is on call; a stand-in takes over and is cancelled; the calendar's address is the permission."""
    visitor, now = _browser(own_city, "m.kato"), own_city.clock.now()
    page = visitor.get("/oncall").text
    assert "いまの当番" in page
    end = (now + timedelta(hours=9 + 4)).strftime("%Y-%m-%dT%H:%M")
    start = (now + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    form = {"person": "m.kato", "start": start, "end": end, "reason": "出張"}
    assert "いまの当番 森課長" in page
    assert visitor.post("/oncall/stand-in", **form).status_code == 303
    assert "いまの当番 情報政策課 加藤" in visitor.get("/oncall").text
    (held,) = own_city.records.find("oncall_override")
    assert visitor.post(f"/oncall/stand-in/{held.id}/drop").status_code == 303
    calendar = f"/calendar/{ical.token(KEY, 'm.kato')}.ics"
    assert calendar in page
    stranger = browser(own_city)
    stranger.app = visitor.app
    assert "BEGIN:VCALENDAR" in stranger.get(calendar).text
    assert stranger.get("/calendar/m.kato.0123.ics").status_code == 403
    assert visitor.get("/oncall/contacts.pdf").content[:4] == b"%PDF"


@pytest.mark.parametrize("path", ["/", "/search", "/incidents/1", "/oncall"])
def test_the_kill_switch_is_on_every_page(own_city: City, path: str) -> None:
    """An analyst stops everything; every page says so; only an office starts it again."""
    analyst, office = _browser(own_city, "m.kato"), _browser(own_city, "k.mori")
    assert "自動対応 動作中" in analyst.get(path).text
    assert _browser(own_city, "a.kansa").post("/automation/stop", reason="x").status_code == 403
    assert analyst.post("/automation/stop", reason="様子がおかしい").status_code == 303
    assert "様子がおかしい" in office.get(path).text
    assert analyst.post("/automation/resume", reason="x").status_code == 403
    assert office.post("/automation/resume", reason="確かめた").status_code == 303
    assert "様子がおかしい" not in analyst.get(path).text


def test_stopped_by_the_configuration(city: City) -> None:
    """`paused` cannot be undone from the page, and the page says why."""
    paused = RESPONDING.model_copy(
        update={"playbooks": RESPONDING.playbooks.model_copy(update={"paused": True})}
    )
    page = _browser(city, "k.mori", paused).get("/automation").text
    assert "respond.playbooks.paused" in page
    assert 'action="/automation/resume"' not in page


def test_an_office_is_lent_and_taken_back(own_city: City) -> None:
    """Lent by who holds it, shown, ended."""
    office = _browser(own_city, "k.mori")
    form = {"taker": "m.kato", "start": "2026-11-20T08:00", "end": "2026-11-21T08:00", "reason": "休暇"}
    assert office.post("/automation/delegate", **form).status_code == 303
    assert "k.mori → m.kato" in office.get("/automation").text
    (held,) = own_city.records.find("delegation")
    end = f"/automation/delegations/{held.id}/end"
    own_city.users.create("c.ito", PASSWORD, [Role.CISO], full_name="伊藤 千尋")
    offered = {n for n in ("k.mori", "c.ito", "y.ota", "m.kato") if end in _page(own_city, n, "/automation")}
    assert offered == {"k.mori", "c.ito"}  # to who gave it and to a CISO: nobody else could end it
    assert office.post(f"/automation/delegations/{held.id}/end").status_code == 303
    assert "k.mori → m.kato" not in office.get("/automation").text


def test_messages_that_went_out_and_that_did_not(own_city: City) -> None:
    """A message still to be sent, and one that was, stand on the page as the outbox writes them."""
    incident = own_city.records.find("incident", {"number": 1})[0].id
    body = {"person": "m.kato", "incident_id": incident, "created": own_city.clock.now().isoformat()}
    own_city.records.put("notification", "n1", {**body, "state": "planned", "history": []})
    sent = {"state": "sent", "sent": own_city.clock.now().isoformat()}
    history = [{"at": sent["sent"], "problem": "x", "certain": True}, {"at": sent["sent"], "channel": "m"}]
    own_city.records.put("notification", "n2", {**body, **sent, "history": history})
    page = _browser(own_city, "a.kansa").get("/incidents/1").text
    assert "自動で送った通知(2 件)" in page
    assert "これから送る" in page
    assert "送信済み m" in page


def test_dead_letters_are_asked_to_be_read_again(own_city: City) -> None:
    """The sources page offers it to who works on incidents, shows that it waits and, later, what came of it."""
    visitor = _browser(own_city, "m.kato")
    assert "/sources/replay" in visitor.get("/sources").text
    assert "/sources/replay" not in _browser(own_city, "a.kansa").get("/sources").text
    form = {"source": "fortinet.fortigate", "reason": "対応表を<直した>"}
    assert visitor.post("/sources/replay", **form).headers["location"] == "/sources?done=replay_asked"
    page = visitor.get("/sources").text
    assert "対応表を&lt;直した&gt;" in page and "待っています" in page
    (held,) = own_city.desk.replays.waiting()
    came = {**held.body, "state": "done", "letters": 1200, "understood": 1100}
    own_city.records.put("replay", held.id, came, expect=held.version)
    assert "1,200 行を読み直し、1,100 行を新しく保管しました" in visitor.get("/sources").text
    assert visitor.post("/sources/replay", source=" ", reason="x").status_code == 400
    assert [one["target"] for one in visitor.audited("replay")] == ["fortinet.fortigate"]


def test_recognised_formats_stand_on_the_sources_page(own_city: City) -> None:
    """Each with its sender and program, escaped: both are the sender's to choose."""
    body = {
        "pin": True,
        "origin": "relay",
        "peer": "10.0.0.<b>",
        "source": "linux.auth",
        "since": "2026-11-20T03:00:00Z",
    }
    further = [{"program": "dhcpd", "source": "isc.dhcpd", "since": "2026-11-20T03:00:00Z"}]
    own_city.records.put("source", "pin|relay|10.0.0.<b>", {**body, "further": further})
    page = _browser(own_city, "m.kato").get("/sources").text
    assert (
        "10.0.0.&lt;b&gt;" in page
        and "isc.dhcpd" in page
        and "dhcpd" in page
        and "<b>" not in page.split("relay")[1][:300]
    )
    assert re.search(r"見分けた形式\(\d+ 件\)", page) and "sources unpin" in page
