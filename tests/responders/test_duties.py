"""Statutory reports: who decided, warnings, drafts, versions, approval. How days are counted: test_deadlines.py."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader

from hinomi.clock import FixedClock
from hinomi.errors import InputError, Refused
from hinomi.incident import Incident, Verdict
from responders.desk import Desk
from responders.duties.contacts import ContactSettings, card, due
from responders.duties.duty import duties, touched
from responders.incidents.shelf import FolderShelf
from responders.opening import Report
from responders.responder import Responder, desk
from tests.responders.city import ANALYST, KEY, MANAGER, NIGHT, alert, messages, responder

OFFICE = ["information_security_manager"]


@pytest.fixture
def case(tmp_path: Path) -> tuple[Responder, FixedClock, Desk, Incident]:
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert(zones=["mynumber"])])
    return tower, clock, desk(tower.records, clock, KEY, FolderShelf(tmp_path / "evidence")), incident


def test_a_clock_starts_when_a_person_says_so(
    case: tuple[Responder, FixedClock, Desk, Incident],
) -> None:
    """By whom, from when, why; the final report starts with it; a corrected moment and purpose recount; all is kept."""
    tower, _, people, incident = case
    assert {one.id for one in touched(incident)} >= {"PPC-MN-PRELIM", "PPC-MN-FINAL", "CISO-INTERNAL"}
    with pytest.raises(Refused):
        people.clocks.start(incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="k", roles=["viewer"])
    with pytest.raises(InputError, match="前の時刻"):
        people.clocks.start(
            incident.id, "PPC-MN-PRELIM", NIGHT + timedelta(hours=1), "兆候", actor="sato", roles=ANALYST
        )
    people.clocks.start(incident.id, "PPC-MN-PRELIM", NIGHT, "C2 への通信", actor="sato", roles=ANALYST)
    prelim, final = people.clocks.of(incident.id)
    assert (prelim.body["duty"], prelim.body["due"][:10]) == ("PPC-MN-PRELIM", "2026-11-24")
    assert final.body["due"][:10] == "2026-12-21"  # 12-19 is a Saturday
    earlier = NIGHT - timedelta(days=1)
    people.clocks.start(
        incident.id,
        "PPC-MN-PRELIM",
        earlier,
        "窓口が先に知っていた",
        actor="suzuki",
        roles=MANAGER,
        wrongful=True,
    )
    prelim, final = people.clocks.of(incident.id)
    assert (
        final.body["due"][:10] == "2027-01-18" and prelim.body["due"][:10] == "2026-11-23"
    )  # 1-17 is a Sunday
    assert [line["what"] for line in prelim.body["history"]] == ["proposed", "running", "running"]
    assert prelim.body["why"] == "窓口が先に知っていた" and tower.audit.verify() == []


def test_a_duty_can_be_declined_by_an_office_only(
    case: tuple[Responder, FixedClock, Desk, Incident],
) -> None:
    """With a reason; the analyst may not."""
    _, _, people, incident = case
    with pytest.raises(Refused):
        people.clocks.decline(incident.id, "MIC", "影響なし", actor="sato", roles=ANALYST)
    people.clocks.decline(incident.id, "MIC", "影響なし", actor="suzuki", roles=MANAGER)
    assert people.clocks.open() == []


def test_people_are_warned_ahead_and_after(case: tuple[Responder, FixedClock, Desk, Incident]) -> None:
    """Undecided after an hour, on day 3, the day before, the last day, then each day until somebody sent it."""
    _, clock, people, incident = case
    people.clocks.propose(incident.id, "PPC-MN-PRELIM", by="hinomi")

    def stages() -> list[str]:
        return [one.stage for one in people.clocks.warnings() if one.duty.id == "PPC-MN-PRELIM"]

    assert stages() == []
    clock.advance(timedelta(hours=2))
    assert stages() == ["undecided-0"]
    people.clocks.start(incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="sato", roles=ANALYST)
    seen = []
    for _ in range(7 * 24):
        seen += stages()
        clock.advance(timedelta(hours=1))
    assert list(dict.fromkeys(seen)) == ["soon", "day", "due", "overdue-0", "overdue-1", "overdue-2"]


def test_what_a_reminder_says(tmp_path: Path) -> None:
    """What to do first with the page of that very report, about what, until which day of the week, known since when; in both
    languages. Undecided it asks for the decision."""
    tower, clock = responder(tmp_path)
    people = desk(tower.records, clock, KEY)
    [incident] = tower.receive([alert()])
    people.acknowledge(incident.id, actor="sato", roles=ANALYST)
    people.clocks.propose(incident.id, "PPC-MN-PRELIM", by="hinomi")
    clock.advance(timedelta(hours=2))
    tower.tick()
    people.clocks.start(incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="sato", roles=ANALYST)
    clock.advance(timedelta(days=4))
    tower.tick()
    page = f"/incidents/{incident.number}/duties/PPC-MN-PRELIM"
    [undecided] = [one for one in messages(tmp_path) if "要否がまだ" in one]
    [due] = [
        one for one in messages(tmp_path) if "期限は今日です" in one and "PRELIM" in one and "To: 佐藤" in one
    ]
    for text in (undecided, due):
        japanese, english = text.split("\n----\n")
        assert japanese.split("\n\n", 1)[1].startswith("まずすること: ") and page in japanese.split("\n\n")[1]
        assert incident.title_ja in japanese and incident.title_en in english and "First: " in english
    assert "報告が要るかを責任者と決め" in undecided and "下書きを仕上げ" in due
    assert "11月24日(火)" in due.splitlines()[1] and "知った時刻: 11/20 03:14" in due


def test_what_is_due_promptly_is_brought_up_daily(
    case: tuple[Responder, FixedClock, Desk, Incident],
) -> None:
    """A duty without a number of days: an hour after the decision, then each day until it was sent; a voluntary one once."""
    _, clock, people, incident = case
    for name in ("MIC", "JPCERT"):
        people.clocks.start(incident.id, name, NIGHT, "兆候", actor="sato", roles=ANALYST)
    seen: dict[str, list[str]] = {"MIC": [], "JPCERT": []}
    for _ in range(3 * 24):
        clock.advance(timedelta(hours=1))
        for one in people.clocks.warnings():
            if one.duty.id in seen and one.stage not in seen[one.duty.id]:
                seen[one.duty.id].append(one.stage)
    assert seen == {"MIC": ["at_once-0", "at_once-1", "at_once-2", "at_once-3"], "JPCERT": ["at_once-0"]}


def test_draft_versions_approval_and_sending(
    case: tuple[Responder, FixedClock, Desk, Incident],
) -> None:
    """Filled from the incident, blanks marked; not approved with blanks, by its writer, or when a newer one is there;
    not sent before it is approved."""
    tower, clock, people, incident = case
    clock_id = people.clocks.start(
        incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="sato", roles=ANALYST
    ).id
    first = people.reports.draft(clock_id, actor="sato", roles=ANALYST)
    assert (
        "vpn_spray" in first.body["fields"]["outline"] and "2026年11月20日" in first.body["fields"]["outline"]
    )
    with pytest.raises(InputError, match="記入していない"):
        people.reports.approve(clock_id, 1, actor="boss", roles=OFFICE)
    with pytest.raises(InputError, match="知らない項目"):
        people.reports.edit(clock_id, {"x": "y"}, base=1, actor="sato", roles=ANALYST)
    whole = dict.fromkeys(first.body["fields"], "調査中")
    people.reports.edit(clock_id, whole, base=1, actor="sato", roles=ANALYST)
    with pytest.raises(Refused):
        people.reports.sent(clock_id, 2, "Web フォーム", clock.now(), actor="sato", roles=ANALYST)
    with pytest.raises(Refused):
        people.reports.approve(clock_id, 2, actor="suzuki", roles=MANAGER)  # below the office
    with pytest.raises(Refused):
        people.reports.approve(clock_id, 2, actor="SATO ", roles=OFFICE)  # who wrote it
    people.reports.approve(clock_id, 2, actor="boss", roles=OFFICE)
    people.reports.sent(clock_id, 2, "Web フォーム 受付番号 1", clock.now(), actor="sato", roles=ANALYST)
    [prelim] = [one for one in people.clocks.of(incident.id) if one.body["duty"] == "PPC-MN-PRELIM"]
    assert prelim.body["state"] == "sent" and len(people.reports.versions(clock_id)) == 2
    assert [one.body["action"] for one in tower.records.find("audit")].count("report.version") == 2


def test_a_draft_as_word_and_pdf(case: tuple[Responder, FixedClock, Desk, Incident]) -> None:
    """Both can be read, say what the record says, and mark every blank; hostile text stays text."""
    _, _, people, incident = case
    clock_id = people.clocks.start(
        incident.id, "PPC-MN-PRELIM", NIGHT, "兆候", actor="sato", roles=ANALYST
    ).id
    people.reports.draft(clock_id, actor="sato", roles=ANALYST)
    hostile = "<w:p/>&#x0; #panic() \x1b[31m 髙﨑"
    people.reports.edit(clock_id, {"cause": hostile}, base=1, actor="sato", roles=ANALYST)
    written = people.reports.written(clock_id, 2)
    with zipfile.ZipFile(io.BytesIO(written.docx)) as packed:
        tree = ElementTree.fromstring(packed.read("word/document.xml"))
        assert all(ElementTree.fromstring(packed.read(name)) is not None for name in packed.namelist())
    text = "\n".join(part.text or "" for part in tree.iter() if part.tag.endswith("}t"))
    assert "期限: 2026年11月24日(火)まで(推定)。知った日 2026年11月20日(金)を1日目とする" in text
    assert "報告する団体: 【要記入】" in text and "火の見がこれを送ることはありません" in text
    assert "特定個人情報の漏えい等 速報" in text and "#panic()" in text and "\x1b" not in text
    shaded = [part for part in tree.iter() if part.tag.endswith("}shd")]
    assert len(shaded) == len(written.blanks) > 3 and text.count("【要記入】") >= len(written.blanks)
    page = PdfReader(io.BytesIO(written.pdf))
    shown = "".join(one.extract_text() for one in page.pages).replace("\n", "")
    assert "速報" in shown and shown.count("要記入") >= len(written.blanks) and "#panic()" in shown


def test_each_report_asks_what_its_duty_asks(case: tuple[Responder, FixedClock, Desk, Incident]) -> None:
    """Not one form for all: the police want the logs, IPA the way in, J-LIS whether LGWAN was cut; what residents and the press
    read names nobody and nothing, and what goes out names no colleague; every item that only people know is a blank."""
    tower, _, people, incident = case
    tower.receive([alert(minutes=1, entities={"user.name": ["t.yamada"], "host.name": ["PC-0417"]})])
    people.assign(incident.id, "k.mori", actor="sato", roles=ANALYST)
    why = "税務課 山田太郎(t.yamada)の PC-0417 を初期化した"
    people.close(incident.id, Verdict.TRUE_POSITIVE, why, actor="sato", roles=ANALYST)
    drafts = {}
    for name in duties():
        clock_id = people.clocks.start(incident.id, name, NIGHT, "兆候", actor="sato", roles=ANALYST).id
        drafts[name] = people.reports.draft(clock_id, actor="sato", roles=ANALYST).body["fields"]
        assert list(drafts[name]) == [item.key for item in duties()[name].items]
    assert {"cut"} <= drafts["JLIS-LGWAN"].keys() and {"entry", "found"} <= drafts["IPA"].keys()
    assert drafts["PUBLIC"].keys() == {"facts", "measures", "window"}
    assert all("【要記入】" in text for text in drafts["PUBLIC"].values())
    assert why in drafts["CISO-INTERNAL"]["slip"] and "担当: k.mori" in drafts["CISO-INTERNAL"]["slip"]
    named = {
        (name, key)
        for name, fields in drafts.items()
        for key, text in fields.items()
        if any(word in text for word in ("t.yamada", "山田", "PC-0417", "sato", "k.mori"))
    }
    asked = {("CISO-INTERNAL", "slip"), ("CISO-INTERNAL", "done")}
    asked |= {
        (name, "systems") for name in ("MIC", "PREF", "NISC-NCO", "ACD-ACT", "JLIS-LGWAN", "JPCERT", "IPA")
    }
    asked |= {(name, "outline") for name, fields in drafts.items() if "outline" in fields}
    assert named == asked  # the commission asks for the course of it
    assert {name for name, fields in drafts.items() if any("該当号" in text for text in fields.values())} == {
        name for name, fields in drafts.items() if "people" in fields
    }
    assert "検知" in drafts["IPA"]["found"] and "203.0.113.66" in drafts["NCO-COMMON-FORM"]["indicators"]


def test_a_version_of_before_keeps_what_it_said(
    case: tuple[Responder, FixedClock, Desk, Incident],
) -> None:
    """It was written when its duty asked for other items: they stay in the document and can be changed, but it goes out no more."""
    tower, _, people, incident = case
    clock_id = people.clocks.start(incident.id, "IPA", NIGHT, "兆候", actor="sato", roles=ANALYST).id
    first = people.reports.draft(clock_id, actor="sato", roles=ANALYST)
    tower.records.put(first.kind, first.id, {**first.body, "fields": {"published": "未定"}}, expect=None)
    people.reports.edit(clock_id, {"published": "公表済み"}, base=1, actor="sato", roles=ANALYST)
    with zipfile.ZipFile(io.BytesIO(people.reports.written(clock_id, 2).docx)) as packed:
        text = packed.read("word/document.xml").decode()
    assert "公表・警察等への連絡状況" in text and "公表済み" in text
    with pytest.raises(InputError, match="報告の項目が変わりました"):
        people.reports.approve(clock_id, 2, actor="boss", roles=OFFICE)


def test_what_a_person_reported_was_not_found_by_a_log(tmp_path: Path) -> None:
    """Neither the finder nor the day it began is made up."""
    tower, _ = responder(tmp_path)
    people = desk(tower.records, tower.clock, KEY)
    lost = Report(title="公用端末の紛失", what="電話", known=NIGHT, grade=2, zone="", targets={})
    people.opening.open(lost, actor="sato", roles=ANALYST)
    tower.tick()
    [held] = tower.records.find("incident")
    clock = people.clocks.start(held.id, "PPC-APPI-PRELIM", NIGHT, "届け", actor="sato", roles=ANALYST)
    outline = people.reports.draft(clock.id, actor="sato", roles=ANALYST).body["fields"]["outline"]
    assert "発生日: 【要記入】" in outline and "職員などからの届け\n" in outline
    assert "検知" not in outline.split("経過")[0]
    clock = people.clocks.start(held.id, "CISO-INTERNAL", NIGHT, "届け", actor="sato", roles=ANALYST)
    slip = people.reports.draft(clock.id, actor="sato", roles=ANALYST).body["fields"]["slip"]
    assert "職員などからの届け(sato が記録)" in slip


def test_the_tree_the_card_and_who_was_told(case: tuple[Responder, FixedClock, Desk, Incident]) -> None:
    """Whom the grade asks to tell, in order; told once it is written down; the card names every role that is missing."""
    _, _, people, incident = case
    settings = ContactSettings.model_validate(
        {
            "bodies": {
                "pref": {
                    "role": "prefecture",
                    "name_ja": "県 市町村課",
                    "phone": "000-0000-0000",
                    "order": 20,
                },
                "boss": {"role": "ciso", "name_ja": "副市長", "phone": "000-0000-0001", "order": 1},
                "ipa": {"role": "ipa", "name_ja": "IPA", "grade": 3},
            }
        }
    )
    assert [name for name, _ in due(settings, 2, [])] == ["boss", "pref"]
    people.contacts.told(
        incident.id, "boss", "第一報", by_way_of="電話", at=NIGHT, actor="sato", roles=ANALYST, answer="了解"
    )
    assert [name for name, _ in due(settings, 2, people.contacts.of(incident.id))] == ["pref"]
    people.contacts.told(
        incident.id, "県 市町村課 ", "第一報", by_way_of="電話", at=NIGHT, actor="sato", roles=ANALYST
    )
    assert due(settings, 2, people.contacts.of(incident.id)) == [], "told by the name that people type"
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(card(settings, NIGHT, ["佐藤"]))).pages
    )
    assert "副市長" in text and "佐藤" in text and "個人情報保護委員会" in text and "要記入" in text


def test_every_duty_says_how_sure_it_is() -> None:
    """What could not be read in the source is inferred; days are only where the source gives days."""
    assert duties()["MIC"].inferred and not duties()["PPC-MN-FINAL"].inferred
    assert duties()["PPC-MN-PRELIM"].due_inferred and not duties()["PPC-MN-FINAL"].due_inferred
    assert all(one.items and one.to.ja and one.when.ja for one in duties().values())
    assert [name for name, one in duties().items() if one.rule] == [
        "PPC-MN-PRELIM",
        "PPC-MN-FINAL",
        "MN-ENTRUSTED",
        "PPC-APPI-PRELIM",
        "PPC-APPI-FINAL",
    ]
