"""Split parts as real processes on a real cluster, each with its own rights: two of each, leaders killed."""

import json
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import get_args

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hinomi.clock import JST, SystemClock
from hinomi.errors import HinomiError
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.roles import Part, as_file, name_of
from ops.elastic.node import User
from ops.lease import KIND as LEASE
from responders.responder import desk
from tests import elastic
from tests.e2e.test_elastic import _prepare
from tests.e2e.tower import Tower, free_port, until
from tests.responders.peers.fortios import FortiOs
from tests.responders.peers.served import served

pytestmark = [pytest.mark.slow, *elastic.ON_ELASTIC]
TOKEN = {"Authorization": "Bearer t0ken-for-tests"}


RULES = """
title: Refused
id: 0a4924e4-f52e-4273-a7bd-2fef9c263694
name: refused
logsource: {product: hinomi, service: linux.auth}
detection:
  selection: {event.outcome: failure}
  condition: selection
level: informational
---
title: Many refused
id: 35e70936-9a55-4535-9dad-3751a6b91824
name: many_refused
correlation:
  type: event_count
  rules: [refused]
  group-by: [source.ip]
  timespan: 10m
  condition: {gte: 15}
level: high
hinomi: {playbook: block_address}
"""


@dataclass
class Inbox:
    """A webhook receiver: how often each message came."""

    came: Counter[str] = field(default_factory=Counter)

    def app(self) -> Starlette:
        async def take(request: Request) -> Response:
            self.came[(await request.json())["id"]] += 1
            return Response()

        return Starlette(routes=[Route("/in", take, methods=["POST"])])


@dataclass
class Parts:
    """The configuration of each part, and the parts that run."""

    folder: Path
    namespace: str
    port: int
    hook: str
    firewall: dict[str, str]
    running: list[Tower] = field(default_factory=list)

    def users(self) -> None:
        """A user of the file realm for each part, with just its role."""
        made = {
            part: User(f"{self.namespace}_{part}", secrets.token_urlsafe(16), ()) for part in get_args(Part)
        }
        users = [User(u.name, u.password, (name_of(part, self.namespace),)) for part, u in made.items()]
        elastic.running().add(users, as_file(self.namespace))
        for part, user in made.items():
            (self.folder / f"{part}.secret").write_text(user.password)

    def config(self, part: str) -> Path:
        there = elastic.running()
        store = {
            "hosts": there.hosts(),
            "ca": str(there.ca),
            "user": f"{self.namespace}_{part}",
            "password": f"file:{self.folder / f'{part}.secret'}",
            "namespace": self.namespace,
            "replicas": 0,
        }
        listener = {
            "kind": "http",
            "port": self.port,
            "source": "linux.auth",
            "token": "env:HINOMI_TEST_TOKEN",
        }
        people = {"sato": {"name_ja": "佐藤", "channels": ["hook"]}}
        respond = {
            "notify": {"channels": {"hook": {"kind": "webhook", "url": self.hook}}, "bundle_seconds": 0},
            "oncall": {"people": people, "layers": [{"people": ["sato"]}]},
            "playbooks": {"armed": ["block_address"]},
            "connectors": {"firewall": self.firewall},
        }
        settings = {
            "listen": {"web": {**listener, "address": "127.0.0.1"}} if part == "collect" else {},
            "store": {"kind": "elasticsearch", "elasticsearch": store},
            "rules": {"packs": False, "folders": [str(self.folder / "rules")]},
            "console": {"port": 0},
            "metrics": {"port": 0},
            "respond": respond if part == "respond" else {},
        }
        path = self.folder / f"{part}.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    def start(self, part: str) -> Tower:
        place = self.folder / f"{part}{len(self.running)}"
        (place / "data").mkdir(parents=True)
        tower = Tower(place / "data", self.config(part), part)
        tower.start(wait=False)
        self.running.append(tower)
        return tower

    def leads(self, tower: Tower, records: ElasticRecords) -> bool:
        lease = records.get(LEASE, tower.part)
        name = (tower.data / "machine").read_text() if (tower.data / "machine").exists() else "?"
        return lease is not None and str(lease.body["holder"]).startswith(f"{name}/")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def peer() -> FortiOs:
    return FortiOs("fw-token")


@pytest.fixture
def parts(tmp_path: Path, inbox: Inbox, peer: FortiOs) -> Iterator[Parts]:
    (tmp_path / "hook").write_text("")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "many.yml").write_text(RULES)
    (tmp_path / "token").write_text("fw-token")
    with (
        served(inbox.app(), tmp_path / "a", tls=False) as hook,
        served(peer.app(), tmp_path / "b") as firewall,
    ):
        (tmp_path / "hook").write_text(f"{hook.url}/in")
        target = {
            "kind": "fortigate",
            "url": firewall.url,
            "ca": str(firewall.ca),
            "token": f"file:{tmp_path / 'token'}",
        }
        made = Parts(tmp_path, f"s{secrets.token_hex(5)}", free_port(), f"file:{tmp_path / 'hook'}", target)
        made.users()
        yield made
        for tower in made.running:
            if tower.process is not None and tower.process.poll() is None:
                tower.kill()


def _attack(port: int, address: str) -> None:
    """Twenty refused sign-ins from an address, now."""
    now = datetime.now(JST).strftime("%b %d %H:%M:%S")
    lines = []
    for n in range(20):
        lines.append(json.dumps({"create": {"_id": f"{address}-{n}"}}))
        text = f"<38>{now} web{address[:3]} sshd[{n}]: Failed password for u{address[:3]} from {address} port 4000 ssh2"
        lines.append(json.dumps({"message": text}))
    answer = httpx.post(
        f"http://127.0.0.1:{port}/_bulk", content="\n".join(lines) + "\n", headers=TOKEN, timeout=10
    )
    assert answer.status_code == 200 and not answer.json()["errors"]


def test_leaders_die_and_nothing_is_done_twice(parts: Parts, inbox: Inbox, peer: FortiOs) -> None:
    """Two attacks, the leaders of detection and response killed with -9 between and during: the standbys take over
    within 15 s, each incident is told once, each address blocked by one change."""
    _until_prepared(parts)
    collect = parts.start("collect")
    towers = {part: [parts.start(part), parts.start(part)] for part in ("detect", "respond")}
    for tower in [collect, *towers["detect"], *towers["respond"]]:
        until(tower.ready, 240, f"{tower.part} is ready")
    records = ElasticRecords(elastic.client(), parts.namespace)
    records.put("user", "manager", {"roles": ["information_system_manager"]})
    _attack(parts.port, "203.0.113.9")
    until(lambda: sum(inbox.came.values()) >= 1, 90, "the first incident is told")
    _approve_all(records)
    leaders = [next(t for t in both if parts.leads(t, records)) for both in towers.values()]
    _attack(parts.port, "198.51.100.7")
    killed = time.monotonic()
    for leader in leaders:
        leader.kill()
    for part, both in towers.items():
        [other] = [tower for tower in both if tower not in leaders]
        until(
            lambda other=other: parts.leads(other, records),
            15 - (time.monotonic() - killed),
            f"{part} is taken over",
        )
    until(lambda: len(inbox.came) >= 2, 90, "the second incident is told")
    _approve_all(records)
    until(lambda: len(peer.group) == 2, 60, "both addresses are blocked")
    until(lambda: records.count("playbook_run", {"state": "done"}) == 2, 60, "both runs are done")
    time.sleep(2)  # a second copy would come now
    assert set(inbox.came.values()) == {1}
    assert peer.calls.count("POST address") == peer.calls.count("PUT addrgrp/hinomi-block") == 2
    assert records.count("incident") == 2
    for tower in parts.running:
        if tower not in leaders:
            assert tower.process is not None
            tower.process.send_signal(signal.SIGTERM)
    for tower in parts.running:
        if tower not in leaders:
            assert tower.process is not None and tower.process.wait(60) == 0
    records.close()


def _until_prepared(parts: Parts) -> None:
    """The nodes need a moment to know the new users."""
    end = time.monotonic() + 30
    while True:
        try:
            return _prepare(parts.config("setup"))
        except HinomiError:
            assert time.monotonic() < end
            time.sleep(0.3)


def _approve_all(records: ElasticRecords) -> None:
    """A person who may approves every plan that waits; a plan that changed meanwhile is looked at again."""
    people = desk(records, SystemClock(), b"k" * 32)
    until(lambda: records.count("approval", {"state": "open"}) >= 1, 60, "a plan waits for its decision")
    for approval in records.find("approval", {"state": "open"}):
        people.approve(approval.id, actor="manager", roles=["information_system_manager"])
