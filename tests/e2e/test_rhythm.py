"""`hinomi up` watches its sources: a listener that stops, and one whose clock runs ahead, become incidents."""

import json
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from collectors.rhythm import Kind, watched
from hinomi.store.embedded import SqliteRecords
from tests.e2e.tower import HINOMI, ROOT, Tower, free_port, until

pytestmark = pytest.mark.slow


def test_a_silent_source_and_a_wrong_clock_become_incidents(tmp_path: Path) -> None:
    """Told within seconds of the configured silence, shown by the doctor, over when it speaks again; across kill -9."""
    port = free_port()
    listener = {"kind": "tcp", "address": "127.0.0.1", "port": port, "source": "linux.auth"}
    settings = {
        "listen": {"sshd": listener},
        "rhythm": {"sources": {"sshd": {"silent_after": 0.1}}},
        "console": {"port": 0},
        "metrics": {"port": 0},
    }
    config = tmp_path / "hinomi.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    tower = Tower(tmp_path / "data", config)
    try:
        tower.start()
        _send(port, timedelta())
        until(lambda: _standing(tower) == {Kind.SILENT}, 90, "silence is told")
        tower.kill()
        tower.start()
        assert _standing(tower) == {Kind.SILENT}
        _send(port, timedelta(hours=9))
        until(lambda: Kind.TIME in _standing(tower), 90, "the wrong clock is told")
        until(lambda: "届き始めました" in _timelines(tower), 90, "the end of the silence is noted")
        incidents = _titles(tower)
        assert any(title.startswith("ログの途絶: sshd") for title in incidents)
        assert any(title.startswith("ログの時刻の異常: sshd") for title in incidents)
        assert any("9時間進んでいます" in said for said in _doctor(tower))
    finally:
        if tower.process is not None:
            tower.stop()


def _send(port: int, ahead: timedelta) -> None:
    stamp = (datetime.now(UTC) + ahead).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    line = f"{stamp} sv01 sshd[77]: Failed password for root from 203.0.113.9 port 4242 ssh2\n"
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(line.encode() * 30)
    time.sleep(0.1)


def _standing(tower: Tower) -> set[Kind]:
    records = SqliteRecords(tower.data / "records.sqlite")
    try:
        return {kind for unit in watched.read(records).values() for kind in unit.standing}
    finally:
        records.close()


def _bodies(tower: Tower) -> list[dict[str, object]]:
    records = SqliteRecords(tower.data / "records.sqlite")
    try:
        return [record.body for record in records.find("incident")]
    finally:
        records.close()


def _titles(tower: Tower) -> list[str]:
    return [str(body["title_ja"]) for body in _bodies(tower)]


def _timelines(tower: Tower) -> str:
    return json.dumps([body["timeline"] for body in _bodies(tower)], ensure_ascii=False)


def _doctor(tower: Tower) -> list[str]:
    command = [*HINOMI, "doctor", "--data", str(tower.data), "--config", str(tower.config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    return [check["ja"] for check in json.loads(done.stdout)]
