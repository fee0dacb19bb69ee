"""The city's own files when they are wrong: said with file and line, left out, and everything else goes on."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from collectors.enrich import EnrichSettings
from hinomi.clock import FixedClock
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.doctor.content import own_files
from ops.doctor.finding import Patient, State
from ops.feeds import KIND
from ops.metrics import exposition
from ops.rundir import RunDir
from ops.settings import Settings
from ops.watch import LiveEnricher
from responders.responder import Responder

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LINE = pl.DataFrame({"user.name": ["t.yamada"], "source.ip": ["10.1.2.3"]})
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


def department(enricher: LiveEnricher) -> str | None:
    row = enricher.enrich(LINE).to_dicts()[0]
    return row.get("user.staff.department")


def test_a_list_is_taken_up_when_it_changes_and_kept_when_it_breaks(tmp_path: Path) -> None:
    """Wrong at the start: left out; mended: used; wrong columns or gone: the old one stays in force."""
    staff = tmp_path / "staff.csv"
    enricher = LiveEnricher(EnrichSettings(staff=staff), every=0)
    assert department(enricher) is None
    staff.write_text("account,department\nt.yamada,総務課\n", encoding="utf-8")
    assert department(enricher) == "総務課"
    staff.write_text("name,section\nt.yamada,財政課,extra\n", encoding="utf-8")
    assert department(enricher) == "総務課"
    staff.unlink()
    assert department(enricher) == "総務課"
    staff.write_text("account,department\nt.yamada,財政課\n", encoding="utf-8")
    assert department(enricher) == "財政課"


@pytest.fixture
def broken(tmp_path: Path) -> Settings:
    """A playbook that is no YAML, a source that is a YAML bomb, a list with wrong columns."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.yml").write_text("playbook: bad\nsteps: [\n", encoding="utf-8")
    (tmp_path / "bomb.source.yml").write_text(BOMB, encoding="utf-8")
    (tmp_path / "geo.csv").write_bytes(b"cidr,country\n\xff\xfe\n")
    return Settings.model_validate(
        {
            "sources": {"folders": [str(tmp_path)]},
            "enrich": {"geo_override": str(tmp_path / "geo.csv")},
            "respond": {"playbooks": {"folders": [str(tmp_path / "own")]}},
            "feeds": {"countries": {"url": "env:NO_SUCH", "file": str(tmp_path / "c.mmdb")}},
        }
    )


def test_the_doctor_names_each_and_people_are_called_all_the_same(tmp_path: Path, broken: Settings) -> None:
    """File by file; the responder starts with the playbooks that can be read."""
    records = SqliteRecords(tmp_path / "records.sqlite", clock=FixedClock(NOW))
    events = ParquetEvents(tmp_path / "events")
    records.put(KIND, "countries", {"ja": "配布元が 500 を返しました。", "en": "the feed answered 500"})
    patient = Patient(tmp_path, broken, events, records, RunDir.of(tmp_path))
    found = {(check.state, check.said.ja.split(":")[0].rpartition("/")[2]) for check in own_files(patient)}
    assert found == {
        (State.BAD, "bad.yml"),
        (State.BAD, "bomb.source.yml"),
        (State.BAD, "geo.csv"),
        (State.WARN, "countries"),
    }
    responder = Responder.of(records, FixedClock(NOW), broken.respond, b"k" * 32)
    assert ["bad.yml:3" in str(problem) for problem in responder.problems] == [True]
    assert "vpn_compromise" in responder.runs.playbooks
    events.close()


def test_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    """The page of a tower that counted and holds something, in the text format, with escapes in labels."""
    records, events = SqliteRecords(tmp_path / "records.sqlite"), ParquetEvents(tmp_path / "events")
    body = {"process": "worker-0", "what": "dropped", "dataset": "fw", "reason": 'a "b"\n', "n": 7}
    records.put("count", "x", body)
    run = RunDir.of(tmp_path)
    run.write("supervisor", {"pid": 1, "children": [{"name": "intake", "pid": 2, "restarts": 3}]})
    lines = exposition(events, records, run).decode().splitlines()
    assert 'hinomi_events_total{dataset="fw",reason="a \\"b\\"\\n",what="dropped"} 7.0' in lines
    assert 'hinomi_process_up{process="intake"} 1.0' in lines
    assert 'hinomi_incidents{status="new"} 0.0' in lines
    events.close()
