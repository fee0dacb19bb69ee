"""FortiGate syslog on one core: receive → spool → parse → enrich → mask → more than 1,000 rules → stored.

Aim: 20,000 events/s a core. Prints events/s as a ratio to it, the share of each stage, and peak memory against
1 GiB. Receiving (the real TCP listener and spool) and working (the worker's own loop) are timed one after the other
on the same processor, so a core does both.
"""

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

EVENTS = 200_000
AIM = 20_000
RULES = Path(__file__).parents[2] / "shared" / "data" / "sigma" / "rules"


def main() -> None:
    """Measure in a process of its own, bound to one processor before any thread pool is made."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-m", "benchmarks.pipeline", "measure"], env=environment, check=True)


def measure() -> None:
    """The measurement itself."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        received = asyncio.run(_receive(place))
        worked, shares, rules = _work(place)
    total = received + worked
    rate = EVENTS / total
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"rules in force     {rules:10,}")
    print(f"whole path         {rate:10,.0f} events/s a core   {rate / AIM:5.2f} × the {AIM:,} aimed at")
    print(
        f"receive and spool  {EVENTS / received:10,.0f} events/s          {received / total:5.0%} of the time"
    )
    for stage, share in shares.items():
        print(f"  {stage:16} {share * worked / total:29.0%} of the time")
    print(f"peak memory        {peak:10,.0f} MiB               {peak / 1024:5.2f} × 1 GiB")


async def _receive(place: Path) -> float:
    """Seconds to take all lines over TCP into the spool, synced."""
    from benchmarks._fortigate_lines import lines
    from collectors.settings import Listener
    from collectors.spool import Spool
    from collectors.transports import serve
    from collectors.transports.health import Health
    from hinomi.ledger import Ledger

    spool, ledger, stop = Spool(place / "spool", max_bytes=1 << 30), Ledger(), asyncio.Event()
    started: asyncio.Future[Health] = asyncio.get_running_loop().create_future()
    listener = Listener.model_validate({"kind": "tcp", "address": "127.0.0.1", "port": 0})
    serving = asyncio.create_task(serve({"fw": listener}, spool, ledger, ready=started.set_result, stop=stop))
    health = await started
    body = b"".join(line + b"\n" for line in lines(EVENTS))
    _, writer = await asyncio.open_connection("127.0.0.1", health.ports()["fw"])
    start = time.perf_counter()
    writer.write(body)
    await writer.drain()
    writer.write_eof()
    while health.listeners["fw"].received < EVENTS:
        await asyncio.sleep(0.002)
    spent = time.perf_counter() - start
    writer.close()
    stop.set()
    await serving
    await spool.close()
    return spent


def _work(place: Path) -> tuple[float, dict[str, float], int]:
    """Seconds of the worker's loop over the spool, the share of each stage, rules in force."""
    import polars as pl

    from collectors.enrich import Enricher, EnrichSettings
    from collectors.privacy import Privacy, PrivacySettings
    from collectors.spool import Reader
    from hinomi.clock import SystemClock
    from hinomi.ledger import Ledger
    from hinomi.store import Checkpoint
    from hinomi.store.embedded import ParquetEvents, SqliteRecords
    from ops.formats import Formats
    from ops.pipeline import Pipeline
    from ops.settings import packs_folder
    from ops.watch import LiveRules

    clock, ledger = SystemClock(), Ledger()
    staff = place / "staff.csv"
    staff.write_text(
        "account,full_name,department\n" + "".join(f"user{i:03d},x,y\n" for i in range(900)), encoding="utf-8"
    )
    zones = {"internet": ["10.30.0.0/16"], "lgwan": ["10.20.0.0/16"]}
    folders = [packs_folder(), *([RULES] if RULES.exists() else [])]
    live = LiveRules(folders, place / "cache", every=1e9)
    pipeline = Pipeline(
        events=ParquetEvents(place / "events", clock=clock),
        formats=Formats(SqliteRecords(place / "records.sqlite"), clock),
        enricher=Enricher.of(EnrichSettings.model_validate({"zones": zones, "staff": staff})),
        privacy=Privacy(PrivacySettings(), ledger),
        rules=live,
        ledger=ledger,
        clock=clock,
    )
    rules = len(pipeline.rules().rules)
    if not RULES.exists():
        print(f"(only our own rules: {RULES} is not here)")
    reader, after = Reader(place / "spool" / "lane-0", ledger), None
    _warm(pipeline, reader)
    pipeline.stages.seconds.clear()
    start, rows = time.perf_counter(), 0
    while (block := _read(pipeline, reader, after)) is not None:
        pipeline.process(block.frame, Checkpoint("lane-0", block.after))
        after, rows = block.after, rows + block.frame.height
    spent = time.perf_counter() - start
    stored = sum(one.events for one in pipeline.events.datasets() if one.name == "fortinet.fortigate")
    assert rows == EVENTS and stored == EVENTS, (rows, stored, datetime.now(UTC), pl.__version__)
    measured = sum(pipeline.stages.seconds.values())
    return (
        spent,
        {name: seconds / spent for name, seconds in pipeline.stages.seconds.most_common()}
        | {"rest": 1 - measured / spent},
        rules,
    )


def _read(pipeline: object, reader: object, after: str | None) -> object:
    with pipeline.stages.timed("read spool"):  # type: ignore[attr-defined]
        return reader.read(after, 20_000)  # type: ignore[attr-defined]


def _warm(pipeline: object, reader: object) -> None:
    """The first batch builds what is built once (Hyperscan scratch, regular expressions); it is not counted."""
    block = reader.read(None, 500)  # type: ignore[attr-defined]
    events, pipeline.events = pipeline.events, _Nowhere()  # type: ignore[attr-defined]
    pipeline.process(block.frame.head(500))  # type: ignore[attr-defined]
    pipeline.events = events  # type: ignore[attr-defined]


class _Nowhere:
    """A store that keeps nothing, for warming up."""

    def append(self, batches: list[object], **_: object) -> object:
        """Count as stored."""
        from hinomi.store import Appended

        return Appended(0, 0)


if __name__ == "__main__":
    measure() if sys.argv[1:] == ["measure"] else main()
