"""kill -9 at random moments while a client sends numbered events: each acknowledged one is stored once."""

import itertools
import json
import os
import random
import threading
import time
from pathlib import Path

import httpx
import pytest
import yaml

from hinomi.store.embedded import ParquetEvents
from tests.e2e.tower import Tower, free_port

TOKEN = {"Authorization": "Bearer t0ken-for-tests"}
KILLS = int(os.environ.get("HINOMI_KILLS", "20"))
TOTAL = int(os.environ.get("HINOMI_KILL_EVENTS", "200000"))
BULK = 500


def configuration(folder: Path, port: int) -> Path:
    path = folder / "hinomi.yaml"
    listener = {
        "kind": "http",
        "address": "127.0.0.1",
        "port": port,
        "source": "linux.auth",
        "token": "env:HINOMI_TEST_TOKEN",
    }
    path.write_text(
        yaml.safe_dump({"listen": {"numbers": listener}, "console": {"port": 0}, "metrics": {"port": 0}})
    )
    return path


def body(numbers: list[int]) -> bytes:
    """A `_bulk` request: each event carries its number, in its `_id` and in its line."""
    lines = []
    for n in numbers:
        lines.append(json.dumps({"create": {"_id": f"n{n}"}}))
        text = f"<38>Nov 20 10:00:00 web01 sshd[{n}]: Failed password for u{n} from 192.0.2.1 port 4000 ssh2"
        lines.append(json.dumps({"message": text}))
    return ("\n".join(lines) + "\n").encode()


class Client(threading.Thread):
    """Sends all numbers in bulks; what was not acknowledged is sent again until it is."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.url = f"http://127.0.0.1:{port}/_bulk"
        self.acknowledged = 0
        self.resent = 0

    def run(self) -> None:
        with httpx.Client(timeout=5, headers=TOKEN) as http:
            for start in range(0, TOTAL, BULK):
                numbers = list(range(start, min(start + BULK, TOTAL)))
                content = body(numbers)
                while not self.send(http, content):
                    self.resent += 1
                    time.sleep(0.05)
                self.acknowledged += len(numbers)

    def send(self, http: httpx.Client, content: bytes) -> bool:
        try:
            answer = http.post(self.url, content=content, headers={"Content-Type": "application/x-ndjson"})
        except httpx.HTTPError:
            return False
        if answer.status_code != 200:
            return False
        return all(item["create"]["status"] in (200, 201, 409) for item in answer.json()["items"])


@pytest.mark.slow
def test_acknowledged_events_survive_kill_9_exactly_once(tmp_path: Path) -> None:
    """The whole tree is killed at random moments; after the last restart no number is missing or doubled."""
    port, rng = free_port(), random.Random(os.environ.get("HINOMI_KILL_SEED", "7"))
    tower = Tower(tmp_path / "data", configuration(tmp_path, port))
    tower.data.mkdir()
    tower.start()
    client = Client(port)
    client.start()
    for kill in itertools.count(1):
        goal = TOTAL * kill / (KILLS + 1)
        while client.acknowledged < goal and client.is_alive():
            time.sleep(0.01)
        if kill > KILLS:
            break
        time.sleep(rng.random() * 0.5)
        tower.kill()
        tower.start(wait=kill == KILLS)
        if kill < KILLS:
            time.sleep(rng.random())
    client.join(300)
    assert not client.is_alive()
    wait_stored(tower.data)
    assert tower.stop() == 0
    events = ParquetEvents(tower.data / "events")
    ids = [
        row
        for frame in events.scan("linux.auth", columns=["process.pid"])
        for row in frame["process.pid"].to_list()
    ]
    assert len(ids) == len(set(ids)) == TOTAL
    assert events.count(datasets=["hinomi.dead_letter"]) == 0


def wait_stored(data: Path) -> None:
    """Until everything acknowledged went through the pipeline."""
    events = ParquetEvents(data / "events")
    deadline = time.monotonic() + 120
    while events.count(datasets=["linux.auth"]) < TOTAL:
        assert time.monotonic() < deadline, f"{events.count(datasets=['linux.auth'])} of {TOTAL} stored"
        time.sleep(0.2)
    events.close()
