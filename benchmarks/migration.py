"""Moving events from the embedded store to Elasticsearch, counted and compared; then a search page in either.

Limit: a page of 100 found events within one second in either store; both sides the same. 50,000 events in the short
form; the whole: HINOMI_MIGRATION_EVENTS=5000000 python -m benchmarks migration
"""

import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from benchmarks._node import on_a_node
from benchmarks.store import BATCH, START, _batch
from hinomi.store import Events, Span
from hinomi.store.elastic.connection import connect
from hinomi.store.elastic.events import ElasticEvents
from hinomi.store.elastic.records import ElasticRecords
from hinomi.store.elastic.settings import ElasticSettings
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.elastic.cluster import Cluster
from ops.migration import Migration

EVENTS = int(os.environ.get("HINOMI_MIGRATION_EVENTS", "50000"))


def main() -> None:
    """Fill, move, compare, search."""
    on_a_node(_in_a_folder)


def _in_a_folder(there: Cluster) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure(there, Path(folder))


def _measure(there: Cluster, folder: Path) -> None:
    settings = ElasticSettings.model_validate({**there.reached(folder), "replicas": 0})
    old, records = ParquetEvents(folder / "events"), SqliteRecords(folder / "records.sqlite")
    new = ElasticEvents(connect(settings), patience=300)
    new.prepare(replicas=0)
    start = time.perf_counter()
    for number in range(EVENTS // BATCH):
        old.append([_batch(number)])
    print(f"embedded: {EVENTS:,} events made in {time.perf_counter() - start:,.0f} s", flush=True)
    old.compact()
    move = Migration(old, records, new, ElasticRecords(connect(settings)), "benchmark")
    start = time.perf_counter()
    copied = move.run()
    spent = time.perf_counter() - start
    print(
        f"moved             {copied:12,} events in {spent:8,.0f} s   {copied / spent:8,.0f} events/s",
        flush=True,
    )
    start = time.perf_counter()
    found = list(move.compare())
    print(
        f"compared          {sum(one.after for one in found):12,} events in {time.perf_counter() - start:8,.0f} s",
        flush=True,
    )
    for one in found:
        print(
            f"  {one.dataset}: {one.before:,} → {one.after:,}, every id the same: {one.same_ids}, fields that differ: {one.differing}"
        )
    if not found or not all(one.good for one in found):
        raise SystemExit("the two sides differ")
    for name, events in (("embedded", old), ("elasticsearch", new)):
        size = sum(held.bytes for held in events.datasets())
        print(f"{name:17} {size / EVENTS:8.1f} bytes an event")
        _search(name, events)
    print(f"peak memory       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8,.0f} MiB")


def _search(name: str, events: Events) -> None:
    span = Span(START, START + timedelta(milliseconds=100 * EVENTS))
    works: dict[str, Callable[[], object]] = {
        "page": lambda: events.search("user.name: user077 and destination.port: 443", span=span),
        "newest": lambda: events.search(""),
        "text": lambda: events.search('"sessionid=4242"', span=span),
    }
    for what, work in works.items():
        work()
        start = time.perf_counter()
        work()
        spent = time.perf_counter() - start
        print(f"  {name} {what:8} {spent * 1000:8,.0f} ms   {spent:6.2f} × the limit of 1 s", flush=True)


if __name__ == "__main__":
    main()
