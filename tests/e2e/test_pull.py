"""`hinomi up` with a pull: what a service holds reaches the store once, whatever is killed meanwhile."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from hinomi.store.embedded import ParquetEvents
from tests.collectors.pulls.peers.others import Okta
from tests.e2e.tower import HINOMI, ROOT, Tower, until
from tests.responders.peers.served import served

pytestmark = pytest.mark.slow


def _event(number: int) -> dict[str, object]:
    at = datetime.now(UTC) - timedelta(minutes=30) + timedelta(seconds=number)
    return {
        "uuid": f"u{number}",
        "published": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventType": "user.session.start",
        "displayMessage": "User login to Okta",
        "outcome": {"result": "SUCCESS"},
        "actor": {"id": "00u1", "type": "User", "alternateId": f"user{number}@city.example.jp"},
        "client": {"ipAddress": "203.0.113.9"},
    }


def test_pulled_events_are_stored_once_across_kill_9(tmp_path: Path) -> None:
    """Sixty events before and after a kill -9 of everything: each is stored once, parsed, under its pull's name."""
    okta = Okta([_event(n) for n in range(60)], page=7)
    (tmp_path / "token").write_text("okta-token", encoding="utf-8")
    with served(okta.app(), tmp_path / "tls") as there:
        pull = {
            "kind": "okta_system_log",
            "url": there.url,
            "ca": str(there.ca),
            "token": f"file:{tmp_path / 'token'}",
            "every": 5,
            "settle": 0,
            "overlap": 60,
        }
        config = tmp_path / "hinomi.yaml"
        settings = {"pull": {"okta": pull}, "console": {"port": 0}, "metrics": {"port": 0}}
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        tower = Tower(tmp_path / "data", config)
        tower.start()
        until(lambda: _stored(tower) >= 20, 60, "some events are stored")
        tower.kill()
        okta.events += [_event(n) for n in range(60, 80)]
        tower.start()
        try:
            until(lambda: _stored(tower) >= 80, 90, "all events are stored")
            assert _stored(tower) == 80
            (found,) = tower.jsonl("search", "user.name: user79*", "--jsonl")
            assert found["user"]["name"] == "user79@city.example.jp"
            assert found["hinomi"]["origin"] == "okta"
            checks = {check["part"]: check for check in _doctor(tower)}
            assert checks["listener okta"]["state"] == "good"
        finally:
            tower.stop()


def _doctor(tower: Tower) -> list[dict[str, Any]]:
    command = [*HINOMI, "doctor", "--data", str(tower.data), "--config", str(tower.config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _stored(tower: Tower) -> int:
    events = ParquetEvents(tower.data / "events")
    try:
        return events.count("event.dataset: okta.system_log")
    finally:
        events.close()
