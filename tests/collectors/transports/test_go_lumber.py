"""Elastic's own client of the Lumberjack protocol (go-lumber, the one in Beats) across kill -9 of the receiver."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests import shared
from tests.collectors.transports.receiver import Receiver
from tests.e2e.tower import free_port

CLIENT = Path(__file__).with_name("go_lumber")
EVENTS, WINDOW, KILLS = 40_000, 400, 2


def built(folder: Path) -> Path:
    """The client's program. Skips where there is no Go; fails under HINOMI_REQUIRE=all."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        shared.missing("Go, to build Elastic's go-lumber")
        raise AssertionError("unreachable")
    program = folder / "client"
    environment = {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    command = [go, "build", "-o", str(program), "."]
    done = subprocess.run(
        command, cwd=CLIENT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.slow
@pytest.mark.peer
def test_numbered_events_of_elastics_client_across_kill_9(tmp_path: Path) -> None:
    """40,000 events in windows, the receiver killed twice amid them: none missing, and none under two identities."""
    program = built(tmp_path)
    port = free_port()
    receiver = Receiver(tmp_path / "spool", {"kind": "lumberjack", "port": port})
    receiver.start()
    command = [str(program), f"127.0.0.1:{port}", str(EVENTS), str(WINDOW)]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(KILLS):
            time.sleep(0.4)
            receiver.kill()
            receiver.start()
        said, wrong = client.communicate(timeout=120)
    finally:
        client.kill()
        receiver.kill()
    events, again = map(int, said.split())
    assert events == EVENTS and again >= 1, wrong
    found: dict[str, str] = {}
    for entry in receiver.spooled():
        found[entry["client_id"]] = json.loads(entry["payload"])["message"]
    assert len(found) == EVENTS
    assert set(found.values()) == {f"number {n}" for n in range(EVENTS)}
