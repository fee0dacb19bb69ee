"""The tower on Elasticsearch: the same promises, also while the cluster is away."""

import signal
import time
from pathlib import Path

import httpx
import pytest
import yaml

from hinomi.errors import StoreError
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.settings import ElasticSettings
from ops.elastic import cluster as elastic
from tests import elastic as shared_elastic
from tests.e2e.test_kill import TOKEN, body
from tests.e2e.tower import Tower, free_port, until

pytestmark = [pytest.mark.slow, *shared_elastic.ON_ELASTIC]
TOTAL, BULK = 30_000, 500


def _configured(folder: Path, there: elastic.Cluster, port: int) -> tuple[Path, ElasticSettings]:
    store = {**there.reached(folder), "namespace": "tower", "replicas": 0, "timeout": 10}
    listener = {
        "kind": "http",
        "address": "127.0.0.1",
        "port": port,
        "source": "linux.auth",
        "token": "env:HINOMI_TEST_TOKEN",
    }
    settings = {
        "listen": {"numbers": listener},
        "console": {"port": 0},
        "metrics": {"port": 0},
        "store": {"kind": "elasticsearch", "elasticsearch": store},
    }
    config = folder / "hinomi.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return config, ElasticSettings.model_validate(store)


def _send(port: int, start: int, end: int) -> None:
    """Numbered events until each is acknowledged, whoever is being killed meanwhile."""
    with httpx.Client(timeout=5, headers=TOKEN) as http:
        for first in range(start, end, BULK):
            content = body(list(range(first, min(first + BULK, end))))
            deadline = time.monotonic() + 60
            while not _taken(http, port, content):
                assert time.monotonic() < deadline, "the intake takes nothing"
                time.sleep(0.1)


def _taken(http: httpx.Client, port: int, content: bytes) -> bool:
    try:
        answer = http.post(f"http://127.0.0.1:{port}/_bulk", content=content)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and not answer.json()["errors"]


def test_nothing_is_lost_or_doubled_while_node_and_tower_are_killed(tmp_path: Path) -> None:
    """Lines are taken in while the cluster is away; afterwards each is stored once, and the one burst is one alert."""
    shared_elastic.running()  # skips where there can be none
    there = elastic.start(shared_elastic.VERSION)
    node, port = there.nodes[0], free_port()
    tower = Tower(tmp_path / "data", tmp_path / "hinomi.yaml")
    tower.data.mkdir()
    try:
        config, settings = _configured(tmp_path, there, port)
        _prepare(config)
        tower.start()
        _send(port, 0, 10_000)
        node.kill(signal.SIGKILL)
        _send(port, 10_000, 20_000)  # acknowledged by the spool alone
        tower.kill()
        node.again()
        there.wait()
        tower.start()
        _send(port, 20_000, TOTAL)
        events = ElasticEvents(connect(settings), "tower")
        until(lambda: _stored(events) >= TOTAL, 180, "all are stored")
        numbers = [
            row
            for frame in events.scan("linux.auth", columns=["process.pid"])
            for row in frame["process.pid"]
        ]
        assert len(numbers) == len(set(numbers)) == TOTAL
        records = ElasticRecords(connect(settings), "tower")
        until(lambda: records.count("alert") > 0, 60, "the burst is told")
        rules = [record.body["rule_id"] for record in records.find("alert")]
        assert len(rules) == len(set(rules))
        assert "sshd" in tower.run("search", "user.name: u29999")
        assert tower.stop() == 0
        events.close()
        records.close()
    finally:
        there.stop()


def _stored(events: ElasticEvents) -> int:
    """How many; a node that has just come back may still be opening its indices."""
    try:
        return events.count(datasets=["linux.auth"])
    except StoreError:
        return 0


def _prepare(config: Path) -> None:
    from ops.elastic_store import prepare

    assert "prepared" in prepare(config)
