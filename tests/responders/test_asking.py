"""What whoever is called at night must not miss or misread, in Japanese and English."""

import re
from datetime import timedelta
from pathlib import Path

from responders.responder import Responder
from tests.responders.city import alert, messages, responder

PEOPLE = {
    "people": {
        "sato": {"name_ja": "佐藤", "name_en": "Sato", "channels": ["desk"]},
        "suzuki": {
            "name_ja": "鈴木課長",
            "name_en": "Suzuki",
            "channels": ["desk"],
            "office": "information_system_manager",
        },
    },
    "layers": [{"people": ["sato"]}],
    "escalation": {
        3: [{"after_minutes": 0, "to": ["oncall"]}, {"after_minutes": 15, "to": ["suzuki"]}],
    },
}


def _called(folder: Path, **more: object) -> tuple[Responder, str]:
    """A grave incident with a plan, and the mail about it to whoever is on call."""
    made, _ = responder(folder, oncall=PEOPLE, **more)
    about = {"user.name": ["t.yamada"], "source.ip": ["203.0.113.66"]}
    made.receive([alert(level="critical", entities=about, zones=["mynumber"], playbook="block_address")])
    made.tick()
    [text] = [one for one in messages(folder) if one.startswith("To: 佐藤")]
    return made, text


def test_nobody_believes_that_it_was_stopped(tmp_path: Path) -> None:
    """Nothing was done yet, the plan is a rehearsal, who decides on it by name, in both languages; what to do comes first."""
    _, text = _called(tmp_path)
    body = text.partition("\n\n")[2]
    assert body.startswith("まずすること: 「対応を始める」を押し、")
    assert "火の見はまだ何も止めていません" in text and "Hinomi has stopped nothing" in text
    assert "承認しても何も止まりません" in text and "approving it stops nothing" in text
    assert "情報システム管理者以上の役職です(鈴木課長)" in text
    assert "decided by the information system manager or an office above (Suzuki)" in text


def test_above_the_ciso_is_no_office(tmp_path: Path) -> None:
    """Where the CISO decides nobody is said to stand above."""
    made, _ = _called(tmp_path)
    [run] = made.records.find("playbook_run")
    made.records.put("playbook_run", run.id, {**run.body, "approver": "ciso"})
    made.clock.advance(timedelta(minutes=16))  # type: ignore[attr-defined]
    made.tick()
    [last] = [one for one in messages(tmp_path) if one.startswith("To: 鈴木課長")]
    assert "を決めるのは、CISOです。" in last and "is decided by the CISO." in last


def test_an_armed_plan_is_no_rehearsal(tmp_path: Path) -> None:
    """Where it would act, nothing says that it would not."""
    _, text = _called(tmp_path, playbooks={"armed": ["block_address"]})
    assert "承認しても何も止まりません" not in text and "決めるのは" in text


def test_who_is_called_next_and_when(tmp_path: Path) -> None:
    """The first mail names the next person and the minute; the last one says that nobody comes after."""
    made, text = _called(tmp_path)
    assert (
        "呼んだ人: 佐藤。11/20 03:29 までに誰も「対応を始める」を押さなければ、次に 鈴木課長 を呼びます。"
        in text
    )
    assert "Unless somebody takes it by 11/20 03:29, Suzuki will be called next." in text
    made.clock.advance(timedelta(minutes=16))  # type: ignore[attr-defined]
    made.tick()
    [last] = [one for one in messages(tmp_path) if one.startswith("To: 鈴木課長")]
    assert "呼んだ人: 佐藤、鈴木課長。この先に呼ぶ人はいません。" in last


def test_the_moment_of_knowledge_is_asked_for(tmp_path: Path) -> None:
    """The My Number segment may mean a report with a deadline: the mail says to note when it was known."""
    _, text = _called(tmp_path)
    assert "気付いた時刻を控え" in text and "note when you learned of it" in text


def test_yesterday_is_said(tmp_path: Path) -> None:
    """What began before midnight carries its day in the subject; what began today only its time."""
    made, text = _called(tmp_path)
    assert "(03:14から)" in text.splitlines()[1]
    made.receive([alert("old", minutes=-300, level="critical", entities={"user.name": ["other"]})])
    made.tick()
    assert "(11/19 22:14から)" in "\n".join(messages(tmp_path))


def test_what_was_done_is_said_to_who_is_called_later(tmp_path: Path) -> None:
    """Once an approved plan has acted the next mail names the act instead."""
    made, _ = _called(tmp_path, playbooks={"armed": ["block_address"]})
    [run] = made.records.find("playbook_run")
    steps = [{**one, "state": "done"} if one["act"] else one for one in run.body["steps"]]
    made.records.put("playbook_run", run.id, {**run.body, "state": "done", "steps": steps})
    made.clock.advance(timedelta(minutes=16))  # type: ignore[attr-defined]
    made.tick()
    own = [one for one in messages(tmp_path) if one.startswith("To: 鈴木課長")]
    [last] = [one for one in own if "承認のお願い" not in one]
    assert "行った操作: " in last and "203.0.113.66" in last and "まだ何も止めていません" not in last


def test_both_halves_say_the_same(tmp_path: Path) -> None:
    """Whom it is about, the grade with its reason, how many alerts, where to look, that the link is not to be passed on: each
    stands in the Japanese half and in the English one."""
    _, text = _called(tmp_path)
    ja, _, en = text.partition("\n----\n")
    assert "対象: t.yamada、203.0.113.66" in ja and "About: t.yamada, 203.0.113.66" in en
    assert "段階: 3(重大)マイナンバー利用事務系に関わる、水準「緊急」の警報" in ja
    assert "Grade: 3 (Major), an alert of level critical concerns the My Number segment" in en
    assert "警報: 1 件" in ja and "Alerts: 1" in en
    assert "転送しないでください" in ja and "do not forward it (whoever presses it" in en
    assert ja.count("/incidents/1") == en.count("/incidents/1") == 1
    assert not re.search(r"[\u3001-\u30ff\u4e00-\u9fff]", en), "nothing is left in Japanese"
