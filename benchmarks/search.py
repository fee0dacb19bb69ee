"""Searching millions of events, in either store: a page by fields, the newest page, the page behind it, free text, a
histogram split by a field.

Limit: each within one second. Each is done three times and the slower of the last two counts (the first reads files that
a tower at work has read). Beside the clock on the wall, which neighbours on the same processors slow down, stands what
this process spent on the processor: over two of them, an idle machine needs about half of that. 200,000 events in the
short form; the whole takes a quarter of an hour for Elasticsearch:

usage: HINOMI_SEARCH_EVENTS=5000000 python -m benchmarks search
       HINOMI_SEARCH_EVENTS=5000000 HINOMI_SEARCH_ELASTIC=1000000 python -m benchmarks search     (fewer in Elasticsearch)
"""

import os
import signal
import sys
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
from hinomi.store.elastic.settings import ElasticSettings
from hinomi.store.embedded import ParquetEvents
from ops.elastic.cluster import Cluster

EVENTS = int(os.environ.get("HINOMI_SEARCH_EVENTS", "200000"))
ELASTIC = int(os.environ.get("HINOMI_SEARCH_ELASTIC", str(EVENTS)))
LIMIT = 1.0


def main() -> None:
    """Fill and search the one, then the other."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the node ends with us
    with tempfile.TemporaryDirectory() as folder:
        events = ParquetEvents(Path(folder) / "events")
        _fill(events, EVENTS, "embedded")
        events.compact()
        search("embedded", events, EVENTS)
        events.close()
    if ELASTIC:
        on_a_node(_in_elasticsearch)


def _in_elasticsearch(there: Cluster) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = ElasticSettings.model_validate({**there.reached(Path(folder)), "replicas": 0})
        events = ElasticEvents(connect(settings), patience=300)
        events.prepare(replicas=0)
        _fill(events, ELASTIC, "elasticsearch")
        events.refresh()
        search("elasticsearch", events, ELASTIC)
        events.close()


def _fill(events: Events, number: int, name: str) -> None:
    start = time.perf_counter()
    for n in range(number // BATCH):
        events.append([_batch(n)])
    spent = time.perf_counter() - start
    print(f"{name}: {number:,} events in {spent:,.0f} s, {number / spent:,.0f} a second", flush=True)


def search(name: str, events: Events, number: int) -> None:
    """Print what each kind of question takes."""
    span = Span(START, START + timedelta(milliseconds=100 * number))
    behind = events.search("", span=span).after
    works: dict[str, Callable[[], object]] = {
        "page by fields": lambda: events.search("user.name: user077 and destination.port: 443", span=span),
        "newest page": lambda: events.search("", span=span),
        "page behind it": lambda: events.search("", span=span, after=behind),
        "free text": lambda: events.search('"sessionid=4242"', span=span),
        "free text, a word": lambda: events.search('"powershell"', span=span),
        "free text, rare": lambda: events.search('"10.30.9.77 sessionid=4242"', span=span),
        "histogram": lambda: events.histogram("", span=span, interval=timedelta(hours=2), by="event.action"),
    }
    for what, work in works.items():
        spent, busy = max([_timed(work) for _ in range(3)][1:])
        told = f"{spent * 1000:8,.0f} ms   {spent / LIMIT:6.2f} × the limit of 1 s"
        print(f"  {name} {what:18} {told}   processor {busy:6.2f} s", flush=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


if __name__ == "__main__":
    main()
