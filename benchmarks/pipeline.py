"""FortiGate syslog on one core: receive → spool → parse → enrich → mask → more than 1,000 rules → stored.

Aim: 20,000 events/s a core. Prints events/s as a ratio to it, the share of each stage, and peak memory against
1 GiB. Receiving (the real TCP listener and spool) and working (the worker's own loop) are timed one after the other
on the same processor, so a core does both. Two rates are said: by the clock on the wall, which a neighbour on the
same processor slows down, and by processor time, which it hardly touches but which leaves out waiting for the disk.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks._corpora import corpus

if TYPE_CHECKING:  # Polars must not be imported before the measuring process has said how many threads it has
    from collectors.enrich import Enricher
    from ops.pipeline import Pipeline

EVENTS = 200_000
AIM = 20_000


@dataclass(slots=True)
class Spent:
    """Seconds by the clock on the wall, and of this process on the processor."""

    wall: float = 0.0
    processor: float = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add what the block takes."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor


@dataclass(slots=True)
class Work:
    """What the worker's loop took, the share of each of its stages, and the rules in force."""

    spent: Spent = field(default_factory=Spent)
    shares: dict[str, float] = field(default_factory=dict)
    rules: int = 0


def main() -> None:
    """Measure in a process of its own, bound to one processor before any thread pool is made."""
    corpus("sigma", "rules")
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-m", "benchmarks.pipeline", "measure"], env=environment, check=True)


def measure() -> None:
    """The measurement itself."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    with tempfile.TemporaryDirectory() as folder:
        received = asyncio.run(_receive(Path(folder)))
        work = _work(Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall = received.wall + work.spent.wall
    _say("rules in force", f"{work.rules:10,}")
    _say("whole path", _rate(wall), f"{EVENTS / wall / AIM:5.2f} × the {AIM:,} aimed at")
    processor = received.processor + work.spent.processor
    _say("  by processor", _rate(processor), f"{EVENTS / processor / AIM:5.2f} ×, waiting left out")
    _say("receive and spool", _rate(received.wall), f"{received.wall / wall:5.0%} of the time")
    _say("worker", _rate(work.spent.wall), f"{work.spent.wall / wall:5.0%} of the time")
    for stage, share in work.shares.items():
        _say(f"  {stage}", "", f"{share * work.spent.wall / wall:5.0%}")
    _say("peak memory", f"{peak:10,.0f} MiB", f"{peak / 1024:5.2f} × 1 GiB")


def _rate(seconds: float) -> str:
    return f"{EVENTS / seconds:10,.0f} events/s"


def _say(what: str, value: str, ratio: str = "") -> None:
    print(f"{what:19}{value:20}{ratio}".rstrip(), flush=True)


async def _receive(place: Path, ready: Callable[[], None] = lambda: None) -> Spent:
    """What it takes to have all lines, sent over one TCP connection, in the spool and synced. ready: called before."""
    from benchmarks._fortigate_lines import lines
    from collectors.settings import Listener
    from collectors.spool import Spool
    from collectors.transports import serve
    from collectors.transports.health import Health
    from hinomi.ledger import Ledger

    spool, stop, spent = Spool(place / "spool", max_bytes=1 << 30), asyncio.Event(), Spent()
    started: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
    listener = Listener.model_validate({"kind": "tcp", "address": "127.0.0.1", "port": 0})
    serving = asyncio.create_task(
        serve({"fw": listener}, spool, Ledger(), ready=started.set_result, stop=stop)
    )
    health = await started
    body = b"".join(line + b"\n" for line in lines(EVENTS))
    _, writer = await asyncio.open_connection("127.0.0.1", health.ports()["fw"])
    ready()
    with spent.timed():
        writer.write(body)
        await writer.drain()
        writer.write_eof()
        while health.listeners["fw"].received < EVENTS:
            await asyncio.sleep(0.002)
    writer.close()
    stop.set()
    await serving
    await spool.close()
    return spent


def _work(place: Path) -> Work:
    """The worker's loop over the spool; see `ops.roles.worker`."""
    from collectors.spool import Reader
    from hinomi.ledger import Ledger
    from hinomi.store import Checkpoint

    pipeline, work = _pipeline(place), Work()
    work.rules = len(pipeline.rules().rules)
    reader, after, rows = Reader(place / "spool" / "lane-0", Ledger()), None, 0
    with work.spent.timed():
        while True:
            with pipeline.stages.timed("read spool"):
                block = reader.read(after)
            if block is None:
                break
            pipeline.process(block.frame, Checkpoint("lane-0", block.after))
            after, rows = block.after, rows + block.frame.height
    stored = sum(one.events for one in pipeline.events.datasets() if one.name == "fortinet.fortigate")
    if not rows == stored == EVENTS:
        raise SystemExit(f"{EVENTS:,} sent, {rows:,} read, {stored:,} stored")
    seconds = pipeline.stages.seconds
    work.shares = {name: spent / work.spent.wall for name, spent in seconds.most_common()}
    work.shares["rest"] = 1 - sum(work.shares.values())
    return work


def _pipeline(place: Path) -> "Pipeline":
    """Wired as the worker role does, with every part of enrichment in use."""
    from collectors.privacy import Privacy, PrivacySettings
    from hinomi.clock import SystemClock
    from hinomi.ledger import Ledger
    from hinomi.store.embedded import ParquetEvents, SqliteRecords
    from ops.folders import packs_folder
    from ops.formats import Formats
    from ops.pipeline import Pipeline
    from ops.watch import LiveRules
    from rules.in_force import InForce

    clock, ledger = SystemClock(), Ledger()
    folders = [packs_folder(), corpus("sigma", "rules")]
    return Pipeline(
        events=ParquetEvents(place / "events", clock=clock),
        formats=Formats(SqliteRecords(place / "records.sqlite"), clock),
        enricher=_enricher(place),
        privacy=Privacy(PrivacySettings(), ledger),
        rules=LiveRules(InForce(folders), place / "cache", every=1e9),
        ledger=ledger,
        clock=clock,
    )


def _enricher(place: Path) -> "Enricher":
    """Zones, 900 staff, 500 machines by name and address, and places of the city's own."""
    from collectors.enrich import Enricher, EnrichSettings

    files = {
        "staff": "account,full_name,department\n" + "".join(f"user{i:03d},氏名,課\n" for i in range(900)),
        "assets": "host,ip,department\n" + "".join(f"pc{i:03d},10.30.8.{i % 250},課\n" for i in range(500)),
        "geo_override": "cidr,country_iso_code,lat,lon\n198.51.100.0/24,JP,35.68,139.69\n",
    }
    paths = {name: place / f"{name}.csv" for name in files}
    for name, text in files.items():
        paths[name].write_text(text, encoding="utf-8")
    zones = {"internet": ["10.30.0.0/16"], "lgwan": ["10.20.0.0/16"]}
    return Enricher.of(EnrichSettings.model_validate({"zones": zones, **paths}))


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["measure"] else main()
