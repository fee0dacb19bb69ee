"""What `hinomi hunt` costs before it has read much: whole processes over one event, over the attack samples as JSON lines, and
over the same as EVTX, one core, with the compiled rules kept from an earlier start.

In turn, by processor time, the least and the median of some rounds: this tree, an earlier one where HINOMI_BEFORE names its
folder, and rsigma where it is installed (see `benchmarks.rival`; it reads no EVTX).
"""

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import rival
from benchmarks._corpora import corpus
from benchmarks._rusage import Cost, run, trees

ROUNDS = int(os.environ.get("HINOMI_START_ROUNDS", "5"))
HUNT = [
    sys.executable,
    "-P",
    "-m",
    "ops.cli",
    "hunt",
    "--rules",
    str(rival.RULES),
    "--jsonl",
    "--workers",
    "1",
]
THEIRS = [
    str(rival.RSIGMA),
    "--output-format",
    "ndjson",
    "engine",
    "eval",
    "-r",
    str(rival.RULES),
    "-q",
    "--logsource-routing",
]
AIM = 0.5
"""Seconds of processor from the command to the first signal."""


def main() -> None:
    """Print each over each input."""
    with tempfile.TemporaryDirectory() as folder:
        one, samples = Path(folder) / "one.jsonl", Path(folder) / "samples.jsonl"
        rival.COPIES = 1
        rival._write(one, samples)
        for tree in trees().values():
            run([*HUNT, str(one)], tree=tree)  # the compiled rules are kept from here on, as in service
        start = _compare("one event", one)
        print(f"to the first signal: {start / AIM:.2f} times the aim of {AIM} s")
        _compare("samples as lines", samples)
        _compare("samples as EVTX", corpus("evtx"))


def _compare(name: str, what: Path) -> float:
    """Each in turn; the least of this tree."""
    costs: dict[str, list[Cost]] = {}
    for _ in range(ROUNDS):
        for kind, tree in trees().items():
            costs.setdefault(kind, []).append(run([*HUNT, str(what)], tree=tree))
        if what.is_file() and rival.RSIGMA.exists():
            costs.setdefault("rsigma", []).append(run([*THEIRS, "-e", f"@{what}"]))
    for kind, each in costs.items():
        spent = [cost.cpu for cost in each]
        print(
            f"{name:16} {kind:7} least {min(spent):.2f} s, median {median(spent):.2f} s of processor, "
            f"{max(cost.memory for cost in each):.0f} MiB",
            flush=True,
        )
    return min(cost.cpu for cost in costs["hinomi"])


if __name__ == "__main__":
    main()
