"""Rules edited while events flow, on the real pipeline and the real detection: no event and no window is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
import yaml

from hinomi.alert import Alert
from ops.detection import Detection
from ops.folders import packs_folder
from ops.watch import LiveRules
from rules.engine import load
from rules.in_force import InForce
from tests.ops.test_pipeline import Tower

OWN = "6f1e3c1a-0000-4000-8000-00000000000a"
FIRST = 1795112047
"""2026-11-20 03:14:07 +09:00, of the first failure."""


def _failed(number: int) -> str:
    at = datetime.fromtimestamp(FIRST + 60 * number, UTC) + timedelta(hours=9)
    return (
        f'<189>date={at:%Y-%m-%d} time={at:%H:%M:%S} devname="fw" devid="FGT60F0000000001" '
        f'eventtime={FIRST + 60 * number}000000000 tz="+0900" logid="0101039426" type="event" subtype="vpn" '
        f'level="alert" vd="root" action="ssl-login-fail" tunneltype="ssl-web" remip=203.0.113.9 '
        f'user="user{number}" msg="SSL user failed to logged in"'
    )


def _rule(word: str) -> str:
    return yaml.safe_dump(
        {
            "title": f"failed: {word}",
            "id": OWN,
            "status": "test",
            "level": "low",
            "logsource": {"product": "hinomi", "service": "fortinet.fortigate"},
            "detection": {"s": {"user.name": word}, "condition": "s"},
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rules that may be edited: the correlation of failed sign-ins, and one of our own."""
    place = tmp_path / "own"
    place.mkdir()
    (place / "spray.yml").write_bytes((packs_folder() / "telework/vpn_spray.yml").read_bytes())
    (place / "own.yml").write_text(_rule("user0"), encoding="utf-8")
    return place


def test_editing_rules_loses_neither_events_nor_windows(tmp_path: Path, folder: Path) -> None:
    """Before each of eight failed sign-ins a rule is written anew, another one comes or goes, or a file is half written:
    all eight events are stored once, each edit takes effect with the next block, and the eight make one alert."""
    tower = Tower(tmp_path, fw="fortinet.fortigate")
    pipeline, alerts = tower.pipeline, dict[str, Alert]()
    pipeline.rules = LiveRules(InForce([folder]), tmp_path / "cache", every=0.0)
    following = LiveRules(InForce([folder]), tmp_path / "cache", every=0.0)
    detection = Detection(tower.events, tower.records, following, tower.clock, timedelta(hours=1))
    detection.load()
    sets = []  # kept: the number of one that is gone may be given to the next
    for number in range(8):
        (folder / "own.yml").write_text(_rule(f"user{number}"), encoding="utf-8")
        if number == 3:
            (folder / "half.yml").write_text("title: half a rule\ndetection: {s: {", encoding="utf-8")
        if number == 5:
            (folder / "half.yml").unlink()
            said = (folder / "spray.yml").read_text(encoding="utf-8")
            (folder / "spray.yml").write_text(
                said.replace("VPN sign-in failed", "VPN sign-in refused"), encoding="utf-8"
            )
        tower.send(_failed(number), prefix=f"n{number}")
        detection.turn(lambda found: alerts.update((alert.id, alert) for alert in found))
        sets.append(detection.correlator())
    stored = tower.events.search("event.dataset: fortinet.fortigate", limit=100).rows
    assert sorted(event["event.id"] for event in stored) == [f"n{number}-0" for number in range(8)]
    signals = tower.events.search("event.dataset: hinomi.signal", limit=100).rows
    titles = sorted(one["rule.name"] for one in signals if one["rule.name"].startswith("failed:"))
    assert titles == [f"failed: user{number}" for number in range(8)]
    [spray] = [alert for alert in alerts.values() if alert.rule_name == "vpn_spray"]
    assert spray.event_count == 8 and len(set(map(id, sets))) == 8


def test_a_set_that_cannot_be_loaded_leaves_the_old_in_force(tmp_path: Path, folder: Path) -> None:
    """The choice file is broken while events flow: the rules as they were go on matching, and the mended file counts."""
    tower, choice = Tower(tmp_path, fw="fortinet.fortigate"), tmp_path / "choice.yml"
    tower.pipeline.rules = LiveRules(InForce([folder], choice_file=choice), tmp_path / "cache", every=0.0)
    for number, said in enumerate(["{}", "disable: {", f"disable: [{{id: {OWN}}}]"]):
        choice.write_text(said, encoding="utf-8")
        tower.send(_failed(0), prefix=f"n{number}")
    signals = tower.events.search("event.dataset: hinomi.signal", limit=100).rows
    own = [one["hinomi.signal.event_id"] for one in signals if one["rule.name"] == "failed: user0"]
    assert sorted(own) == ["n0-0", "n1-0"]
    assert tower.events.count(datasets=["fortinet.fortigate"]) == 3


def test_a_broken_rule_is_named_in_the_log(tmp_path: Path, folder: Path) -> None:
    """A file that cannot be used is named with its line each time the rules are loaded, not only counted."""
    (folder / "half.yml").write_text("title: half a rule\ndetection: {s: {", encoding="utf-8")
    with structlog.testing.capture_logs() as said:
        LiveRules(InForce([folder]), tmp_path / "cache", every=0.0)()
    [wrong] = [one for one in said if one["event"] == "rule_not_loaded"]
    assert "half.yml:3" in wrong["reason"]


def test_rules_that_no_correlator_can_be_made_of_leave_the_old_one_in_force(
    tmp_path: Path, folder: Path
) -> None:
    """What a damaged cache holds raises as nobody foresaw: the spray under way is told all the same, and what is wrong is
    said where the process tells how it is."""
    tower, alerts = Tower(tmp_path, fw="fortinet.fortigate"), dict[str, Alert]()
    good, broken = load([folder]), load([folder])
    broken.compiled.correlations.append({"path": "own.yml", "rule": {}})
    held = [good]
    detection = Detection(tower.events, tower.records, lambda: held[0], tower.clock, timedelta(hours=1))  # type: ignore[arg-type]
    tower.pipeline.rules = lambda: good  # type: ignore[assignment]
    for number in range(8):
        held[0] = good if number < 4 else broken
        tower.send(_failed(number), prefix=f"n{number}")
        detection.turn(lambda found: alerts.update((alert.id, alert) for alert in found))
    assert [alert.event_count for alert in alerts.values() if alert.rule_name == "vpn_spray"] == [8]
    assert [one.partition(":")[0] for one in detection.problems()] == ["SigmaTitleError"]
    held[0] = good
    detection.correlator()
    assert detection.problems() == []
