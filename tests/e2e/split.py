"""Split parts on a cluster, each with just its own rights: what the test of leaders and the fault campaign share."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hinomi.errors import HinomiError
from hinomi.store.elastic.roles import Part, as_file, name_of
from ops.elastic.cluster import Cluster
from ops.elastic.node import User
from ops.elastic_store import prepare
from tests.e2e.tower import Tower

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
REFUSED = 20
"""Refused sign-ins of one attack: more than the rule asks for."""


@dataclass
class Inbox:
    """A webhook receiver: how often each message came, and when first."""

    came: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)

    def app(self) -> Starlette:
        async def take(request: Request) -> Response:
            identity = (await request.json())["id"]
            self.came[identity] += 1
            self.first.setdefault(identity, time.monotonic())
            return Response()

        return Starlette(routes=[Route("/in", take, methods=["POST"])])


@dataclass
class Split:
    """A namespace of a cluster with a user a part, the configuration of each part, and the parts that run.

    ports: of the collectors, one each; hook: where notifications go; respond: more of the responder's settings.
    """

    folder: Path
    namespace: str
    there: Cluster
    ports: Sequence[int]
    hook: str
    respond: dict[str, Any] = field(default_factory=dict)
    replicas: int = 0
    running: list[Tower] = field(default_factory=list)

    def prepare(self) -> None:
        """Rules, users with the shipped roles, templates."""
        (self.folder / "rules").mkdir()
        (self.folder / "rules" / "many.yml").write_text(RULES, encoding="utf-8")
        (self.folder / "hook").write_text(self.hook, encoding="utf-8")
        self._users()
        end = time.monotonic() + 30
        while True:  # the nodes need a moment to know the new users
            try:
                assert "prepared" in prepare(self.config("setup"))
            except HinomiError:
                assert time.monotonic() < end
                time.sleep(0.3)
            else:
                return

    def _users(self) -> None:
        users = []
        for part in get_args(Part):
            user = User(
                f"{self.namespace}_{part}", secrets.token_urlsafe(16), (name_of(part, self.namespace),)
            )
            (self.folder / f"{part}.secret").write_text(user.password, encoding="utf-8")
            users.append(user)
        self.there.add(users, as_file(self.namespace))

    def config(self, part: str, number: int = 0) -> Path:
        """The configuration file of a part."""
        settings: dict[str, Any] = {
            "store": {"kind": "elasticsearch", "elasticsearch": self.store(part)},
            "rules": {"packs": False, "folders": [str(self.folder / "rules")]},
            "console": {"port": 0},
            "metrics": {"port": 0},
        }
        if part == "collect":
            settings["listen"] = {f"web{number}": self._listener(self.ports[number])}
        if part == "respond":
            settings["respond"] = self._respond()
        path = self.folder / f"{part}{number}.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    def store(self, part: str) -> dict[str, Any]:
        """How a part reaches the cluster."""
        return {
            "hosts": self.there.hosts(),
            "ca": str(self.there.ca),
            "user": f"{self.namespace}_{part}",
            "password": f"file:{self.folder / f'{part}.secret'}",
            "namespace": self.namespace,
            "replicas": self.replicas,
        }

    def _listener(self, port: int) -> dict[str, Any]:
        own = {"kind": "http", "address": "127.0.0.1", "source": "linux.auth"}
        return {**own, "port": port, "token": "env:HINOMI_TEST_TOKEN"}

    def _respond(self) -> dict[str, Any]:
        notify = {
            "channels": {"hook": {"kind": "webhook", "url": f"file:{self.folder / 'hook'}"}},
            "bundle_seconds": 0,
            "per_person_an_hour": 10_000,
            "an_hour": 10_000,
            "storm_messages": 10_000,  # each incident is told by itself
        }
        people = {"sato": {"name_ja": "佐藤", "channels": ["hook"]}}
        oncall = {"people": people, "layers": [{"people": ["sato"]}]}
        return {"notify": notify, "oncall": oncall, **self.respond}

    def tower(self, part: str, number: int = 0) -> Tower:
        """A process of a part, not started yet, in a folder of its own."""
        place = self.folder / f"{part}-{number}"
        (place / "data").mkdir(parents=True, exist_ok=True)
        made = Tower(place / "data", self.config(part, number), part)
        self.running.append(made)
        return made

    def kill_all(self) -> None:
        """End what runs still."""
        for tower in self.running:
            if tower.process is not None and tower.process.poll() is None:
                tower.kill()


def as_bulk(events: Sequence[tuple[str, str]]) -> str:
    """(id, line) pairs as the body of a `_bulk` request."""
    parts = (
        json.dumps(part)
        for identity, text in events
        for part in ({"create": {"_id": identity}}, {"message": text})
    )
    return "\n".join(parts) + "\n"
