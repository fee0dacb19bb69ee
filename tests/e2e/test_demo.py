"""The demo end to end: generator → real transports → spool → store → rules → incidents → messages → report."""

import json
import subprocess
from pathlib import Path

import pytest

from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.counts import totals
from tests.e2e.tower import HINOMI, ROOT

pytestmark = pytest.mark.xdist_group("demo")  # what is made once for all of them is made in one process


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo") / "city"
    command = [*HINOMI, "demo", "--folder", str(folder), "--scale", "0.05", "--date", "2026-11-20"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return folder, done.stdout


@pytest.mark.slow
def test_every_planted_step_is_found_and_nothing_else(demo: tuple[Path, str]) -> None:
    """Exit code 0 says: all twelve steps found, at most ten incidents, no alert ≥ medium on dull traffic."""
    folder, said = demo
    assert "未検知" not in said
    assert "--keep" in said and str(folder / "messages") in said
    records = SqliteRecords(folder / "data" / "records.sqlite")
    open_ = records.find("incident", {"status": "new"})
    assert 1 <= len(open_) <= 10
    assert all(incident.body["run_ids"] for incident in open_)


@pytest.mark.slow
def test_every_line_is_stored_or_counted(demo: tuple[Path, str]) -> None:
    """Lines sent = events stored + lines dropped with their reason (the CSV heads); no dead letter."""
    folder, _ = demo
    lines = sum(len(path.read_bytes().splitlines()) for path in (folder / "city" / "logs").iterdir())
    events = ParquetEvents(folder / "data" / "events")
    records = SqliteRecords(folder / "data" / "records.sqlite")
    held = sum(one.events for one in events.datasets() if one.name != "hinomi.signal")
    dropped = {line: n for line, n in totals(records).items() if line.what == "dropped"}
    assert held + sum(dropped.values()) == lines
    assert {line.reason for line in dropped} == {"header_line"}
    assert events.count(datasets=["hinomi.dead_letter"]) == 0
    ids = [
        identity
        for one in events.datasets()
        for frame in events.scan(one.name, columns=["event.id"])
        for identity in frame["event.id"]
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_the_message_names_what_who_since_when_and_what_to_do(demo: tuple[Path, str]) -> None:
    """Each incident was told once, in words, with a link."""
    folder, _ = demo
    messages = [path.read_text(encoding="utf-8") for path in (folder / "messages").glob("*.txt")]
    records = SqliteRecords(folder / "data" / "records.sqlite")
    assert len(messages) == records.count("notification", {"state": "sent"}) >= 1
    for text in messages:
        # those that came up within one round are told together
        several = "件のインシデントが対応を待っています" in text
        own = (
            ("一番重いものの「対応を始める」を押してください", "the gravest")
            if several
            else ("対象:", "Acknowledge:")
        )
        for part in ("Subject: 【", "まずすること:", "/a/", *own):
            assert part in text


@pytest.mark.slow
def test_digest_and_audit(demo: tuple[Path, str]) -> None:
    """The digest is a real PDF; the audit log is whole; commands read the folder afterwards."""
    folder, _ = demo
    [pdf] = (folder / "reports").glob("*.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    for arguments in (["audit", "verify"], ["incidents", "list"], ["alerts"], ["playbooks", "runs"]):
        done = subprocess.run(
            [*HINOMI, *arguments, "--data", str(folder / "data")],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0 and done.stdout.strip(), done.stderr
    found = subprocess.run(
        [*HINOMI, "search", "source.ip: 203.0.113.66", "--jsonl", "--data", str(folder / "data")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert rows and {row["source"]["ip"] for row in rows} == {"203.0.113.66"}
