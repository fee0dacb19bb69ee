"""Commands about playbooks, the rota and drills, as a person types them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from dashboards.users import Users
from hinomi.clock import JST, SystemClock
from hinomi.store.embedded import SqliteRecords
from ops.cli import _register, app
from ops.drill import Drill
from ops.drill_report import GOALS, Course, written
from ops.opened import remember
from responders.cacao.document import checked
from responders.incidents.suppression import covering
from responders.playbooks.run import APPROVAL
from responders.playbooks.run import KIND as RUN
from tests.responders.city import KEY, alert, responder

_register("")
PASSWORD = "a-long-password-for-tests"


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_cacao_out_and_a_stranger_s_in(tmp_path: Path) -> None:
    """What is exported is CACAO 2.0; taken in again it is a playbook that the linter likes."""
    out = typed("playbooks", "export", "ransomware")
    checked(json.loads(out.stdout), "x")
    (tmp_path / "ransomware.json").write_text(out.stdout)
    assert (
        typed("playbooks", "import", str(tmp_path / "ransomware.json"), "--folder", str(tmp_path)).exit_code
        == 0
    )
    assert typed("playbooks", "lint", str(tmp_path)).exit_code == 0
    (tmp_path / "bad.json").write_text('{"type": "playbook"}')
    bad = typed("playbooks", "import", str(tmp_path / "bad.json"), "--folder", str(tmp_path))
    assert bad.exit_code != 0


def test_simulate_and_stop(tmp_path: Path) -> None:
    """A past incident carried through with nothing touched; the kill switch thrown from the command line."""
    tower, _ = responder(tmp_path)
    tower.receive([alert(playbook="vpn_compromise")])
    tower.records.close()
    data = str(tmp_path)
    went = typed("playbooks", "simulate", "vpn_compromise", "1", "--data", data)
    assert went.exit_code == 0 and "停止する" in went.stdout and "information_system_manager" in went.stdout
    assert typed("playbooks", "stop", "--reason", "疑い", "--data", data).exit_code == 0
    held = SqliteRecords(tmp_path / "records.sqlite").get("switch", "automation")
    assert held is not None and held.body["stopped"] and KEY


def test_what_would_be_refused_stands_with_the_plan(tmp_path: Path) -> None:
    """Whoever decides from the command line reads the same warning as on the page: here that no target is configured."""
    tower, _ = responder(tmp_path, playbooks={"armed": ["vpn_compromise"]})
    tower.receive([alert(playbook="vpn_compromise")])
    [asked] = tower.records.find(APPROVAL, {"state": "open"})
    tower.records.close()
    assert asked.body["warned_ja"]
    said = typed("playbooks", "runs", "--data", str(tmp_path)).stdout
    assert f"! {asked.body['warned_ja']} / {asked.body['warned_en']}" in said


def test_rota_calendar_and_card(tmp_path: Path) -> None:
    """Who is on call, for the eye, for a telephone and on paper."""
    config = tmp_path / "hinomi.yaml"
    config.write_text(
        "respond:\n  oncall:\n    people: {sato: {name_ja: 佐藤, channels: [desk]}}\n    layers: [{people: [sato]}]\n"
        "  notify: {channels: {desk: {kind: file, folder: m}}}\n"
        "  contacts: {bodies: {boss: {role: ciso, name_ja: 副市長, phone: 000-0000}}}\n"
    )
    data = tmp_path / "data"
    SqliteRecords(data / "records.sqlite").close()
    remember(data, config)
    assert "佐藤" in typed("oncall", "who", "--data", str(data)).stdout
    assert typed("oncall", "calendar", "--data", str(data)).stdout.startswith("BEGIN:VCALENDAR")
    assert typed("oncall", "card", "--out", str(tmp_path / "card.pdf"), "--data", str(data)).exit_code == 0
    assert "副市長" in PdfReader(tmp_path / "card.pdf").pages[0].extract_text()
    assert typed("oncall", "note", "申し送り", "--data", str(data)).exit_code == 0


def test_maintenance_is_planned_and_calls_nobody(tmp_path: Path) -> None:
    """Written by command, it covers alerts about that machine in that time; a wrong form is said, nothing is written."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    data, begin = str(tmp_path), SystemClock().now().astimezone(JST) - timedelta(minutes=5)
    words = ["oncall", "maintenance", "サーバー更新", "--start", f"{begin:%Y-%m-%dT%H:%M:%S}", "--data", data]
    wrong = typed(*words, "--hours", "2", "--where", "sv01")
    assert wrong.exit_code != 0 and records.find("suppression") == []
    assert typed(*words, "--hours", "2").exit_code != 0, "maintenance of everything is none"
    assert typed(*words, "--hours", "2", "--where", "host.name=sv01").exit_code == 0
    now, about = SystemClock().now(), {"host.name": ["sv01"]}
    assert covering(records, alert(entities=about), now) is not None
    assert covering(records, alert(entities={"host.name": ["sv02"]}), now) is None
    assert covering(records, alert(entities=about, level="critical"), now) is None
    assert covering(records, alert(entities=about), now + timedelta(hours=2)) is None
    [held] = records.find("suppression")
    assert typed("oncall", "end-maintenance", held.id, "--data", data).exit_code == 0
    assert covering(records, alert(entities=about), SystemClock().now()) is None


def test_act_first_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both show who they are by password; a wrong one is in the audit log; by day the order is refused in words."""
    tower, _ = responder(tmp_path, playbooks={"armed": ["isolate_endpoint"]})
    entities = {"host.name": ["pc-114"]}
    [incident] = tower.receive([alert(playbook="isolate_endpoint", entities=entities)])
    held = tower.records.get("incident", incident.id)
    assert held is not None
    run = held.body["run_ids"][0]
    users = Users(tower.records, SystemClock())
    for name, role in (("t.toban", "analyst"), ("k.kacho", "information_system_manager")):
        users.create(name, PASSWORD, [role], full_name=name)
    data = ["--data", str(tmp_path)]
    permit = ["playbooks", "permit", "t.toban", "--reason", "夜間当番", "--as", "k.kacho", *data]
    assert CliRunner().invoke(app, permit, input="wrong\n").exit_code != 0
    assert CliRunner().invoke(app, permit, input=PASSWORD + "\n").exit_code == 0
    order = ["playbooks", "act-first", run, "2", "--reason", "拡散", "--as", "t.toban", *data]
    for office, kept in ((True, 0), (False, 1)):
        monkeypatch.setattr("responders.playbooks.authority.at_the_office", lambda _, office=office: office)
        went = CliRunner().invoke(app, order, input=PASSWORD + "\n")
        assert (went.exit_code == 0) is not office
        assert len(tower.records.find("act_first")) == kept
    actions = [one.body["action"] for one in tower.records.find("audit", limit=1000)]
    assert (
        "cli.sign_in" in actions
        and "playbook.act_first.refused" in actions
        and "playbook.act_first" in actions
    )


def test_start_a_playbook_from_the_command_line(tmp_path: Path) -> None:
    """In the name of an account, shown by its password: a plan for the named targets; that account cannot approve it. What is no target is
    refused in words."""
    tower, _ = responder(tmp_path)
    tower.receive([alert()])
    users = Users(tower.records, SystemClock())
    users.create("k.kacho", PASSWORD, ["information_system_manager"], full_name="k.kacho")
    whole = ["--as", "k.kacho", "--data", str(tmp_path)]
    start = ["playbooks", "start", "lost_device", "1", "--target"]
    assert CliRunner().invoke(app, [*start, "h.abe", *whole], input=PASSWORD + "\n").exit_code != 0
    assert CliRunner().invoke(app, [*start, "user.name=h.abe", *whole], input="wrong\n").exit_code != 0
    went = CliRunner().invoke(app, [*start, "user.name=h.abe", *whole], input=PASSWORD + "\n")
    assert went.exit_code == 0 and "計画を求めました" in went.stdout
    tower.tick()
    [run] = tower.records.find(RUN)
    assert (run.body["requested_by"], run.body["playbook"]) == ("k.kacho", "lost_device")
    approve = ["playbooks", "approve", run.id, *whole]
    refused = CliRunner().invoke(app, approve, input=PASSWORD + "\n")
    assert refused.exit_code != 0 and "求めた本人は承認できません" in str(refused.exception)


@pytest.mark.slow
def test_a_drill_from_raw_log_to_report_draft(tmp_path: Path) -> None:
    """A real tower: detected, told with 【訓練】, approved, rehearsed, drafted. Each interval stands in the report in both
    languages, but what the tool did in people's place is not called measured; report and draft say that it was a drill."""
    started, said = SystemClock().now(), list[str]()
    folder = tmp_path / "drill"
    report = Drill(folder, scale=0.02, say=said.append).run()
    facts = json.loads((folder / "drill.json").read_text())
    took = facts["took"]
    assert set(took) == set(GOALS) and all(0 <= seconds < 180 for seconds in took.values())
    assert set(facts["measured"]) == {"detect", "notify", "contain", "draft"} and not facts["stuck"]
    assert (SystemClock().now() - started).total_seconds() >= sum(took.values()) - took["draft"] - 1
    assert len(said) == len(GOALS) + 1 and all(" / " in line for line in said)
    pages = "".join(page.extract_text() for page in PdfReader(report).pages)
    text = "".join(pages.split())  # a table's column may break a line within a word
    records = SqliteRecords(folder / "data" / "records.sqlite")
    [approved] = [one.id for one in records.find(APPROVAL) if one.body.get("by") == "suzuki"]
    plan = records.get(RUN, approved)
    records.close()
    assert plan is not None  # whichever of the incident's plans came first
    for part in ("訓練", "要記入", "".join(f"計画「{plan.body['title_ja']}」".split())):
        assert part in text, part
    assert text.count("測っていない") >= 2
    [english] = folder.glob("drill-report-*.en.html")
    assert plan.body["title_en"] in (page := english.read_text()) and "[Drill]" in page
    assert (folder / "report-draft.docx").read_bytes()[:2] == b"PK"
    assert "訓練" in PdfReader(folder / "report-draft.pdf").pages[0].extract_text()
    told = [path.read_text() for path in (folder / "messages").glob("*.txt")]
    assert told and all("【訓練】" in text for text in told)


def test_a_drill_that_got_stuck_has_its_report(tmp_path: Path) -> None:
    """What did not come is what a drill is for: the report names the stage and says of the later ones that they did not come."""
    now = SystemClock().now()
    course = Course(
        began=now, ended=now, by_hand=True, at={"detect": now}, took={"detect": 301.0}, stuck="notify"
    )
    written(course, tmp_path)
    [page] = tmp_path.glob("*.ja.html")
    text = page.read_text()
    assert "次の段階まで進まなかった: 通知" in text and text.count("行われなかった") == 5
    assert "目安を超過" in text and "1 段階のうち 0 段階" in text
