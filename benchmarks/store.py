"""The embedded store: events/s written, milliseconds a search, bytes an event, on 500,000 firewall events.

Limits: writing must not be what holds back 20,000 events/s a core; a search page must come within 1,500 ms.
"""

import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.store import Span
from hinomi.store.embedded import ParquetEvents

START = datetime(2026, 11, 20, tzinfo=UTC)
ROWS, BATCH = 500_000, 10_000


def _batch(number: int) -> Batch:
    rng = np.random.default_rng(number)
    n = BATCH
    users = rng.integers(0, 900, n)
    source = [f"10.30.{a}.{b}" for a, b in zip(rng.integers(8, 16, n), rng.integers(1, 250, n), strict=True)]
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series(
                [START + timedelta(milliseconds=100 * (number * n + i)) for i in range(n)]
            ).cast(ecs.TIME),
            "event.id": [f"s-{number:x}-{i:x}" for i in range(n)],
            "event.action": rng.choice(["accept", "deny", "close"], n),
            "source.ip": source,
            "destination.ip": [f"198.51.100.{b}" for b in rng.integers(1, 250, n)],
            "destination.port": rng.choice([443, 80, 53], n),
            "user.name": [f"user{u:03d}" for u in users],
            "source.bytes": rng.integers(0, 1 << 20, n),
            "event.original": [
                f'date=2026-11-20 devid="FG" srcip={ip} sessionid={i} action="close"'
                for i, ip in enumerate(source)
            ],
        }
    )
    return Batch.of("fortinet.fortigate", frame, ingested=START)


def main() -> None:
    """Print each figure with its ratio to the limit."""
    with tempfile.TemporaryDirectory() as folder:
        events = ParquetEvents(Path(folder))
        batches = [_batch(number) for number in range(ROWS // BATCH)]
        start = time.perf_counter()
        for batch in batches:
            events.append([batch])
        rate = ROWS / (time.perf_counter() - start)
        size = sum(stats.bytes for stats in events.datasets())
        print(f"append            {rate:12,.0f} events/s   {rate / 20_000:6.1f} × the 20,000 of a core")
        print(f"size              {size / ROWS:12.1f} bytes an event")
        start = time.perf_counter()
        events.compact()
        print(f"compact           {ROWS / (time.perf_counter() - start):12,.0f} events/s")
        _searches(events)
        print(f"peak memory       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12,.0f} MiB")
        events.close()


def _searches(events: ParquetEvents) -> None:
    span = Span(START, START + timedelta(days=1))
    works = {
        "page of 100": lambda: events.search("user.name: user077 and destination.port: 443", span=span),
        "free text": lambda: events.search('"sessionid=4242"', span=span),
        "histogram": lambda: events.histogram(
            "", span=span, interval=timedelta(minutes=30), by="event.action"
        ),
        "top users": lambda: events.top("user.name", span=span),
        "by id": lambda: events.get(["s-a-5"]),
    }
    for name, work in works.items():
        work()
        start = time.perf_counter()
        work()
        spent = (time.perf_counter() - start) * 1000
        print(f"search {name:12} {spent:10.0f} ms          {spent / 1500:6.2f} × the 1,500 ms limit")


if __name__ == "__main__":
    main()
