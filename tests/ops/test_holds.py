"""Legal holds: an incident's evidence outlives its period until a person ends the hold."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from typer import Typer
from typer.testing import CliRunner

from hinomi import ecs
from hinomi.alert import Alert, Level
from hinomi.batch import SIGNALS, Batch
from hinomi.clock import FixedClock
from hinomi.errors import Damaged, InputError
from hinomi.incident import Incident
from hinomi.ledger import Ledger
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops import retention
from ops.commands import store as commands
from ops.retention import RetentionSettings
from responders.audit import Audit
from responders.incidents import holds

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
THEN = NOW - timedelta(days=400)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqliteRecords]:
    store = SqliteRecords(tmp_path / "records.sqlite", clock=FixedClock(NOW))
    alert = Alert(
        id="a", rule_id="r", rule_name="r", title_ja="警報", title_en="alert", level=Level.HIGH, kind="detection", first=THEN, last=THEN,
        detected=THEN, datasets=["linux.auth"], incident_id="i",
    )  # fmt: skip
    incident = Incident(
        id="i", number=7, title_ja="件", title_en="case", level=Level.HIGH, first=THEN, last=THEN, opened=THEN, updated=THEN,
        alert_ids=["a"],
    )  # fmt: skip
    store.put("alert", "a", alert.model_dump(mode="json"))
    store.put("incident", "i", incident.model_dump(mode="json"))
    yield store
    store.close()


def _day(dataset: str, time: datetime) -> Batch:
    frame = pl.DataFrame({"@timestamp": pl.Series([time]).cast(ecs.TIME), "event.id": [f"{dataset}{time}"]})
    return Batch.of(dataset, frame, ingested=time)


def test_a_hold_keeps_the_days_of_the_evidence_and_no_others(records: SqliteRecords, tmp_path: Path) -> None:
    """Retention at 365 days takes everything of 400 days ago but the incident's dataset on its days; ended, that too."""
    clock, ledger = FixedClock(NOW), Ledger()
    events = ParquetEvents(tmp_path / "events", clock=clock)
    for dataset, days in (("linux.auth", 0), ("linux.auth", -1), ("linux.auth", -5), ("squid.access", 0)):
        events.append([_day(dataset, THEN + timedelta(days=days))])
    holds.begin(records, clock, 7, by="sato", reason="警察の照会")
    assert retention.apply(events, RetentionSettings(), clock, ledger, holds.spans(records)) == 2
    assert events.count(datasets=["linux.auth"]) == 2 and events.count(datasets=["squid.access"]) == 0
    holds.end(records, clock, 7, by="sato", reason="照会が終わった")
    assert retention.apply(events, RetentionSettings(), clock, ledger, holds.spans(records)) == 2
    assert [r.body["action"] for r in records.find("audit")] == ["hold.begin", "hold.end"]
    assert Audit(records, clock).verify() == []
    events.close()


def test_a_hold_follows_its_incident(records: SqliteRecords, tmp_path: Path) -> None:
    """Held, the incident gets an alert of another dataset, then goes into another incident, one of whose events had a clock
    that was years behind and lies with the day it came: all of that evidence outlives its period."""
    clock = FixedClock(NOW)
    events = ParquetEvents(tmp_path / "events", clock=clock)
    later, wrong = THEN + timedelta(days=9), datetime(2019, 1, 1, tzinfo=UTC)
    for dataset, time in (("linux.auth", THEN), ("squid.access", later), ("isc.bind", later)):
        events.append([_day(dataset, time)])
    frame = _day("cisco.asa", wrong).frame.drop("event.ingested")
    events.append([Batch.of("cisco.asa", frame, ingested=later)])
    holds.begin(records, clock, 7, by="sato", reason="警察の照会")
    held = records.get("alert", "a")
    assert held is not None
    _alert(records, held.body, "b", "squid.access", later, later)
    _alert(records, held.body, "c", "cisco.asa", wrong, later)
    own = records.get("incident", "i")
    assert own is not None
    into = {**own.body, "id": "j", "number": 6, "alert_ids": ["a", "b", "c"]}
    records.put("incident", "j", into)
    records.put("incident", "i", {**own.body, "status": "closed", "fields": {"merged_into": "j"}})
    dropped = retention.apply(events, RetentionSettings(), clock, Ledger(), holds.spans(records))
    assert dropped == 1 and {one.name for one in events.datasets()} == {
        "linux.auth",
        "squid.access",
        "cisco.asa",
    }
    events.close()


def test_what_is_split_off_stays_held(records: SqliteRecords) -> None:
    """An alert that joined the held incident later and is then split off, and one split off from that again, keep their days, also
    once the held one goes into another; what had been split off before the hold began was another matter then, and is now."""
    clock = FixedClock(NOW)
    own, held = records.get("incident", "i"), records.get("alert", "a")
    assert own is not None and held is not None
    for number, (name, home, opened) in enumerate(
        (("j", "i", NOW), ("k", "j", NOW), ("l", "i", NOW - timedelta(days=1)))
    ):
        at = THEN + timedelta(days=30 * (number + 1))
        _alert(records, held.body, f"of-{name}", f"data.{name}", at, at)
        apart = {"j": ["i", "k"], "k": ["j"], "l": ["i"]}[name]
        body = {"id": name, "number": 8 + number, "opened": opened.isoformat(), "alert_ids": [f"of-{name}"]}
        records.put("incident", name, {**own.body, **body, "fields": {"split_from": home, "apart": apart}})
    holds.begin(records, clock, 7, by="sato", reason="警察の照会")
    records.put("incident", "i", {**own.body, "fields": {"apart": ["j", "l"]}})
    assert set(holds.spans(records)) == {"linux.auth", SIGNALS, "data.j", "data.k"}
    gone = {"status": "closed", "fields": {"apart": ["j", "l"], "merged_into": "m"}}
    records.put("incident", "i", {**own.body, **gone})
    records.put("incident", "m", {**own.body, "id": "m", "number": 6, "fields": {"took_in": ["i"]}})
    assert set(holds.spans(records)) == {"linux.auth", SIGNALS, "data.j", "data.k"}


def _alert(
    records: SqliteRecords,
    body: Mapping[str, object],
    identity: str,
    dataset: str,
    at: datetime,
    found: datetime,
) -> None:
    times = {"first": at.isoformat(), "last": at.isoformat(), "detected": found.isoformat()}
    records.put("alert", identity, {**body, **times, "id": identity, "datasets": [dataset]})


def test_a_hold_needs_an_incident_and_a_reason(records: SqliteRecords) -> None:
    """Without either nothing is held and nothing is written to the audit log."""
    clock = FixedClock(NOW)
    for number, reason in ((8, "x"), (7, " ")):
        with pytest.raises(InputError):
            holds.begin(records, clock, number, by="sato", reason=reason)
    with pytest.raises(InputError):
        holds.end(records, clock, 7, by="sato", reason="x")
    assert records.find("audit") == [] and holds.in_force(records) == []


def _damaged(records: SqliteRecords, kind: str, identity: str, field: str) -> None:
    held = records.get(kind, identity)
    assert held is not None
    records.put(kind, identity, {**held.body, field: "s3cret"})


@pytest.mark.parametrize(
    ("kind", "identity", "field"),
    [("incident", "i", "first"), ("alert", "a", "last"), ("hold", "i", "start")],
)
def test_a_damaged_record_is_named_and_nothing_goes(
    records: SqliteRecords, tmp_path: Path, kind: str, identity: str, field: str
) -> None:
    """`store hold` and `store status` name the record and the field, not what stands there; retention takes nothing while
    it cannot tell what is held."""
    if kind == "hold":
        holds.begin(records, FixedClock(NOW), 7, by="sato", reason="警察の照会")
    _damaged(records, kind, identity, field)
    asked = ["status"] if kind == "hold" else ["hold", "7", "--reason", "x"]
    app = Typer()
    commands.register(app)
    done = CliRunner().invoke(app, ["store", *asked, "--data", str(tmp_path)])
    assert isinstance(done.exception, Damaged)
    told = str(done.exception)
    assert (
        f"記録 {kind}「{identity}」の項目「{field}」" in told
        and f"field {field} of the record {kind}" in told
    )
    assert "s3cret" not in told and "validation" not in told
    if kind == "hold":
        with pytest.raises(Damaged):
            holds.spans(records)
