"""The queue and the incident page: order and its reasons, and each decision through the real desk."""

import re
from datetime import datetime, timedelta

from hinomi.incident import Incident, Status
from responders.notify import links
from responders.playbooks.approvals import Approvals
from responders.playbooks.run import APPROVAL, KIND, Run
from tests.dashboards.browse import browser
from tests.dashboards.city import KEY, City


def _incident(city: City, number: int) -> Incident:
    record = city.records.find("incident", {"number": number})[0]
    return Incident.model_validate(record.body)


def test_queue_orders_by_need_and_says_why(city: City) -> None:
    """Untaken and grave comes first, closed is not in the open view; the reason stands under the title."""
    page = browser(city, "m.kato").get("/").text
    first, second = page.index("/incidents/1"), page.index("/incidents/2")
    assert first < second
    assert "/incidents/4" not in page
    assert (
        "5時間30分のあいだ誰も対応していません・対応目標を過ぎています・承認を待っています・重大度「重大」・LGWAN接続系に及ぶ"
        in page
    )
    assert "計画を承認または却下" in page


def test_queue_filters(city: City) -> None:
    """View, grade, assignee and words narrow the queue."""
    visitor = browser(city, "m.kato")
    assert "/incidents/4" in visitor.get("/?view=closed").text
    assert "/incidents/1" not in visitor.get("/?view=closed").text
    mine = visitor.get("/?view=mine").text
    assert "/incidents/2" in mine
    assert "/incidents/1" not in mine
    assert "/incidents/2" in visitor.get("/?q=rpa02").text
    assert "/incidents/1" not in visitor.get("/?q=rpa02").text
    assert "条件に合うインシデントはありません" in visitor.get("/?q=no-such-word").text
    assert "/incidents/3" not in visitor.get("/?grade=3").text
    assert visitor.get("/?page=99999&view=%3Cx&grade=x").status_code == 200


def test_empty_queue_says_so(bare_city: City) -> None:
    """Nothing open is a sentence, not an empty table."""
    assert "対応が必要なインシデントはありません" in browser(bare_city, "m.kato").get("/").text


def test_incident_page_shows_story_evidence_and_plan(city: City) -> None:
    """Story, what to do, raw line beside parsed fields, each step with its undo and approver."""
    page = browser(city, "m.kato").get("/incidents/1").text
    for words in (
        "2時40分から国外アドレス",
        "送信元を遮断する前に",
        "remip=203.0.113.66",
        "source.geo.country_iso_code",
        "アカウント t.yamada を停止する",
        "元に戻せます",
        "情報システム管理者(または上位の責任者)の承認を待っています",
        "予行",
        "LGWANに影響する事象の連絡",
        "推定",
        "T1110.003",
    ):
        assert words in page, words
    assert 'value="approve"' not in page  # an analyst may not decide


def test_times_are_japanese_with_the_original_on_hover(city: City) -> None:
    """02:40 JST is shown; the UTC time as stored is in the title."""
    page = browser(city, "m.kato").get("/incidents/1").text
    assert 'title="2026-11-20 02:40:00 JST (2026-11-19T17:40:00+00:00)">11/20 02:40:00<' in page


def test_my_number_incident_shows_the_report_clock(city: City) -> None:
    """Opened 19 Nov, which is day 1: preliminary by day 5, the 23rd (the source moves no day), final on day 30, 18 Dec."""
    page = browser(city, "m.kato").get("/incidents/2").text
    assert "特定個人情報の漏えい等 速報" in page
    assert "2026-11-23 23:59:59 JST" in page
    assert "2026-12-18 23:59:59 JST" in page


def test_acknowledge_assign_comment_grade_close(own_city: City) -> None:
    """Each decision changes the incident in the signed-in person's name and is audited."""
    visitor = browser(own_city, "m.kato")
    answer = visitor.post("/incidents/1/acknowledge")
    assert answer.headers["location"] == "/incidents/1?done=acknowledged"
    assert "対応の開始を記録しました" in visitor.get("/incidents/1?done=acknowledged").text
    assert visitor.post("/incidents/1/assign", assignee="k.mori").status_code == 303
    assert visitor.post("/incidents/1/comment", text="本人に電話した。\n覚えがない。").status_code == 303
    assert visitor.post("/incidents/1/grade", grade="2", reason="範囲が狭い").status_code == 303
    assert visitor.post("/incidents/1/close", verdict="true_positive", reason="停止済み").status_code == 303
    incident = _incident(own_city, 1)
    assert (incident.status, incident.acknowledged_by, incident.assignee) == (
        Status.CLOSED,
        "m.kato",
        "k.mori",
    )
    assert incident.grade == 2
    assert {line.actor for line in incident.timeline[-5:]} == {"m.kato"}
    assert "本人に電話した。<br>覚えがない。" in visitor.get("/incidents/1").text
    assert own_city.desk.audit.verify() == []
    assert {"incident.ack", "incident.assign", "incident.comment", "incident.status"} <= {
        record.body["action"] for record in own_city.records.find("audit")
    }


def test_bad_forms_change_nothing(own_city: City) -> None:
    """An empty note, an unknown verdict, grade or assignee is said in words."""
    visitor = browser(own_city, "m.kato")
    before = _incident(own_city, 1)
    for path, form in (
        ("comment", {"text": "   "}),
        ("close", {"verdict": "nonsense", "reason": "x"}),
        ("grade", {"grade": "9", "reason": "x"}),
        ("assign", {"assignee": "a.kansa"}),
        ("assign", {"assignee": "nobody"}),
    ):
        assert visitor.post(f"/incidents/1/{path}", **form).status_code == 400, path
    assert _incident(own_city, 1) == before


def test_manager_approves_and_the_responder_acts(own_city: City) -> None:
    """The approval is recorded by the console; only the responder's tick then runs the steps (dry)."""
    visitor = browser(own_city, "k.mori")
    page = visitor.get("/incidents/1").text
    assert 'value="approve"' in page
    run = _incident(own_city, 1).run_ids[0]
    answer = visitor.post(f"/approvals/{run}", decision="approve", note="確認した")
    assert answer.headers["location"] == "/incidents/1?done=approved"
    assert own_city.records.get(APPROVAL, run).body["by"] == "k.mori"  # type: ignore[union-attr]
    assert "k.mori が承認しました。 確認した" in visitor.get("/incidents/1").text
    assert "予行で確認済み" not in visitor.get("/incidents/1").text
    own_city.responder.tick()
    assert "予行で確認済み" in visitor.get("/incidents/1").text
    assert visitor.post(f"/approvals/{run}", decision="deny").status_code == 403  # decided already


def test_expired_plan_cannot_be_approved(own_city: City) -> None:
    """After the time for approval the buttons are gone and a form sent all the same is refused."""
    run = _incident(own_city, 1).run_ids[0]
    own_city.clock.advance(timedelta(minutes=31))
    visitor = browser(own_city, "y.ota")
    assert "承認の期限が過ぎています" in visitor.get("/incidents/1").text
    assert visitor.post(f"/approvals/{run}", decision="approve").status_code == 403


def test_four_eyes(own_city: City) -> None:
    """Whoever asked for a run may not approve it, whatever their office."""
    run = _incident(own_city, 1).run_ids[0]
    for kind in ("playbook_run", APPROVAL):
        record = own_city.records.get(kind, run)
        assert record is not None
        own_city.records.put(kind, run, {**record.body, "requested_by": "k.mori"})
    visitor = browser(own_city, "k.mori")
    assert "求めた本人は承認できません" in visitor.get("/incidents/1").text
    assert visitor.post(f"/approvals/{run}", decision="approve").status_code == 403
    assert browser(own_city, "y.ota").post(f"/approvals/{run}", decision="deny").status_code == 303


def test_link_of_a_notification(own_city: City) -> None:
    """GET shows and changes nothing (mail scanners), POST acknowledges as the person who was called."""
    token = links.make(KEY, "inc-1", "m.kato", own_city.clock.now(), "n")
    visitor = browser(own_city)
    assert "m.kato さんが引き受けたと記録し" in visitor.get(f"/a/{token}").text
    assert _incident(own_city, 1).acknowledged_by == ""
    assert visitor.post(f"/a/{token}").status_code == 303
    assert _incident(own_city, 1).acknowledged_by == "m.kato"
    page = visitor.get(f"/a/{token}").text
    assert "m.kato さんが対応を始めています" in page and "次にすること: 下のリンクからサインイン" in page


def test_a_link_acknowledges_once(own_city: City) -> None:
    """However often scanners look at it, it works for one press; when the matter grows graver a new link is needed."""
    token = links.make(KEY, "inc-3", "m.kato", own_city.clock.now(), "n1")
    visitor = browser(own_city)
    for _ in range(3):
        assert visitor._ask("HEAD", f"/a/{token}", None).status_code == 200
        assert 'method="post"' in visitor.get(f"/a/{token}").text
    assert _incident(own_city, 3).acknowledged_by == ""
    looks = own_city.records.find("audit", {"action": "incident.ack_link.opened"})
    assert len(looks) == 6, "each look by HEAD and GET is in the log"
    assert {(e.body["actor"], e.body["target"], e.body["details"]["why"]) for e in looks} == {
        ("m.kato", "inc-3", "opening_decides_nothing")
    }
    assert visitor.post(f"/a/{token}").status_code == 303
    assert visitor.post(f"/a/{token}").status_code == 303  # pressed twice: nothing more happens
    assert sum(line.kind == "ack" for line in _incident(own_city, 3).timeline) == 1
    own_city.desk.regrade("inc-3", 3, "範囲が広がった", actor="k.mori", roles=["information_system_manager"])
    assert "このリンクは一度使われています" in visitor.get(f"/a/{token}").text
    assert visitor.post(f"/a/{token}").status_code == 403
    assert _incident(own_city, 3).fields["acknowledged_grade"] < 3
    entries = own_city.records.find("audit", {"action": "incident.ack.refused"})
    assert [record.body["details"] for record in entries] == [{"why": "link_used"}]
    fresh = links.make(KEY, "inc-3", "m.kato", own_city.clock.now(), "n2")
    assert 'method="post"' in visitor.get(f"/a/{fresh}").text
    assert visitor.post(f"/a/{fresh}").status_code == 303
    assert _incident(own_city, 3).fields["acknowledged_grade"] == 3


def test_a_graver_incident_can_be_taken_again_on_its_page(own_city: City) -> None:
    """Taken, the button is gone; graver since, it is there again and records who knows of the new grade."""
    visitor = browser(own_city, "m.kato")
    button = 'action="/incidents/3/acknowledge"'
    assert button in visitor.get("/incidents/3").text
    visitor.post("/incidents/3/acknowledge")
    assert button not in visitor.get("/incidents/3").text
    own_city.desk.regrade("inc-3", 3, "範囲が広がった", actor="k.mori", roles=["ciso"])
    assert button in visitor.get("/incidents/3").text
    visitor.post("/incidents/3/acknowledge")
    assert _incident(own_city, 3).fields["acknowledged_grade"] == 3


def test_a_link_that_came_too_late_is_used_up_too(own_city: City) -> None:
    """Somebody else has taken it: nothing changes hands, and the link does not take a graver incident later."""
    own_city.desk.acknowledge("inc-3", actor="k.mori", roles=["analyst"])
    token = links.make(KEY, "inc-3", "m.kato", own_city.clock.now(), "n1")
    visitor = browser(own_city)
    assert "k.mori さんが対応を始めています" in visitor.get(f"/a/{token}").text
    assert visitor.post(f"/a/{token}").status_code == 303
    assert _incident(own_city, 3).acknowledged_by == "k.mori"
    own_city.desk.regrade("inc-3", 3, "範囲が広がった", actor="y.ota", roles=["ciso"])
    assert visitor.post(f"/a/{token}").status_code == 403


def test_wrong_or_old_link_is_refused(own_city: City) -> None:
    """A forged, cut or old token acknowledges nothing and the page says so."""
    token = links.make(KEY, "inc-1", "m.kato", own_city.clock.now(), "n")
    visitor = browser(own_city)
    for bad in (token[:-3], "x", links.make(b"other" * 8, "inc-1", "m.kato", own_city.clock.now(), "n")):
        assert visitor.post(f"/a/{bad}").status_code == 403
    other = links.make(KEY, "inc-3", "m.kato", own_city.clock.now(), "n")
    moved = f"{other.split('.')[0]}.{token.split('.')[1]}"  # another incident under this one's signature
    assert visitor.post(f"/a/{moved}").status_code == 403
    own_city.clock.advance(timedelta(days=30))
    assert visitor.post(f"/a/{token}").status_code == 403
    assert _incident(own_city, 1).acknowledged_by == _incident(own_city, 3).acknowledged_by == ""
    entries = [one.body for one in own_city.records.find("audit", {"action": "incident.ack.refused"})]
    assert [entry["details"]["why"] for entry in entries] == ["forged"] * 4 + ["expired"]
    assert {entry["actor"] for entry in entries[:4]} == {"unknown"} and entries[4]["actor"] == "m.kato"
    assert entries[4]["target"] == "inc-1" and all(one["target"].startswith("token ") for one in entries[:4])


def test_a_stranger_who_knocks_does_not_fill_the_log(own_city: City) -> None:
    """Of 300 forged tokens in an hour fifty are written singly, then each doubling with the count so far."""
    visitor = browser(own_city)
    for n in range(300):
        assert visitor.post(f"/a/forged{n}").status_code == 403
    entries = own_city.records.find("audit", {"action": "incident.ack.refused"}, limit=1_000)
    assert [e.body["details"].get("this_hour") for e in entries] == [None] * 50 + [64, 128, 256]
    own_city.clock.advance(timedelta(hours=1))
    assert visitor.post("/a/forged").status_code == 403
    assert own_city.records.count("audit", {"action": "incident.ack.refused"}) == 54


def test_looks_are_audited(own_city: City) -> None:
    """Who looked at which incident is in the audit log."""
    browser(own_city, "a.kansa").get("/incidents/2")
    entries = [record.body for record in own_city.records.find("audit", {"action": "console.look"})]
    assert [(entry["actor"], entry["target"]) for entry in entries] == [("a.kansa", "inc-2")]


def test_approving_a_plan_that_changed_since_it_was_shown(own_city: City) -> None:
    """The form says which plan was read; for another one the approval is refused, in words."""
    run = _incident(own_city, 1).run_ids[0]
    visitor = browser(own_city, "k.mori")
    page = visitor.get("/incidents/1").text
    [seen] = re.findall(r'name="plan" value="([^"]+)"', page)
    answer = visitor.post(f"/approvals/{run}", decision="approve", plan="of-yesterday")
    assert answer.status_code == 403 and "計画が変わりました" in answer.text
    assert visitor.post(f"/approvals/{run}", decision="approve", plan=seen).status_code == 303


def test_approving_on_a_page_from_before_the_request_was_put_anew(own_city: City) -> None:
    """The plan is the same, what it covers by now may be more: refused, in words, until the page is opened again."""
    held = own_city.records.get(KIND, _incident(own_city, 1).run_ids[0])
    assert held is not None
    run, visitor = held.read_as(Run), browser(own_city, "k.mori")
    old = _form(visitor.get("/incidents/1").text)
    anew = run.model_copy(update={"expires": run.expires + timedelta(minutes=1)})
    assert Approvals(own_city.records, own_city.clock, own_city.desk.audit).ask(anew)
    between = _form(visitor.get("/incidents/1").text)  # the request is written, the run is not yet
    own_city.records.put(KIND, run.id, anew.model_dump(mode="json"))
    for form in (old, between):
        answer = visitor.post(f"/approvals/{run.id}", decision="approve", **form)
        assert answer.status_code == 403 and "求め直されました" in answer.text
    now = _form(visitor.get("/incidents/1").text)
    assert visitor.post(f"/approvals/{run.id}", decision="approve", **now).status_code == 303


def _form(page: str) -> dict[str, str]:
    """What the form of the only decision on a page sends about what was read."""
    found = re.findall(r'name="(plan|until)" value="([^"]+)"', page)
    assert len(found) == 2
    return dict(found)


def test_a_closed_incident_is_opened_again_on_its_page(own_city: City) -> None:
    """The form is there for those who work on incidents, asks for a reason, and the incident goes on."""
    visitor = browser(own_city, "m.kato")
    assert "/reopen" not in visitor.get("/incidents/3").text
    visitor.post("/incidents/3/close", verdict="benign", reason="保守作業")
    assert 'action="/incidents/3/reopen"' in visitor.get("/incidents/3").text
    assert "/reopen" not in browser(own_city, "a.kansa").get("/incidents/3").text
    assert visitor.post("/incidents/3/reopen", reason=" ").status_code == 400
    answer = visitor.post("/incidents/3/reopen", reason="まだ続いている")
    assert answer.headers["location"] == "/incidents/3?done=reopened"
    incident = _incident(own_city, 3)
    assert (incident.status, incident.verdict) == (Status.IN_PROGRESS, None)
    assert "再開: まだ続いている" in visitor.get("/incidents/3?done=reopened").text


def test_a_timeline_without_findings_is_that_of_what_people_did(city: City) -> None:
    """Where retention dropped the alerts, the drawing is of the incident's own days; it was of the minute in which it was looked at."""
    page = browser(city, "m.kato").get("/incidents/4").text
    [(start, end)] = re.findall(r'data-from="([^"]+)" data-to="([^"]+)"', page)
    shown = _incident(city, 4)
    assert datetime.fromisoformat(start) <= shown.first <= shown.last <= datetime.fromisoformat(end)


def test_the_queue_names_each_kind(city: City) -> None:
    """Who and where in a line of the queue: each value under its own kind, not all under the last one's."""
    row = browser(city, "m.kato").get("/?view=all").text.split('data-number="1"')[1].split("</tr>")[0]
    for kind, value in (("利用者", "t.yamada"), ("端末", "pc-0417"), ("送信元", "203.0.113.66")):
        assert f'<span class="entity-kind">{kind}</span> <span class="mono">{value}</span>' in row
