"""What is done to an event between the pipeline and the wire to Elasticsearch, by processor time: FortiGate events of 36
fields as documents, as the lines of a request, compressed. No server is needed. Each is the quickest of three.

No limit: `benchmarks es` measures the whole path; this tells which part of its own side to look at.

usage: python -m benchmarks documents
"""

import gzip
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from elasticsearch.serializer import NdjsonSerializer

from benchmarks import pipeline
from benchmarks._fortigate_lines import lines
from benchmarks.size import _intake
from hinomi.batch import Batch
from hinomi.store.elastic import bulk, documents
from rules import engine

EVENTS, PORTION = 10_000, 2 << 20
_T = TypeVar("_T")


def main() -> None:
    """Print microseconds of processor an event for each part."""
    batches = _batches()
    made = _timed("documents", lambda: _documents(batches))
    given = _timed("lines of the request", lambda: bulk._lines(made))
    body = _timed("what the client does with them", lambda: NdjsonSerializer().dumps(given))
    parts = [body[start : start + PORTION] for start in range(0, len(body), PORTION)]
    packed = _timed("gzip, level 1", lambda: [gzip.compress(one, 1) for one in parts])
    print(f"a document {len(body) / EVENTS:,.0f} bytes, packed {sum(map(len, packed)) / EVENTS:,.0f}")


def _batches() -> Sequence[Batch]:
    with tempfile.TemporaryDirectory() as folder:
        work = pipeline._pipeline(Path(folder))
        none = engine.load([])
        work.rules = lambda: none  # type: ignore[assignment]
        return work.prepare(_intake(list(lines(EVENTS)), 0)).batches


def _documents(batches: Sequence[Batch]) -> list[bulk.Item]:
    return [item for batch in batches for item in documents.items(batch, "default")]


def _timed(name: str, work: Callable[[], _T]) -> _T:
    spent = []
    for _ in range(3):
        began = time.process_time()
        made = work()
        spent.append(time.process_time() - began)
    print(f"{name:32} {min(spent) / EVENTS * 1e6:6.1f} µs an event", flush=True)
    return made


if __name__ == "__main__":
    main()
