"""Debian's syslog-ng as the sender: both framings, TLS, and batches of `_bulk` across kill -9 of the receiver."""

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from collectors.syslog import split
from ops.ports import free_ports
from tests import syslog_ng
from tests.collectors.transports import certificates
from tests.collectors.transports.intake import Running, intake
from tests.collectors.transports.receiver import Receiver
from tests.shared import missing

TOKEN = "t0ken-for-tests"
LINES = 3000
CONFIGURATION = """@version: 3.35
options {{ stats-freq(0); use-uniqid(yes); time-reopen(1); keep-hostname(no); }};
source s_in {{ file("{folder}/in.log" flags(no-parse) program-override("hinomi-test") follow-freq(0.1)
  log-fetch-limit(100) log-iw-size(1000)); }};
destination d_out {{ {destination} }};
log {{ source(s_in); destination(d_out); flags(flow-control); }};
"""
DESTINATIONS = {
    "newline": 'network("127.0.0.1" port({port}));',
    "octet": 'syslog("127.0.0.1" port({port}) transport("tcp"));',
    "tls": 'syslog("127.0.0.1" port({port}) transport("tls") tls(ca-file("{ca}") peer-verify(required-trusted)));',
}
BULK = """http(url("http://127.0.0.1:{port}/_bulk") method("POST") headers("Content-Type: application/x-ndjson")
  user("syslog-ng") password("{token}") workers(2) batch-lines(10) batch-timeout(100) timeout(5) retries(1000)
  body('{{"create":{{"_id":"$UNIQID"}}}}\n$(format-json --omit-empty-values message=$MESSAGE)\n'))"""


@pytest.fixture
def sender() -> syslog_ng.SyslogNg:
    """The program; skips where Debian's archive cannot be reached."""
    found = syslog_ng.unpacked()
    if found is None:
        missing("syslog-ng could not be fetched (apt-get install --download-only syslog-ng-core)")
        raise AssertionError("unreachable")
    return found


@pytest.mark.peer
@pytest.mark.parametrize("kind", DESTINATIONS)
def test_syslog_ng_sends_syslog(tmp_path: Path, sender: syslog_ng.SyslogNg, kind: str) -> None:
    """Every line arrives once, in order, and its header splits off."""
    lines = _lines(tmp_path)
    listener: dict[str, Any] = {"kind": "tcp"}
    made = certificates.make(tmp_path / "tls")
    if kind == "tls":
        listener = {"kind": "tls", "cert": str(made["cert"]), "key": str(made["key"])}

    async def work() -> Running:
        async with intake(tmp_path / "spool", r=listener) as running:
            destination = DESTINATIONS[kind].format(port=running.port("r"), ca=made["ca"])
            config = CONFIGURATION.format(folder=tmp_path, destination=destination)
            with sender.running(tmp_path, config):
                await running.until(lambda: len(running.spooled()) >= len(lines), 60)
                await asyncio.sleep(0.2)
            running.spooled()
            return running

    rows = asyncio.run(work()).rows
    received = pl.Series("received", [row["received"] for row in rows], dtype=pl.Datetime("ns", "UTC"))
    frame = split(pl.DataFrame({"message": [row["payload"].decode() for row in rows]}).with_columns(received))
    assert frame["message"].to_list() == lines
    assert set(frame["header.app"]) == {"hinomi-test"}
    assert frame["header.timestamp"].null_count() == 0
    assert frame["header.host"].null_count() == 0


@pytest.mark.slow
@pytest.mark.peer
def test_bulks_of_syslog_ng_survive_a_killed_receiver(
    tmp_path: Path, sender: syslog_ng.SyslogNg, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed three times while it sends: no line is missing, and one that came twice came under one event id."""
    monkeypatch.setenv("HINOMI_T", TOKEN)
    lines = _lines(tmp_path, 2 * LINES)
    (port,) = free_ports(1)
    receiver = Receiver(tmp_path / "spool", {"kind": "http", "token": "env:HINOMI_T", "port": port})
    receiver.start()
    config = CONFIGURATION.format(folder=tmp_path, destination=BULK.format(port=port, token=TOKEN) + ";")
    with sender.running(tmp_path, config):
        receiver.killed_amid(len(lines), lambda: len(_arrived(receiver)))
    receiver.kill()
    ids = _arrived(receiver)
    assert set(ids) == set(lines)
    assert all(len(one) == 1 for one in ids.values())


def _arrived(receiver: Receiver) -> dict[str, set[str]]:
    """The lines in the spool, each with the event ids under which it came."""
    ids: dict[str, set[str]] = {}
    for entry in receiver.spooled():
        ids.setdefault(json.loads(entry["payload"])["message"], set()).add(entry["event.id"])
    return ids


def _lines(folder: Path, count: int = LINES) -> list[str]:
    """Numbered lines, in the file that syslog-ng follows."""
    lines = [f'numbered line {n} with 日本語 and "quotes"' for n in range(count)]
    (folder / "in.log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return lines
