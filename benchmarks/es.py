"""The whole path into Elasticsearch against the client alone: FortiGate syslog, received, parsed, matched, written.

Limit: the events/s of the whole path (receive → spool → parse → enrich → mask → rules → bulk) must be at least 0.8 of
those of the Elasticsearch client that sends the same documents as ready-made NDJSON to the same node in the same run,
where Elasticsearch is the limit. So the node is bound to one processor and whoever sends to the other, as on machines of
their own: on shared processors, what the sender needs is missing to the node, whatever it does. As in the tower, the
intake is a process of its own that writes the spool while the worker reads it; both share the sender's processor. Both
stand ready when the clock starts, as in the tower, and as the client does: what starting takes is no part of the path. The
client sends with the gzip level and over the connections that the whole path ended up with, so that the two differ only
in what comes before. Who begins changes from round to round; the median ratio counts. Where neighbours use the same
processors, the ratio by processor time is the one to look at: what the node spends on an event that the client sends alone,
against what it spends on one of the whole path.

A node compiles its own code as it runs, for minutes, and the slower side has it compile the longer: while it took its first
100,000 events that was a third to two fifths of its processor time, and about half of what the whole path seemed to cost
it beyond the client's share (benchmarks/results/2026-11-29-es-warm.txt). So the same documents are sent before the first round
until an event costs the node no less than before, and what compiling still took is told and left out of the ratio by processor.

usage: python -m benchmarks es [events] — a node of its own is started and stopped.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from hinomi.batch import Batch
    from hinomi.store.elastic.bulk import Item
    from hinomi.store.elastic.events import ElasticEvents
    from hinomi.store.elastic.pace import Pace
    from ops.elastic.cluster import Cluster
    from ops.roles.worker import Lane, Worker
    from ops.watch import LiveRules

EVENTS = int(os.environ.get("HINOMI_ES_EVENTS", "40000"))
ROUNDS = int(os.environ.get("HINOMI_ES_ROUNDS", "3"))
AIM = 0.8
_LONGEST = 300
_WARMING, _SETTLED = 6, 0.93
"""So often at most the client sends before the first round; nearer to the time before than that, the node is warm."""


def main() -> None:
    """Measure in a process of its own, so that Polars has as many threads as a worker has."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, "-m", "benchmarks.es", "measure"], env=environment, check=True)


def measure() -> None:
    """On a node of its own."""
    from benchmarks._node import on_a_node

    on_a_node(_rounds)


def _rounds(there: "Cluster") -> None:
    _apart(there)
    rules = _rules()
    sides = _Sides(there, rules)
    sides.warm()
    ratios, spent = [], []
    for number in range(1, ROUNDS + 1):
        first, second = (sides.whole, sides.alone) if number % 2 else (sides.alone, sides.whole)
        found = {done.side: done for done in (first(number), second(number))}
        whole, alone = found["whole"], found["alone"]
        sides.clear()
        ratios.append(alone.seconds / whole.seconds)
        spent.append((whole, alone))
        told = (
            f"whole path {EVENTS / whole.seconds:8,.0f} events/s, client alone {EVENTS / alone.seconds:8,.0f}"
        )
        print(f"round {number}: {told}, ratio {ratios[-1]:.2f}", flush=True)
    ratio = statistics.median(ratios)
    print(f"ratio           {ratio:6.2f}   {ratio / AIM:5.2f} × the {AIM} aimed at")
    _say_processor(spent)


def _say_processor(spent: "list[tuple[_Done, _Done]]") -> None:
    def median(of: "Callable[[_Done, _Done], float]") -> float:
        return statistics.median(of(*pair) for pair in spent)

    node, ours, only = (
        median(of) * 1e6 / EVENTS
        for of in (lambda whole, _: whole.node, lambda whole, _: whole.ours, lambda _, alone: alone.node)
    )
    beside, there = (
        median(of) * 1e6 / EVENTS
        for of in (lambda whole, _: whole.compiling, lambda _, alone: alone.compiling)
    )
    print(f"processor time an event: Elasticsearch {node:,.0f} µs, our whole path {ours:,.0f} µs;", end=" ")
    print(
        f"Elasticsearch fed by the client alone {only:,.0f} µs; compiling itself beside {beside:,.0f} and {there:,.0f} µs"
    )
    print(f"Elasticsearch is the limit (it spends more than we do): {node > ours}")
    ratio = median(lambda whole, alone: alone.node / whole.node)
    print(
        f"ratio by processor {ratio:4.2f}   what the node can take of the whole path, were it alone on its own"
    )


def _apart(there: "Cluster") -> None:
    """The node on one processor, this process on another, where there are two."""
    first, *others = sorted(os.sched_getaffinity(0))
    process = there.nodes[0].process
    if not others or process is None:
        print("(one processor for both: the node is not the limit by itself)")
        return
    for pid in _group(process.pid):
        for task in Path(f"/proc/{pid}/task").glob("*"):
            os.sched_setaffinity(int(task.name), {first})
    for task in Path("/proc/self/task").glob("*"):
        os.sched_setaffinity(int(task.name), {others[0]})
    print(f"the node on processor {first}, whoever sends on {others[0]}", flush=True)


def _rules() -> "LiveRules":
    """Every rule, compiled before anything is timed."""
    from benchmarks.pipeline import _pipeline

    with tempfile.TemporaryDirectory() as folder:
        rules = _pipeline(Path(folder)).rules
        print(f"rules in force {len(rules().rules):,}", flush=True)
    return rules  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Done:
    """What one side took for all events: seconds by the clock, of the node's processor without and with its compiling alone,
    and of ours."""

    side: str
    seconds: float
    node: float
    compiling: float
    ours: float


class _Sides:
    """The whole path and the client alone, into indices of their own for each round."""

    def __init__(self, there: "Cluster", rules: "LiveRules") -> None:
        from elasticsearch import Elasticsearch

        from hinomi.store.elastic.connection import QuickGzipNode

        self.rules = rules
        self.client = Elasticsearch(
            there.hosts(),
            ca_certs=str(there.ca),
            basic_auth=(there.administrator.name, there.administrator.password),
            request_timeout=120,
            max_retries=0,
            http_compress=True,
            node_class=QuickGzipNode,
        )
        server = there.nodes[0].process
        assert server is not None
        self.node = server.pid
        self.items: list[Item] = []
        self.pace: Pace | None = None

    def warm(self) -> None:
        """Until an event costs the node no less than the time before."""
        self.whole(0)
        before, now = self.alone(0), self.alone(100)
        for number in range(101, 101 + _WARMING):
            if now.node + now.compiling > _SETTLED * (before.node + before.compiling):
                break
            before, now = now, self.alone(number)
        self.clear()
        whole = now.node + now.compiling
        print(
            f"warm: {whole * 1e6 / EVENTS:,.0f} µs an event, compiling {now.compiling / whole:.0%}",
            flush=True,
        )

    def whole(self, number: int) -> _Done:
        """The whole path. What it stored is what the client sends in later rounds."""
        events = self._prepared(f"whole{number}")
        with tempfile.TemporaryDirectory() as folder:
            worker = _Worker.of(Path(folder), events, self.rules)
            with _intake(Path(folder)) as begin:
                start, ours, node, compiling = (
                    time.perf_counter(),
                    _own() + begin(),
                    _cpu(self.node),
                    _compiling(self.node),
                )
                worker.run()
                spent, node = time.perf_counter() - start, _cpu(self.node) - node
                compiling = _compiling(self.node) - compiling
            ours = _own() - ours
        events.refresh()
        stored = events.count(datasets=["fortinet.fortigate"])
        if stored != EVENTS:
            raise SystemExit(f"{EVENTS:,} sent, {stored:,} stored")
        self.items, self.pace = worker.sent.items(), events.pace
        return _Done("whole", spent, node - compiling, compiling, ours)

    def alone(self, number: int) -> _Done:
        """The client alone, with the same documents."""
        self._prepared(f"alone{number}")
        items = [
            item._replace(place=item.place.replace("-alone-", f"-alone{number}-")) for item in self.items
        ]
        assert self.pace is not None
        node, compiling = _cpu(self.node), _compiling(self.node)
        seconds = _alone(self.client, items, self.pace)
        node, compiling = _cpu(self.node) - node, _compiling(self.node) - compiling
        return _Done("alone", seconds, node - compiling, compiling, 0.0)

    def _prepared(self, namespace: str) -> "ElasticEvents":
        from hinomi.store.elastic.events import ElasticEvents

        events = ElasticEvents(self.client, namespace)
        events.prepare(replicas=0)
        return events

    def clear(self) -> None:
        """Delete what was stored."""
        for name in self.client.indices.get(index="logs-*-whole*-*,logs-*-alone*-*", filter_path="*.aliases"):
            self.client.indices.delete(index=name)


@contextmanager
def _intake(place: Path) -> Iterator[Callable[[], float]]:
    """The intake, listening, and whoever sends to it, the lines at hand. What is given lets them begin, and says the processor
    seconds that they have taken so far."""
    (place / "spool" / "lane-0").mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.es", "receive", str(place), str(EVENTS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        begin, ready = process.stdin, process.stdout.readline()

        def begun() -> float:
            begin.close()
            return float(ready)

        try:
            yield begun
            if process.wait(60):
                raise SystemExit("the intake failed")
        finally:
            process.kill()


def receive(place: Path, events: int) -> None:
    """What `_intake` runs."""
    from benchmarks import pipeline

    def ready() -> None:
        print(_own(), flush=True)
        sys.stdin.read()

    pipeline.EVENTS = events
    asyncio.run(pipeline._receive(place, ready))


def _own() -> float:
    """Processor seconds of this process and those that it started and that ended."""
    return sum(os.times()[:4])


@dataclass
class Sent:
    """The store, which remembers what it was given."""

    events: "ElasticEvents"
    batches: "list[Batch]" = field(default_factory=list)

    def append(self, batches: "Sequence[Batch]", **more: Any) -> Any:
        """As the store's."""
        self.batches += batches
        return self.events.append(batches, **more)

    def items(self) -> "list[Item]":
        """The documents, ready made."""
        from hinomi.store.elastic import documents

        return [item for batch in self.batches for item in documents.items(batch, "alone")]


@dataclass
class _Worker:
    """A worker of the tower with one lane of the spool, its blocks as large as its own speed makes them; `sent` remembers the
    documents."""

    worker: "Worker"
    lane: "Lane"
    sent: Sent

    @classmethod
    def of(cls, place: Path, events: "ElasticEvents", rules: "LiveRules") -> "_Worker":
        """With everything loaded."""
        from benchmarks.pipeline import _pipeline
        from collectors.spool import Reader
        from hinomi.ledger import Ledger
        from ops.flow import Flow
        from ops.roles.worker import Lane, Worker

        pipeline, sent = _pipeline(place), Sent(events)
        pipeline.rules = rules
        pipeline.events = sent  # type: ignore[assignment]
        lane = Lane("lane-0", Reader(place / "spool" / "lane-0", Ledger()), Flow(pipeline), None, None)
        return cls(Worker(SimpleNamespace(clock=pipeline.clock)), lane, sent)  # type: ignore[arg-type]

    def run(self) -> None:
        """Turn after turn until all events are stored."""
        from ops.roles import worker

        end = time.monotonic() + _LONGEST
        while True:
            busy = self.worker._turn(self.lane)
            if (rows := self.lane.flow.rows) >= EVENTS:
                return
            if time.monotonic() > end:
                raise SystemExit(f"{rows:,} of {EVENTS:,} events after {_LONGEST} s")
            if not busy:
                time.sleep(worker._QUIET)


def _alone(client: "Elasticsearch", items: "Sequence[Item]", pace: "Pace") -> float:
    """Seconds in which the client sends ready-made NDJSON, in portions and over connections as the whole path did."""
    bodies, lines, size = [], [], 0
    for item in items:
        lines += [f'{{"create":{{"_index":"{item.place}","_id":"{item.id}"}}}}', item.body.decode()]
        size += len(item.body) + 100
        if size > pace.size:
            bodies.append("\n".join(lines).encode())
            lines, size = [], 0
    bodies.append("\n".join(lines).encode())
    start = time.perf_counter()
    with ThreadPoolExecutor(pace.connections) as pool:
        answers = list(pool.map(lambda body: client.bulk(operations=body, filter_path="errors"), bodies))  # type: ignore[arg-type]
    spent = time.perf_counter() - start
    if any(answer["errors"] for answer in answers):
        raise SystemExit("the client alone met errors")
    return spent


def _cpu(group: int) -> float:
    """Processor seconds of a process group so far."""
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in _group(group).values())
    return ticks / os.sysconf("SC_CLK_TCK")


def _compiling(group: int) -> float:
    """Processor seconds that the Java machines of a process group took so far to compile what they run, by their threads
    (those that have ended are not told of)."""
    ticks = 0
    for pid in _group(group):
        for path in Path(f"/proc/{pid}/task").glob("*/stat"):
            try:
                name, _, rest = path.read_text().rpartition(")")
            except OSError:
                continue
            if name.partition("(")[2].startswith(("C1 Compiler", "C2 Compiler")):
                ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _group(group: int) -> dict[int, list[str]]:
    """Processes of a group, with what /proc/…/stat says behind their names."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found[int(path.parent.name)] = fields
    return found


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure"]:
            measure()
        case ["receive", place, events]:
            receive(Path(place), int(events))
        case _:
            main()
