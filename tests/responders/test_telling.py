"""Offices of the guideline in the rota and in playbooks, the calendar that a telephone subscribes to, the city's name."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hinomi.errors import Refused
from responders.oncall import OnCallSettings, Rota, ical
from responders.oncall.settings import Contact
from responders.playbooks.renewing import why_anew
from responders.playbooks.run import Run
from responders.responder import Responder, desk
from responders.telling import Telling
from tests.responders.city import ANALYST, KEY, NIGHT, alert, messages, responder

PEOPLE = {
    "sato": {"name_ja": "佐藤", "channels": ["desk"]},
    "mayor2": {"name_ja": "副市長", "channels": ["desk"], "office": "ciso"},
    "chief": {"name_ja": "統括", "channels": ["desk"], "office": "chief_information_security_manager"},
}


def test_an_escalation_names_offices() -> None:
    """An office means who holds it, else who holds the next one above; one that nobody holds is an error at once."""
    steps = {3: [{"after_minutes": 0, "to": ["information_security_manager", "ciso"]}]}
    body = {"people": PEOPLE, "layers": [{"people": ["sato"]}], "escalation": steps}
    rota = Rota(OnCallSettings.model_validate(body))
    assert rota.due(3, timedelta(0), NIGHT) == ["chief", "mayor2"]
    with pytest.raises(ValidationError, match="people にない名前"):
        OnCallSettings.model_validate({**body, "people": {"sato": PEOPLE["sato"]}})
    assert Contact.model_validate(PEOPLE["chief"]).office == "chief_information_security_manager"


def test_a_playbook_tells_the_ciso_once(tmp_path: Path) -> None:
    """`tell: ciso` of the ransomware playbook is a message to whoever holds the office, sent once however often looked at."""
    own = {"people": PEOPLE, "layers": [{"people": ["sato"]}]}
    tower, clock = responder(tmp_path, oncall=own, playbooks={"armed": ["ransomware"]})
    [incident] = tower.receive(
        [alert(playbook="ransomware", level="critical", entities={"host.name": ["pc-114"]})]
    )
    for _ in range(3):
        tower.tick()
        clock.advance(timedelta(minutes=1))
    run = next(one for one in tower.records.find("playbook_run") if one.body["playbook"] == "ransomware")
    people = desk(tower.records, clock, KEY)
    offices = [Run.model_validate(run.body).approver]
    tower.records.put("user", "boss", {"name": "boss", "roles": offices, "disabled": False})
    tower.records.put("user", "boss-2", {"name": "boss-2", "roles": offices, "disabled": False})
    for person in ("boss", "boss-2")[: int(run.body["people"])]:
        people.approve(run.id, actor=person, roles=offices)
    for _ in range(3):
        tower.tick()
        clock.advance(timedelta(minutes=1))
    told = [text for text in messages(tmp_path) if "CISOへの連絡" in text]
    assert len(told) == 1 and told[0].startswith("To: 副市長") and f"#{incident.number}" in told[0]
    assert "Subject: 【段階3 重大】CISOへの連絡: " in told[0] and "まずすること: 画面を開いて" in told[0]
    japanese, english = told[0].split("\n----\n")
    assert incident.story_ja.splitlines()[0] in japanese and "wants the CISO to know" in english


def _telling(folder: Path, people: dict[str, Any], on_call: str) -> tuple[Responder, Run, Telling]:
    """A run that has somebody told, with these people."""
    tower, _ = responder(folder, oncall={"people": people, "layers": [{"people": [on_call]}]})
    tower.receive([alert(playbook="block_address")])
    [held] = tower.records.find("playbook_run")
    telling = Telling(tower.records, tower.settings.notify, tower.rota, tower.outbox)
    return tower, Run.model_validate(held.body), telling


@pytest.mark.parametrize(
    ("whom", "words", "said"),
    [
        ("oncall", "佐藤に知らせます。", "Sato will be told"),
        ("ciso", "佐藤に知らせます。CISOの連絡先がありません。", "the CISO has no contact here"),
    ],
)
def test_whoever_is_on_call_is_told_by_name(tmp_path: Path, whom: str, words: str, said: str) -> None:
    """`tell: oncall` is a message to them and says of nobody that they cannot be reached; where nobody holds the office, both
    languages say that a person must tell them."""
    people = {"sato": {"name_ja": "佐藤", "name_en": "Sato", "channels": ["desk"]}}
    _, run, telling = _telling(tmp_path, people, "sato")
    done = telling(run, run.steps[0].model_copy(update={"detail": whom}))
    assert done.ja.startswith(words) and said in done.en
    assert "oncall" not in done.ja and (whom == "ciso") == ("連絡先がありません" in done.ja)


def test_who_is_asked_anew_reads_why(tmp_path: Path) -> None:
    """Of a gate whose approval grew old: what is to be decided and why once more, once each time that it is asked anew."""
    tower, run, telling = _telling(tmp_path, PEOPLE, "sato")
    gate = run.steps[0].model_copy(update={"detail": "ciso", "title_ja": "止めます", "title_en": "it stops"})
    for times in (1, 1, 2):
        because = why_anew(gate.model_copy(update={"renewed": times}), run.acts)
        telling(
            run, gate.model_copy(update={"renewed": times, "result_ja": because.ja, "result_en": because.en})
        )
    told = [
        one.body["text"]
        for one in tower.records.find("notification")
        if "CISOへの連絡" in one.body["subject"]
    ]
    assert len(told) == 2
    for times, text in enumerate(sorted(told), 1):
        assert f"止めます 承認の有効期間が過ぎたため、もう一度お尋ねします({times} 回目)" in text
        assert "waits for an approval: it stops (asked anew as the approval had grown too old" in text
        left = run.acts[0]
        assert f"残っている操作: {left.title_ja}。" in text and f"Left: {left.title_en}.)" in text


def test_who_is_asked_once_more_after_a_void_answer_is_called(tmp_path: Path) -> None:
    """The message of a request that was put once more is another one; each goes out once."""
    tower, run, telling = _telling(tmp_path, PEOPLE, "sato")
    gate = run.steps[0].model_copy(update={"detail": "ciso", "renewed": 1})
    for end in (None, NIGHT, NIGHT, None):
        telling(run, gate.model_copy(update={"expires": end}))
    told = [one for one in tower.records.find("notification") if "CISOへの連絡" in one.body["subject"]]
    assert len(told) == 2


def test_nobody_is_told_to_telephone_themselves(tmp_path: Path) -> None:
    """The CISO is on call: the other one who holds the office reads whom to telephone, the CISO reads no number."""
    people = {
        "mayor2": {"name_ja": "副市長", "channels": ["desk"], "office": "ciso", "phone": "0000-1"},
        "mayor3": {"name_ja": "助役", "channels": ["desk"], "office": "ciso"},
    }
    tower, run, telling = _telling(tmp_path, people, "mayor2")
    telling(run, run.steps[0].model_copy(update={"detail": "ciso"}))
    told = {
        one.body["person"]: one.body["text"]
        for one in tower.records.find("notification")
        if "CISOへの連絡" in one.body["subject"]
    }
    assert "副市長 0000-1" in told["mayor3"] and "0000-1" not in told["mayor2"]


def test_a_calendar_opens_with_its_own_token_only() -> None:
    """The token of a contact opens the rota; a forged one, another's signature and who is no contact do not."""
    rota = Rota(OnCallSettings.model_validate({"people": PEOPLE, "layers": [{"people": ["sato"]}]}))
    good = ical.token(KEY, "sato")
    assert ical.subscribed(rota, KEY, good, NIGHT).startswith("BEGIN:VCALENDAR")
    for bad in (
        "",
        "sato",
        good[:-1],
        good.replace("sato", "chief"),
        ical.token(KEY, "gone"),
        ical.token(b"x" * 32, "sato"),
    ):
        with pytest.raises(Refused):
            ical.subscribed(rota, KEY, bad, NIGHT)


def test_a_draft_names_the_city(tmp_path: Path) -> None:
    """The reporting body is filled in as far as the configuration knows it; the person stays a blank."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert()])
    own = desk(tower.records, clock, KEY, organization="火の見市")
    begun = own.clocks.start(incident.id, "MIC", clock.now(), "確認した", actor="sato", roles=ANALYST)
    draft = own.reports.draft(begun.id, actor="sato", roles=ANALYST)
    assert any(text.startswith("火の見市\n【要記入】") for text in draft.body["fields"].values())


@pytest.mark.parametrize(
    ("whose", "name"), [("east", "東町"), ("gone", "【要記入】"), ("", "県共同センター")]
)
def test_a_draft_names_the_town_whose_the_incident_is(tmp_path: Path, whose: str, name: str) -> None:
    """Each town reports what is its own, not the centre that watches it; a town that nothing names stays a blank."""
    tower, clock = responder(tmp_path)
    [incident] = tower.receive([alert(organization=whose)])
    own = desk(tower.records, clock, KEY, organization="県共同センター", organizations={"east": "東町"})
    by = {"actor": "sato", "roles": ANALYST}
    inside = own.clocks.start(incident.id, "MIC", clock.now(), "確認した", **by)
    assert own.reports.draft(inside.id, **by).body["fields"]["body"].startswith(name)
    outside = own.clocks.start(incident.id, "PPC-MN-PRELIM", clock.now(), "確認した", **by)
    own.reports.draft(outside.id, **by)
    with zipfile.ZipFile(io.BytesIO(own.reports.written(outside.id, 1).docx)) as packed:
        assert f"報告する団体: {name}" in packed.read("word/document.xml").decode()
