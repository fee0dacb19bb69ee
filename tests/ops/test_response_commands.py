"""Commands about playbooks, the rota and drills, as a person types them."""

import json
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from hinomi.clock import SystemClock
from hinomi.store.embedded import SqliteRecords
from ops.cli import _register, app
from ops.drill import GOALS, Drill
from ops.opened import remember
from responders.cacao.document import checked
from tests.responders.city import KEY, alert, responder

_register("")


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


@pytest.mark.slow
def test_a_drill_from_raw_log_to_report_draft(tmp_path: Path) -> None:
    """A real tower: detected, told with 【訓練】, approved, rehearsed, drafted; each interval in the report."""
    started = SystemClock().now()
    report = Drill(tmp_path / "drill", scale=0.02, say=lambda _: None).run()
    took = json.loads((tmp_path / "drill" / "drill.json").read_text())["took"]
    assert set(took) == set(GOALS) and all(0 <= seconds < 180 for seconds in took.values())
    assert (SystemClock().now() - started).total_seconds() >= sum(took.values()) - took["draft"] - 1
    text = PdfReader(report).pages[0].extract_text()
    assert "訓練報告書" in text and "要記入" in text
    assert (tmp_path / "drill" / "report-draft.docx").read_bytes()[:2] == b"PK"
    told = [path.read_text() for path in (tmp_path / "drill" / "messages").glob("*.txt")]
    assert told and all("【訓練】" in text for text in told)
