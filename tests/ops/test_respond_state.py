"""What follows the signals and its memory: what is under way outlives the process, however it ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import schedule

from collectors.rhythm import RhythmSettings
from hinomi.alert import Alert
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import Conflict, StoreError
from hinomi.ledger import Ledger
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from ops.counts import Counts
from ops.detection import Detection
from ops.folders import packs_folder
from ops.handover import Handover
from ops.rhythm import Rhythm
from ops.roles.respond import Respond
from ops.roles.start import Role
from ops.rundir import RunDir
from ops.schedule import Timetable
from ops.settings import Settings
from rules import cases, content, engine, stats
from rules.costing import Fed
from tests.responders.city import alert, responder


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
    tally = stats.Tally(role.records(), "respond", clock)
    return Detection(role.events(), role.records(), lambda: rules, clock, late, tally=tally)  # type: ignore[arg-type]


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


def test_a_damaged_file_of_signals_does_not_keep_those_behind_it_from_being_told(
    tmp_path: Path, rules: engine.RuleSet
) -> None:
    """Its signals are counted as lost, once; the burst that came after it is an alert, also after a restart."""
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    signals = rules.signals(batch, rules.match(batch))
    one, receiver = _detection(tmp_path, rules), Receiver()
    one.load()
    one.events.append([Batch.of(SIGNALS, signals[:3], ingested=arrived)])
    [lost] = tmp_path.rglob("*.parquet")
    lost.write_bytes(lost.read_bytes()[:-20])
    one.events.append([Batch.of(SIGNALS, signals, ingested=arrived)])
    for _ in range(3):
        one.turn(receiver.receive)
    assert [alert.event_count for alert in receiver.alerts.values() if alert.rule_name == "vpn_spray"] == [8]
    assert dict(one.ledger.take()) == {("dropped", SIGNALS, "part_damaged"): 3}
    one.save()
    other = _detection(tmp_path, rules)
    other.load()
    other.turn(receiver.receive)
    assert not other.ledger.take()


def test_a_store_that_fails_at_the_stop_is_said_and_loses_nothing(
    tmp_path: Path, rules: engine.RuleSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four failures, a stop at which nothing can be saved, four more: the process ends in words, and it is one alert of eight."""
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    receiver = Receiver()
    for part in (batch.frame[:4], batch.frame[4:]):
        one = _detection(tmp_path, rules)
        one.load()
        whole = Batch(batch.dataset, part)
        one.events.append([Batch.of(SIGNALS, rules.signals(whole, rules.match(whole)), ingested=arrived)])
        one._saved = float("inf")
        one.turn(receiver.receive)
        with monkeypatch.context() as away:
            away.setattr(SqliteRecords, "put", _away)
            one.close()
        assert "detection_not_saved" in "".join(capsys.readouterr())
    [found] = [alert for alert in receiver.alerts.values() if alert.rule_name == "vpn_spray"]
    assert found.event_count == 8


def _away(*_: object, **__: object) -> None:
    raise StoreError("保管庫が応答しません。", "the store does not answer")


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


def test_what_correlations_cost_is_counted(tmp_path: Path, rules: engine.RuleSet) -> None:
    """Each correlation that was fed has its time in this hour's record, also after a reload of the rules; none has signals."""
    one = _detection(tmp_path, rules)
    one.load()
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    one.events.append([Batch.of(SIGNALS, rules.signals(batch, rules.match(batch)), ingested=arrived)])
    one._saved = float("inf")
    one.turn(Receiver().receive)
    one._set = None  # as if the rules had been loaded anew
    one.save()
    found = stats.hourly(one.records, content.START + timedelta(minutes=1))
    spray = next(str(held.rule.id) for held in rules.correlations if held.rule.name == "vpn_spray")
    assert 0 < found[spray].seconds < 10 and 0 < found[spray].share <= 1
    assert not any(figure.signals for figure in found.values())


class Refusing(SqliteRecords):
    """Refuses what is counted of rules."""

    error: StoreError | None = None

    def put(self, kind: str, id: str, body: Mapping[str, Any], *, expect: int | None = None) -> Record:  # noqa: A002
        """See `Records.put`."""
        if kind == stats.KIND and self.error is not None:
            raise self.error
        return super().put(kind, id, body, expect=expect)


def test_counts_that_cannot_be_saved_do_not_stop_detection(
    tmp_path: Path, rules: engine.RuleSet, capsys: pytest.CaptureFixture[str]
) -> None:
    """A role without the right to them, as after an update: it is said once, the place is kept, and they are saved when they can be."""
    one = _detection(tmp_path, rules)
    records = Refusing(tmp_path / "counts.sqlite")
    one.tally = stats.Tally(records, "respond", one.clock)
    one.load()
    case = dict(cases.read(packs_folder() / "telework/vpn_spray.test.yml"))["8人目で検知"]
    [(arrived, batch)] = cases.batches(case, "fortinet.fortigate")
    one.events.append([Batch.of(SIGNALS, rules.signals(batch, rules.match(batch)), ingested=arrived)])
    one._saved = float("inf")
    one.turn(Receiver().receive)
    counted = one.correlator().costs.events
    records.error = StoreError("権限がありません。", "unauthorized")
    capsys.readouterr()
    for _ in range(3):
        one.save()
    said = capsys.readouterr()
    assert (said.out + said.err).count("rule_stats_not_saved") == 1
    assert one.records.get("state", "correlator").body["after"] == one.after is not None  # type: ignore[union-attr]
    records.error = None
    one.save()
    [held] = records.find(stats.KIND)
    assert held.body["events"] == counted > 0

    one.tally.fed(Fed(events=1))
    one.tally._saved, records.error = 0.0, Conflict("別の処理", "another process")
    with pytest.raises(Conflict):
        one.save()


STORM = """
- name: storm
  match: true
  events:
  - at: 0s
    repeat: 90
    every: 1s
    source: linux.auth
    raw: '<86>Nov 20 10:00:00 w{i} sshd[9]: Accepted publickey for u{i} from 203.0.113.{i} port 4000 ssh2'
    enrich: {source.zone: external}
  - at: 2m
    repeat: 3
    every: 1s
    source: linux.auth
    raw: '<85>Nov 20 10:05:00 db{i} useradd[5]: new user: name=d{i}, UID=0, GID=0, home=/, shell=/bin/sh, from=none'
"""


class Noting(Receiver):
    """Notes the order."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def receive(self, alerts: Iterable[Alert]) -> None:
        """Keep them as they stand."""
        super().receive(taken := list(alerts))
        self.order += [alert.level.value for alert in taken]


def test_in_a_storm_the_gravest_comes_first_and_people_are_called_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn hands over a portion, the critical ones first though they came last; nothing is saved while some are left,
    so that a crash loses none; all come in the end, each once."""
    monkeypatch.setattr("ops.detection._TURN", 0.0)  # every portion takes longer than a turn may
    rules = engine.load([packs_folder() / "lan"])
    one = _detection(tmp_path, rules)
    one.load()
    (tmp_path / "storm.test.yml").write_text(STORM, encoding="utf-8")
    [(_, case)] = cases.read(tmp_path / "storm.test.yml")
    for arrived, batch in cases.batches(case, "linux.auth"):
        one.events.append([Batch.of(SIGNALS, rules.signals(batch, rules.match(batch)), ingested=arrived)])
    receiver = Noting()
    assert one.turn(receiver.receive) and receiver.order[:3] == ["critical"] * 3
    assert one.records.get("state", "correlator") is None and one.after is None
    again = _detection(tmp_path, rules)
    again.load()
    while again.turn(receiver.receive):
        pass
    assert len(receiver.alerts) == 93 and again.records.get("state", "correlator") is not None


class Choking(Noting):
    """Cannot take what is critical."""

    def receive(self, alerts: Iterable[Alert]) -> None:
        """Refuse a portion with such an alert in it."""
        taken = list(alerts)
        if any(alert.level.value == "critical" for alert in taken):
            raise ValueError("broken")
        super().receive(taken)


def test_a_portion_that_cannot_be_taken_does_not_keep_the_others(
    tmp_path: Path, rules: engine.RuleSet
) -> None:
    """The gravest portion raises: the one behind it is given in the same turn, it is told, and it is given again."""
    one = _detection(tmp_path, rules)
    many = [alert(f"r{n}") for n in range(30)]
    one._left = {each.id: each for each in (alert("grave", level="critical"), *many)}
    receiver = Choking()
    with pytest.raises(ValueError, match="broken"):
        one._hand_over(receiver.receive)
    assert len(receiver.alerts) == 11 and len(one._left) == 20
    calm = Receiver()
    one._hand_over(calm.receive)
    assert "grave-0" in calm.alerts and not one._left


def test_alerts_laid_out_for_another_machine_are_taken_gravest_first(tmp_path: Path) -> None:
    """Two hundred newer ones lie above a critical one: it is in the first portion all the same."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    handover, receiver = Handover(records), Receiver()
    handover.give([alert("old", minutes=-60, level="critical")])
    handover.give([alert(f"r{n}", minutes=n % 60, level="medium") for n in range(230)])
    assert handover.take(receiver.receive) and "old--60" in receiver.alerts and len(receiver.alerts) == 200
    assert not handover.take(receiver.receive) and len(receiver.alerts) == 231


def test_what_the_tower_says_of_itself_is_kept_until_it_is_taken(tmp_path: Path) -> None:
    """What was kept of an alert cannot be read: the round goes on, and the alert waits for the next one, which takes it."""
    made, clock = responder(tmp_path)
    role = Role("respond", tmp_path, Settings(), RunDir.of(tmp_path), clock=clock)
    role.stop.set()  # a round that failed does not wait
    table = Timetable(schedule.Scheduler(), Ledger())
    rhythm = Rhythm(made.records, RhythmSettings(), {}, clock)
    process = Respond(role, made, table, Counts(made.records, "respond"), rhythm)
    made.records.put("alert", "rules_lock-0", {"id": "?"})
    table.tell(alert("rules_lock"))
    assert not process._turn() and made.records.count("incident") == 0
    made.records.delete("alert", "rules_lock-0")
    assert not process._turn() and made.records.count("incident") == 1
    assert table.take(Ledger()) == []
