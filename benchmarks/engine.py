"""The Sigma engine: seconds to load, events/s matched, on one core (POLARS_MAX_THREADS=1 for a true one).

Windows: the attack-sample event logs, twenty times, with users, hosts, ids and command lines that differ
from copy to copy, against SigmaHQ's Windows rules: dense, about one event in ten is a signal. Firewall:
generated FortiGate traffic against all of SigmaHQ and 1,000 firewall rules. Limits for now: 50,000 Windows
and 200,000 firewall events/s a core, a warm start in about a second.
"""

import resource
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import yaml

from benchmarks._corpora import corpus
from benchmarks._fortigate_lines import lines
from benchmarks._windows_events import batches, replicated
from collectors.sources.fortinet_fortigate import source
from hinomi.batch import Batch
from hinomi.identity import position_ids
from rules.engine import RuleSet, load

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FIREWALL_RULES, BATCH, FIREWALL_EVENTS = 1_000, 10_000, 100_000


def main() -> None:
    """Print what loading and matching cost."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        windows = _loading([corpus("sigma", "rules", "windows")], cache, "SigmaHQ Windows rules")
        logs = batches(corpus("evtx"))
        _matching(windows, logs, "Windows, as recorded in small batches")
        _matching(windows, replicated(logs, 20, varied=False), "Windows, repeated 20 times")
        _matching(windows, replicated(logs, 20, varied=True), "Windows, repeated and varied")
        _latency(windows, logs)
        own = _firewall_rules(Path(folder) / "firewall")
        whole = _loading([corpus("sigma"), own], cache, "all of SigmaHQ and 1,000 firewall rules")
        _matching(whole, _firewall_events(), "FortiGate traffic")
        _latency(whole, logs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory: {peak:.0f} MB")


def _loading(paths: Sequence[Path], cache: Path, what: str) -> RuleSet:
    start = time.perf_counter()
    load(paths, cache=cache)
    cold = time.perf_counter()
    rules = load(paths, cache=cache)
    warm = time.perf_counter() - cold
    print(f"load {what}: {len(rules.rules)} rules, cold {cold - start:.1f} s, warm {warm:.2f} s")
    return rules


def _matching(rules: RuleSet, given: list[Batch], what: str) -> None:
    events = sum(map(len, given))
    hits = sum(len(rules.match(batch)) for batch in given)  # databases are read in when first needed
    best = min(_seconds(rules, given) for _ in range(3))
    print(f"{what}: {events} events in {len(given)} batches, {hits} hits: {events / best:,.0f} events/s")


def _seconds(rules: RuleSet, given: list[Batch]) -> float:
    start = time.perf_counter()
    for batch in given:
        rules.match(batch)
    return time.perf_counter() - start


def _latency(rules: RuleSet, given: list[Batch]) -> None:
    """Every kind of event alone, the best of three each, by processor time."""
    single = [Batch(batch.dataset, batch.frame[:1]) for batch in given]
    _seconds(rules, single)  # databases and plans are made when first needed
    took = sorted(min(_processor(rules, batch) for _ in range(3)) * 1000 for batch in single)
    middle, most = took[len(took) // 2], took[len(took) * 95 // 100]
    print(
        f"batch of one event, {len(rules.rules):,} rules, {len(took)} kinds: median {middle:.1f} ms of processor, "
        f"95 % {most:.1f} ms, worst {took[-1]:.1f} ms"
    )


def _processor(rules: RuleSet, batch: Batch) -> float:
    start = time.process_time()
    rules.match(batch)
    return time.process_time() - start


def _firewall_rules(folder: Path) -> Path:
    """Rules as people write them for a firewall: an address, a port, a user, a network."""
    folder.mkdir()
    for number in range(FIREWALL_RULES):
        low, high = number % 250, number // 250
        selection = [
            {"destination.ip": f"198.51.{high}.{low}", "event.action": "deny"},
            {"destination.ip|cidr": f"203.0.{low}.0/24", "destination.port": 1000 + number},
            {"user.name|startswith": f"admin{number}", "source.bytes|gt": 1_000_000},
            {"url.domain|endswith": f".bad{number}.example.jp", "destination.port": [80, 443]},
        ][number % 4]
        rule = {
            "title": f"Firewall rule {number}",
            "logsource": {"product": "hinomi", "service": source.name},
            "detection": {"sel": selection, "condition": "sel"},
        }
        (folder / f"firewall_{number:04}.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    return folder


def _firewall_events() -> list[Batch]:
    messages = [line.decode() for line in lines(FIREWALL_EVENTS)]
    intake = pl.DataFrame({"message": messages}).select(
        pl.row_index("row"),
        "message",
        pl.lit(NOW).cast(pl.Datetime("ns", "UTC")).alias("received"),
        pl.lit("10.0.0.1").alias("peer"),
    )
    found: list[Batch] = []
    for start in range(0, intake.height, BATCH):
        for frame in source.parse(intake[start : start + BATCH]).frames:
            whole = frame.with_columns(
                position_ids("line", frame.get_column("row")),
                intake.get_column("message").gather(frame.get_column("row")).alias("event.original"),
            )
            found.append(Batch.of(source.name, whole.drop("row"), ingested=NOW))
    return found


if __name__ == "__main__":
    main()
