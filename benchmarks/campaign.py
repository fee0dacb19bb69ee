"""The fault campaign: split parts on a real cluster, with things killed, stopped, filled and damaged meanwhile.

Two collectors, two detectors, two responders. A sender to each collector sends numbered events at a rate, again until
each is acknowledged; attacks are planted. Every round something random is killed with -9 and started again; in turn the
whole cluster stops for a while, the disk of one spool is full, and the tail of a spool file is damaged. At the end:
each acknowledged event is stored exactly once, each planted attack is one alert, each notification went out once (or is
marked as unknown and went out at most twice), and no process grew beyond its limit. Anything else ends with an error.

usage: python -m benchmarks campaign        (short: one node, a minute)
       HINOMI_CAMPAIGN=full python -m benchmarks campaign      (three nodes, 5,000 events/s, ten minutes)
"""

import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from hinomi.clock import JST
from hinomi.errors import HinomiError
from hinomi.secret import Secret
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.settings import ElasticSettings
from ops.elastic import cluster

ROOT = Path(__file__).parents[1]
TOKEN = "t0ken"
MEMORY_MIB = 900
"""What no process of ours may exceed, resident."""

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
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """nodes; events a second over both collectors; seconds in all; seconds of a round; of the cluster away."""

    nodes: int
    rate: int
    seconds: float
    round: float
    away: float
    seed: int = 7


SHORT = Plan(nodes=1, rate=400, seconds=50, round=12, away=8)
FULL = Plan(nodes=3, rate=5_000, seconds=600, round=30, away=60)


@dataclass(slots=True)
class Part:
    """One part as a process group of its own."""

    name: str
    folder: Path
    config: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it gets ready by itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HINOMI_CAMPAIGN_TOKEN": TOKEN}
        command = [
            sys.executable,
            "-m",
            "ops.cli",
            self.name.rstrip("12"),
            "--data",
            str(self.folder / "data"),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--config", str(self.config)],
                env=environment, stdout=log, stderr=log, start_new_session=True, cwd=ROOT,
            )  # fmt: skip

    def ready(self) -> bool:
        """Whether its supervisor has said that every process of it is."""
        log = self.folder / "log"
        return log.exists() and '"event": "ready"' in log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """kill -9 of the supervisor; its children die with it."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)

    def memory(self) -> dict[str, int]:
        """MiB resident of each process in the group."""
        found: dict[str, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                if self.process is not None and int(fields[2]) == self.process.pid:
                    words = (path.parent / "cmdline").read_bytes().split(b"\0")
                    found[f"{self.name} {words[2].decode() if len(words) > 2 else ''}"] = (
                        int(fields[21]) * 4096 >> 20
                    )
            except (OSError, ValueError):
                continue
        return found


@dataclass(slots=True)
class Inbox:
    """Where notifications go: how often each came."""

    came: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def serve(self) -> ThreadingHTTPServer:
        """Serve on a free port of loopback."""
        inbox = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.came[body["id"]] += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@dataclass(slots=True)
class Sender(threading.Thread):
    """Sends numbered events at a rate; what is not acknowledged is sent again. attacks: planted addresses."""

    port: int
    name_: str
    rate: float
    stop: threading.Event
    acknowledged: int = 0
    again: int = 0
    attacks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Until told to stop; then once more until all that was begun is acknowledged."""
        size, number, began = 200, 0, time.monotonic()
        with httpx.Client(timeout=10, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            while not self.stop.is_set():
                self._send(http, [self._event(n) for n in range(number, number + size)])
                number += size
                for address in self.attacks[: len(self.attacks)]:
                    self._send(http, [self._refused(address, n) for n in range(20)])
                    self.attacks.remove(address)
                self.stop.wait(max(0.0, began + number / self.rate - time.monotonic()))

    def _event(self, n: int) -> tuple[str, str]:
        text = f"Accepted password for u{n} from 10.1.{n % 250}.{n % 199} port 4000 ssh2"
        return f"{self.name_}-{n}", _line(f"{self.name_}", n % 30_000, text)

    def _refused(self, address: str, n: int) -> tuple[str, str]:
        return f"a-{address}-{n}", _line(
            "web", n, f"Failed password for x{address} from {address} port 4000 ssh2"
        )

    def _send(self, http: httpx.Client, events: list[tuple[str, str]]) -> None:
        lines = [
            json.dumps(part)
            for identity, text in events
            for part in ({"create": {"_id": identity}}, {"message": text})
        ]
        content = "\n".join(lines) + "\n"
        while not self._taken(http, content):
            self.again += 1
            time.sleep(0.2)
        self.acknowledged += len(events)

    def _taken(self, http: httpx.Client, content: str) -> bool:
        try:
            answer = http.post(f"http://127.0.0.1:{self.port}/_bulk", content=content)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and not answer.json()["errors"]


def _line(host: str, pid: int, text: str) -> str:
    return f"<38>{datetime.now(JST):%b %d %H:%M:%S} {host} sshd[{pid}]: {text}"


@dataclass(slots=True)
class Campaign:
    """One run of a plan in a folder."""

    plan: Plan
    folder: Path
    there: cluster.Cluster
    inbox: Inbox = field(default_factory=Inbox)
    parts: list[Part] = field(default_factory=list)
    memory: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Everything; raises SystemExit with what is not as it must be."""
        rng, stop = random.Random(self.plan.seed), threading.Event()
        settings = self._settings()
        events, records = (
            ElasticEvents(connect(settings), "campaign"),
            ElasticRecords(connect(settings), "campaign"),
        )
        events.prepare(replicas=min(self.plan.nodes - 1, 1))
        server, ports = self.inbox.serve(), [_free(), _free()]
        self._make(ports)
        senders = [Sender(port, f"s{n}", self.plan.rate / 2, stop) for n, port in enumerate(ports)]
        try:
            for part in self.parts:
                part.start()
            _until(lambda: all(part.ready() for part in self.parts), 300, "every part is ready")
            for sender in senders:
                sender.start()
            planted = self._trouble(rng, senders)
            stop.set()
            for sender in senders:
                sender.join(180)
            sent = sum(sender.acknowledged for sender in senders)
            self._judge(events, records, sent, planted)
            print(
                f"acknowledged      {sent:10,} events ({sum(s.again for s in senders):,} requests sent again), each stored once"
            )
            print(
                f"planted           {len(planted):10,} attacks, each one alert; {len(self.inbox.came):,} notifications"
            )
            print("faults            " + ", ".join(f"{what} {n}" for what, n in sorted(self.done.items())))
            for name, most in self.memory.most_common(4):
                print(f"peak memory       {most:10,} MiB {name}   {most / MEMORY_MIB:5.2f} × its limit")
        finally:
            for part in self.parts:
                part.kill()
            if self.parts and self.parts[0].folder.is_mount():
                subprocess.run(["umount", "-l", str(self.parts[0].folder)], check=False)
            server.shutdown()
            events.close()
            records.close()

    def _trouble(self, rng: random.Random, senders: list[Sender]) -> list[str]:
        """Rounds of faults until the time is over; the addresses of planted attacks."""
        faults: list[Callable[[random.Random], None]] = [
            self._kill,
            self._damage,
            self._kill,
            self._away,
            self._kill_node,
        ]
        end, number, planted = time.monotonic() + self.plan.seconds, 0, []
        while time.monotonic() < end:
            until = min(end, time.monotonic() + self.plan.round)
            address = f"203.0.113.{number + 1}"
            senders[number % 2].attacks.append(address)
            planted.append(address)
            while time.monotonic() < until:
                self._watch()
                time.sleep(0.5)
            faults[number % len(faults)](rng)
            number += 1
        return planted

    def _kill(self, rng: random.Random) -> None:
        part = rng.choice(self.parts)
        self.done[f"kill {part.name.rstrip('12')}"] += 1
        part.kill()
        part.start()

    def _kill_node(self, rng: random.Random) -> None:
        node = rng.choice(self.there.nodes)
        self.done["kill node"] += 1
        node.kill(signal.SIGKILL)
        node.again()

    def _away(self, rng: random.Random) -> None:
        """The whole cluster stops for a while; meanwhile the disk of the first collector's spool is full."""
        self.done["cluster away"] += 1
        ballast = self._fill(self.parts[0])
        for node in self.there.nodes:
            node.kill(signal.SIGKILL)
        time.sleep(self.plan.away)
        ballast.unlink(missing_ok=True)
        for node in self.there.nodes:
            node.again()

    def _fill(self, part: Part) -> Path:
        """Fill the collector's own small file system to the last byte, where one could be mounted."""
        ballast = part.folder / "ballast"
        if not part.folder.is_mount():
            return ballast
        self.done["spool disk full"] += 1
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(1 << 10))
        return ballast

    def _damage(self, rng: random.Random) -> None:
        """A collector dies in the middle of a write: half a block stands at the end of its spool."""
        self.done["spool tail damaged"] += 1
        part = self.parts[1]
        part.kill()
        segments = sorted(
            (part.folder / "data" / "spool").glob("lane-*/*.segment"), key=lambda one: one.stat().st_mtime
        )
        if segments:
            with segments[-1].open("ab") as file:
                file.write(rng.randbytes(3_000))
        part.start()

    def _watch(self) -> None:
        for part in self.parts:
            for name, mib in part.memory().items():
                self.memory[name] = max(self.memory[name], mib)

    def _judge(self, events: ElasticEvents, records: ElasticRecords, sent: int, planted: list[str]) -> None:
        self.there.wait()
        _until(
            lambda: _asked(lambda: events.count(datasets=["linux.auth"])) >= sent,
            300,
            "every acknowledged event is stored",
        )
        _until(lambda: len(_alerts(records)) >= len(planted), 120, "every planted attack is an alert")
        _until(
            lambda: not records.count("notification", {"state": ["planned", "sending"]}),
            120,
            "everything is told",
        )
        events.refresh()
        wrong = []
        if (stored := events.count(datasets=["linux.auth"])) != sent:
            wrong.append(f"{sent:,} acknowledged, {stored:,} stored")
        if _alerts(records) != Counter(planted):
            wrong.append(f"planted {len(planted)}, alerts {dict(_alerts(records))}")
        unsure = {
            record.id
            for record in records.find("notification")
            if any(not h.get("certain", True) for h in record.body["history"])
        }
        twice = {i: n for i, n in self.inbox.came.items() if n > (2 if i in unsure else 1)}
        if twice or not self.inbox.came:
            wrong.append(f"notifications sent too often or never: {twice}")
        grown = {name: most for name, most in self.memory.items() if most > MEMORY_MIB}
        if grown:
            wrong.append(f"beyond {MEMORY_MIB} MiB: {grown}")
        if wrong:
            raise SystemExit("; ".join(wrong))

    def _settings(self) -> ElasticSettings:
        (self.folder / "password").write_text(self.there.administrator.password)
        return ElasticSettings.model_validate(
            {**self._store(), "password": Secret(f"file:{self.folder / 'password'}")}
        )

    def _store(self) -> dict[str, Any]:
        return {
            "hosts": self.there.hosts(), "ca": str(self.there.ca), "user": self.there.administrator.name,
            "password": f"file:{self.folder / 'password'}", "namespace": "campaign", "timeout": 15,
            "replicas": min(self.plan.nodes - 1, 1),
        }  # fmt: skip

    def _make(self, ports: list[int]) -> None:
        (self.folder / "rules").mkdir()
        (self.folder / "rules" / "many.yml").write_text(RULES)
        (self.folder / "hook").write_text(f"http://127.0.0.1:{self.inbox.port}/")
        for name in ("collect1", "collect2", "detect1", "detect2", "respond1", "respond2"):
            config = self.folder / f"{name}.yaml"
            config.write_text(yaml.safe_dump(self._config(name, ports)))
            self.parts.append(Part(name, self.folder / name, config))
        small = self.parts[0].folder
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(small)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
            print("(the full disk is left out: nothing can be mounted here)", flush=True)

    def _config(self, name: str, ports: list[int]) -> dict[str, Any]:
        settings: dict[str, Any] = {
            "store": {"kind": "elasticsearch", "elasticsearch": self._store()},
            "rules": {"packs": False, "folders": [str(self.folder / "rules")]},
            "metrics": {"port": 0},
        }
        if name.startswith("collect"):
            port = ports[int(name[-1]) - 1]
            listener = {"kind": "http", "address": "127.0.0.1", "port": port, "source": "linux.auth"}
            settings["listen"] = {name: {**listener, "token": "env:HINOMI_CAMPAIGN_TOKEN"}}
        if name.startswith("respond"):
            settings["respond"] = {
                "notify": {
                    "channels": {"hook": {"kind": "webhook", "url": f"file:{self.folder / 'hook'}"}},
                    "bundle_seconds": 0, "per_person_an_hour": 1_000, "an_hour": 1_000,
                },
                "oncall": {"people": {"sato": {"name_ja": "佐藤", "channels": ["hook"]}}, "layers": [{"people": ["sato"]}]},
            }  # fmt: skip
        return settings


def _alerts(records: ElasticRecords) -> Counter[str]:
    """Planted addresses by how many alerts name them."""
    found = _listed(lambda: records.find("alert", limit=10_000))
    return Counter(
        address for record in found for address in record.body["entities"].get("source.ip", [])[:1]
    )


def _listed(ask: Callable[[], list[Any]]) -> list[Any]:
    try:
        return ask()
    except HinomiError:
        return []


def _asked(ask: Callable[[], int]) -> int:
    """A number, or nothing while the cluster comes back."""
    try:
        return ask()
    except HinomiError:
        return -1


def _until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(plan: Plan, version: str = "8.19.8") -> None:
    """A campaign on a cluster of its own."""
    there = cluster.start(version, nodes=plan.nodes)
    try:
        with tempfile.TemporaryDirectory(prefix=f"campaign-{secrets.token_hex(2)}-") as folder:
            Campaign(plan, Path(folder), there).run()
    finally:
        there.stop()


def main() -> None:
    """The short form, or the full one where asked for."""
    run(FULL if os.environ.get("HINOMI_CAMPAIGN") == "full" else SHORT)


if __name__ == "__main__":
    main()
