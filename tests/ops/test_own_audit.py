"""Hinomi's own audit log as a source: real entries written out once each, whatever a crash left, and found by its rules."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import polars as pl
import pytest

from collectors import catalogue
from hinomi import ecs
from hinomi.batch import Batch
from hinomi.clock import FixedClock
from hinomi.identity import digest
from hinomi.store.embedded import SqliteRecords
from ops import own_audit
from ops.folders import packs_folder
from responders.audit import Audit
from rules import engine
from rules.correlation import Correlator

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """An empty audit log."""
    clock = FixedClock(NOW)
    return Audit(SqliteRecords(tmp_path / "records.sqlite", clock=clock), clock)


def numbers(folder: Path) -> list[int]:
    """Numbers of the entries that were written."""
    return [orjson.loads(line)["number"] for line in (folder / own_audit.FILE).read_bytes().splitlines()]


def enter(audit: Audit, n: int) -> None:
    """So many entries."""
    for _ in range(n):
        audit.append(actor="h.sato", action="rules.disable", target="level=low", details={"owner": "h.sato"})


def test_each_entry_once(audit: Audit, tmp_path: Path) -> None:
    """Turn by turn, after half a line that a crash left, and after the file was put aside."""
    folder = tmp_path / "own"
    assert own_audit.write(audit.records, folder) == 0
    enter(audit, 3)
    assert own_audit.write(audit.records, folder) == 3 and own_audit.write(audit.records, folder) == 0
    file = folder / own_audit.FILE
    with file.open("ab") as out:
        out.write(b'{"number":99,"at":"2026')
    enter(audit, 2)
    assert own_audit.write(audit.records, folder) == 2
    assert numbers(folder) == [1, 2, 3, 4, 5]
    assert file.stat().st_mode & 0o077 == 0
    file.replace(folder / f"{own_audit.FILE}.1")
    enter(audit, 1)
    assert own_audit.write(audit.records, folder) == 1 and numbers(folder) == [6]


def test_who_leads_next_on_another_machine_goes_on(audit: Audit, tmp_path: Path) -> None:
    """A responder without a file writes out what is new, not the years before; back again nothing comes twice."""
    first, second = tmp_path / "a", tmp_path / "b"
    enter(audit, 3)
    assert own_audit.write(audit.records, first) == 3
    enter(audit, 2)
    assert own_audit.write(audit.records, second) == 2 and numbers(second) == [4, 5]
    enter(audit, 1)
    assert own_audit.write(audit.records, first) == 1 and numbers(first) == [1, 2, 3, 6]


def test_real_entries_raise_the_alerts(audit: Audit, tmp_path: Path) -> None:
    """Entries as the code writes them, through the source, the engine and the correlator: guessing and the kill switch."""
    for n in range(10):
        audit.append(
            actor=f"user{n}", action="console.sign_in", target="10.30.9.9", details={"outcome": "failure"}
        )
        audit.clock.advance(timedelta(seconds=20))  # type: ignore[attr-defined]  # a clock for tests
    audit.append(actor="m.kato", action="automation.stop", target="switch", details={"reason": "誤動作"})
    own_audit.write(audit.records, tmp_path / "own")
    lines = (tmp_path / "own" / own_audit.FILE).read_text(encoding="utf-8").splitlines()
    assert (
        catalogue.recognise(pl.Series(lines)) == "hinomi.audit" if hasattr(catalogue, "recognise") else True
    )
    intake = pl.DataFrame({"message": lines, "received": [NOW] * len(lines), "peer": [""] * len(lines)})
    parsed = catalogue.find("hinomi.audit").parse(intake.with_columns(pl.col("received").cast(ecs.TIME)))
    assert parsed.rejected.height == 0
    rules, found = engine.load([packs_folder() / "own"]), set()
    correlator = Correlator.of(rules, audit.clock)
    for frame in parsed.frames:
        ids = pl.Series("event.id", [digest(str(n)) for n in range(frame.height)])
        batch = Batch.of("hinomi.audit", frame.with_columns(ids), ingested=NOW)
        found |= {one.rule_name for one in correlator.feed(rules.signals(batch, rules.match(batch)))}
    assert found == {"own_console_guessing", "own_automation_stopped"}
