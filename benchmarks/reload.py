"""One changed rule among all public ones: seconds until it is live, and what the small databases beside cost.

A process holds the rules and has matched every kind of event; one rule's file is written anew, the rules are loaded,
and the next batch raises the changed rule's signal. Aim: 2 s. Then sixty rules are changed at once, so that many columns have
a small database beside the large one, and matching is compared with a set compiled at once. Also cold and warm loading.
"""

import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml

from benchmarks._corpora import corpus
from benchmarks._windows_events import batches, replicated
from hinomi.batch import Batch
from rules.engine import RuleSet, load, rule_files

LIVE, COLD, WARM = 2.0, 15.0, 1.0
"""Aims, in seconds."""
Made = TypeVar("Made")
CHANGES, MANY, TIMES, ROUNDS = 7, 60, 4, 5


def main() -> None:
    """Print processor seconds, and the ratio to each aim."""
    given = replicated(batches(corpus("evtx")), TIMES, varied=True)
    with tempfile.TemporaryDirectory() as folder:
        rules, cache = Path(folder) / "rules", Path(folder) / "cache"
        shutil.copytree(corpus("sigma", "rules"), rules)
        _, cold = _timed(lambda: load([rules], cache=cache))
        live, warm = _timed(lambda: load([rules], cache=cache))
        for what, took, aim in (("cold", cold, COLD), ("warm", warm, WARM)):
            print(
                f"{len(live.rules):,} rules, {what}: {took:.2f} s of processor, {took / aim:.2f} of the aim of {aim:.0f} s"
            )
        _match(live, given)
        _one_changed(live, rules, cache, given)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory so far, {sum(map(len, given)):,} events held: {peak:.0f} MiB")
        _many_changed(rules, cache, given)


def _one_changed(live: RuleSet, rules: Path, cache: Path, given: list[Batch]) -> None:
    process = max(given, key=lambda batch: _holds(batch, "winlog.event_data.CommandLine"))
    paths = [path for path in rule_files([rules]) if path.name.startswith("proc_creation_win_")]
    took: list[float] = []
    for number in range(CHANGES):
        path = paths[number * len(paths) // CHANGES]
        identity = _change(path, f"changed {number}", {"Image|contains": "\\"})
        start = time.process_time()
        live = load([rules], cache=cache)
        hits = live.match(process).hits
        took.append(time.process_time() - start)
        if identity not in {rule.id for rule, _ in hits}:
            raise SystemExit(f"{path.name}: the changed rule raised nothing")
    worst, middle = max(took), statistics.median(took)
    print(
        f"one changed rule live, its signal raised: median {middle:.2f}, worst {worst:.2f} s of processor,",
        end=" ",
    )
    print(f"{worst / LIVE:.2f} of the aim of {LIVE:.0f} s")


def _holds(batch: Batch, column: str) -> int:
    return batch.frame[column].count() if column in batch.frame.columns else 0


def _change(path: Path, text: str, also: dict[str, str]) -> str:
    rule = yaml.safe_load(path.read_bytes())
    rule["detection"] = {"one": {"CommandLine|contains": text}, "two": also, "condition": "1 of them"}
    path.write_text(yaml.safe_dump(rule), encoding="utf-8")
    return str(rule["id"])


def _many_changed(rules: Path, cache: Path, given: list[Batch]) -> None:
    """Whether the small databases make matching slower."""
    paths = rule_files([rules])
    for path in paths[:: len(paths) // MANY]:
        document = yaml.safe_load(path.read_bytes())
        _rename(document.get("detection", {}))
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
    beside, took = _timed(lambda: load([rules], cache=cache))
    whole = load([rules])
    pairs = [
        (_timed(lambda: _match(beside, given))[1], _timed(lambda: _match(whole, given))[1])
        for _ in range(ROUNDS + 1)
    ]
    ratio = statistics.median(one / other for one, other in pairs[1:])
    print(
        f"{MANY} changed at once: loaded in {took:.2f} s of processor; matching takes {ratio:.3f} of what a set compiled at once takes"
    )


def _rename(part: object) -> None:
    """Every plain text of the searches with something behind it, so that its atoms are new."""
    if isinstance(part, dict):
        for name, value in part.items():
            if isinstance(value, str) and len(value) > 5 and "re" not in str(name).split("|"):
                part[name] = value if name == "condition" else f"{value}q"
            elif isinstance(value, list):
                part[name] = [
                    f"{one}q" if isinstance(one, str) and "cidr" not in str(name) else one for one in value
                ]
            else:
                _rename(value)


def _match(rules: RuleSet, given: list[Batch]) -> None:
    for batch in given:
        rules.match(batch)


def _timed(work: Callable[[], Made]) -> tuple[Made, float]:
    start = time.process_time()
    made = work()
    return made, time.process_time() - start


if __name__ == "__main__":
    main()
