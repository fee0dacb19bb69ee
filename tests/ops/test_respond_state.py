"""What follows the signals and its memory: what is under way outlives the process, however it ends."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.alert import Alert
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.ledger import Ledger
from ops.detection import Detection
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.settings import Settings, packs_folder
from rules import cases, content, engine


@dataclass
class Receiver:
    """Takes what the responder would."""

    ledger: Ledger = field(default_factory=Ledger)
    alerts: dict[str, Alert] = field(default_factory=dict)

    def receive(self, alerts: Iterable[Alert]) -> None:
        """Keep them as they stand."""
        self.alerts |= {alert.id: alert for alert in alerts}


@pytest.fixture(scope="module")
def rules() -> engine.RuleSet:
    return engine.load([packs_folder() / "telework"])


def _detection(place: Path, rules: engine.RuleSet) -> Detection:
    clock = FixedClock(content.START + timedelta(minutes=1))
    role = Role("respond", place, Settings(), RunDir.of(place), clock=clock)
    late = timedelta(minutes=Settings().rules.lateness_minutes)
    return Detection(role.events(), role.records(), lambda: rules, clock, late)  # type: ignore[arg-type]


@pytest.mark.parametrize("saved", [True, False], ids=["told to stop", "killed"])
def test_a_burst_goes_on_over_a_restart(tmp_path: Path, rules: engine.RuleSet, saved: bool) -> None:
    """Four failures, the process ends, four more: one alert of eight. Killed, it reads again what came since its last
    saving, and counts nothing twice."""
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    receiver = Receiver()
    for part in (batch.frame[:2], batch.frame[2:4], batch.frame[4:]):
        one = _detection(tmp_path, rules)
        one.load()
        whole = Batch(batch.dataset, part)
        signals = rules.signals(whole, rules.match(whole))
        one.events.append([Batch.of(SIGNALS, signals, ingested=arrived)])
        one._saved = 0.0 if saved else float("inf")
        one.turn(receiver.receive)
    [alert] = [alert for alert in receiver.alerts.values() if alert.rule_name == "vpn_spray"]
    assert alert.event_count == 8 and len(alert.event_ids) == 8


def test_only_what_changed_is_written(tmp_path: Path, rules: engine.RuleSet) -> None:
    """A saving after nothing happened writes the place alone."""
    one = _detection(tmp_path, rules)
    one.load()
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    one.events.append([Batch.of(SIGNALS, rules.signals(batch, rules.match(batch)), ingested=arrived)])
    one.turn(Receiver().receive)
    before = {record.id: record.version for record in one.records.find("state")}
    one.save()
    after = {record.id: record.version for record in one.records.find("state")}
    assert {name for name in after if after[name] != before[name]} == {"correlator"}
    assert len(before) > 1
