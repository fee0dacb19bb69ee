"""The fault campaign: split parts on a real cluster, with things killed, stopped, filled and damaged meanwhile.

Two collectors, two detectors, two responders, each as its own user with the shipped rights. A sender to each collector
sends numbered events at a rate, again until each is acknowledged; an attack is planted in each round. At the end of
each round a random node, collector, detector or responder is killed with -9 and started again; in turn also the whole
cluster stops for a while, the disk of one spool is full, and the tail of a spool file is damaged. At the end: each
acknowledged event is stored exactly once, each planted attack is one alert, each notification went out once (or is
marked as unknown and went out at most twice), and no process grew beyond its limit. Anything else ends with an error.

usage: python -m benchmarks campaign        (short: one node, about a minute)
       HINOMI_CAMPAIGN=full python -m benchmarks campaign      (three nodes, 5,000 events/s, ten minutes)
       HINOMI_CAMPAIGN_RATE=2000 HINOMI_CAMPAIGN_ROUNDS=8: at another rate, for fewer rounds, on a machine that bears no more
"""

import contextlib
import os
import random
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks._senders import Sender
from benchmarks._verdict import Verdict
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.settings import ElasticSettings
from ops.elastic import cluster
from tests.e2e.split import Inbox, Split
from tests.e2e.tower import Tower, free_port, until
from tests.responders.peers.served import served

MEMORY_MIB = 900
"""What no process of ours may exceed, resident (docs/elasticsearch.md)."""
_DISK = "size=96m"
_KINDS = ("node", "collect", "detect", "respond")


@dataclass(frozen=True, slots=True)
class Plan:
    """nodes; events a second over both collectors; rounds of so many seconds; seconds of the cluster away; of the disk
    being full; heap of a node."""

    nodes: int
    rate: int
    rounds: int
    round: float
    away: float
    full: float
    heap_mb: int = 512
    seed: int = 7


SHORT = Plan(nodes=1, rate=400, rounds=4, round=8, away=5, full=4)
FULL = Plan(nodes=3, rate=5_000, rounds=20, round=30, away=60, full=20)


@dataclass(slots=True)
class Campaign:
    """One run of a plan. parts: collectors first."""

    plan: Plan
    split: Split
    senders: list[Sender]
    parts: list[Tower] = field(default_factory=list)
    memory: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    _bag: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start every part, each with its disk; the first collector's is a small one."""
        for part in ("collect", "detect", "respond"):
            self.parts += [self.split.tower(part, number) for number in range(2)]
        small = self._small
        mount = ["mount", "-t", "tmpfs", "-o", _DISK, "tmpfs", str(small)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
            print("(the full disk is left out: nothing can be mounted here)", flush=True)
        (small / "data").mkdir(exist_ok=True)
        for tower in self.parts:
            tower.start(wait=False)
        for tower in self.parts:
            until(tower.ready, 300, f"{tower.part} is ready")

    def close(self) -> None:
        """End everything."""
        self.split.kill_all()
        if self._small.is_mount():
            subprocess.run(["umount", "-l", str(self._small)], check=False)

    @property
    def _small(self) -> Path:
        return self.parts[0].data.parent

    def trouble(self) -> None:
        """Rounds of faults: in each a kill, and in turn one that is worse."""
        rng = random.Random(self.plan.seed)
        worse = [self._damage, self._away, self._full] + [self._damage, self._full] * self.plan.rounds
        for number in range(self.plan.rounds):
            self.senders[number % 2].plant(f"203.0.113.{number + 1}")
            self._watch(self.plan.round)
            self._kill(rng)
            if number % 2 or self.plan.rounds <= len(_KINDS):
                worse.pop(0)(rng)

    def _say(self, what: str) -> None:
        self.done[what] += 1
        sent = " + ".join(f"{sender.sent:,}" for sender in self.senders)
        print(f"  {time.strftime('%H:%M:%S')} {what}; sent {sent}", flush=True)

    def _kill(self, rng: random.Random) -> None:
        if not self._bag:
            self._bag = rng.sample(_KINDS, len(_KINDS))
        kind = self._bag.pop()
        if kind == "node":
            node = rng.choice(self.split.there.nodes)
            node.kill(signal.SIGKILL)
            node.again()
        else:
            tower = rng.choice([one for one in self.parts if one.part == kind])
            tower.kill()
            tower.start(wait=False)
        self._say(f"kill {kind}")

    def _away(self, rng: random.Random) -> None:
        """The whole cluster stops for a while."""
        self._say("cluster away")
        for node in self.split.there.nodes:
            node.kill(signal.SIGKILL)
        self.senders[0].plant("203.0.113.200")  # while nobody can be told of it
        self._watch(self.plan.away)
        for node in self.split.there.nodes:
            node.again()
        self.split.there.wait()

    def _full(self, rng: random.Random) -> None:
        """Not a byte is left on the disk of the first collector, then there is room again."""
        if not self._small.is_mount():
            return
        self._say("spool disk full")
        before, ballast = self.senders[0].again, self._small / "ballast"
        for step in (1 << 20, 1 << 10, 1):
            with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
                while file.write(bytes(step)):
                    pass
        self._watch(self.plan.full)
        ballast.unlink()
        if self.senders[0].again == before:
            raise SystemExit("the disk was full, and the collector took everything all the same")

    def _damage(self, rng: random.Random) -> None:
        """The second collector dies in the middle of a write: its newest segment ends in half a block, or in noise."""
        self._say("spool tail damaged")
        tower = self.parts[1]
        tower.kill()
        segments = sorted(
            (tower.data / "spool").glob("lane-*/*.segment"), key=lambda one: one.stat().st_mtime
        )
        if segments:
            half = segments[-1].read_bytes()[:3_000]  # a true header whose body is cut off
            with segments[-1].open("ab") as file:
                file.write(half if self.done["spool tail damaged"] % 2 else rng.randbytes(3_000))
        tower.start(wait=False)

    def _watch(self, seconds: float) -> None:
        """Wait, and note the memory of every process meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for tower in self.parts:
                for name, mib in _memory(tower):
                    self.memory[name] = max(self.memory[name], mib)
            time.sleep(0.5)

    def judge(self, verdict: Verdict) -> None:
        """Wait until all has caught up, tell what was found. Raises SystemExit with what is not as it must be."""
        began = time.monotonic()
        verdict.wait()
        caught_up = time.monotonic() - began
        wrong = list(verdict.wrong())
        grown = {name: most for name, most in self.memory.items() if most > MEMORY_MIB}
        wrong += [f"beyond {MEMORY_MIB} MiB: {grown}"] if grown else []
        again, told = sum(sender.again for sender in self.senders), verdict.told()
        print(f"faults            {', '.join(f'{what} {n}' for what, n in sorted(self.done.items()))}")
        print(
            f"acknowledged      {verdict.acknowledged:10,} events; {again:,} requests were sent again; caught up in {caught_up:.0f} s"
        )
        print(f"planted           {len(told):10,} attacks; {len(verdict.inbox.came):,} notifications")
        print("                  " + ", ".join(f"{seconds:.0f}" for seconds in told) + " s")
        print(
            f"told              {statistics.median(told):10.1f} s after an attack (median), {max(told):.1f} s at most"
        )
        for name, most in self.memory.most_common(4):
            print(f"peak memory       {most:10,} MiB {name}   {most / MEMORY_MIB:5.2f} × its limit")
        if wrong:
            raise SystemExit("; ".join(wrong))
        print("each acknowledged event is stored once, each attack is one alert, each was told once")


def _memory(tower: Tower) -> Iterator[tuple[str, int]]:
    """MiB resident of each process in a part's group, by module."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            if tower.process is not None and int(fields[2]) == tower.process.pid:
                words = (path.parent / "cmdline").read_bytes().split(b"\0")
                module = words[2].decode() if len(words) > 2 else ""
                yield module, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") >> 20
        except (OSError, ValueError):
            continue


def run(plan: Plan, version: str = "8.19.8") -> None:
    """A campaign on a cluster of its own."""
    there, inbox, stop = (
        cluster.start(version, nodes=plan.nodes, heap_mb=plan.heap_mb),
        Inbox(),
        threading.Event(),
    )
    try:
        with (
            tempfile.TemporaryDirectory(prefix=f"campaign-{secrets.token_hex(2)}-") as name,
            served(inbox.app(), Path(name) / "hook-server", tls=False) as hook,
        ):
            folder, ports = Path(name), [free_port(), free_port()]
            split = Split(folder, "campaign", there, ports, f"{hook.url}/in", replicas=min(plan.nodes - 1, 1))
            split.prepare()
            senders = [Sender(number, port, plan.rate / 2, stop) for number, port in enumerate(ports)]
            campaign = Campaign(plan, split, senders)
            try:
                campaign.start()
                for sender in senders:
                    sender.start()
                campaign.trouble()
                stop.set()
                for sender in senders:
                    sender.join(180)
                if any(sender.is_alive() for sender in senders):
                    raise SystemExit("a collector took nothing for three minutes")
                there.wait()
                with _administrator(folder, there) as (events, records):
                    campaign.judge(Verdict(events, records, senders, inbox))
            finally:
                campaign.close()
    finally:
        there.stop()


@contextlib.contextmanager
def _administrator(folder: Path, there: cluster.Cluster) -> Iterator[tuple[ElasticEvents, ElasticRecords]]:
    settings = ElasticSettings.model_validate(there.reached(folder))
    events, records = (
        ElasticEvents(connect(settings), "campaign"),
        ElasticRecords(connect(settings), "campaign"),
    )
    yield events, records
    events.close()
    records.close()


def main() -> None:
    """The short form, or the full one where asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started ends with us
    plan = FULL if os.environ.get("HINOMI_CAMPAIGN") == "full" else SHORT
    rate, rounds = (
        os.environ.get(f"HINOMI_CAMPAIGN_{name}", so)
        for name, so in (("RATE", plan.rate), ("ROUNDS", plan.rounds))
    )
    plan = replace(plan, rate=int(rate), rounds=int(rounds))
    print(
        f"{plan.nodes} nodes, {plan.rate:,} events/s, {plan.rounds * plan.round:.0f} s, a fault each {plan.round:.0f} s",
        flush=True,
    )
    run(plan)


if __name__ == "__main__":
    main()
