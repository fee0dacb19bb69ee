"""`hinomi hunt` as a whole process, start included: one worker, two, and its own choice, side by side in one run.

Over the folder of attack samples (EVTX), a short file of Windows JSON lines and a large one, made of the samples in a temporary
folder (500 MiB; HINOMI_HUNT_COPIES: how often each sample is in it; HINOMI_HUNT_FOLDER: where). Besides the clock, which neighbours on
the machine disturb, it prints processor seconds of all processes, and those of the longest chain: the hunt's own and its
busiest worker's, which is what the clock shows where the cores are free.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks import rival
from benchmarks._corpora import corpus
from benchmarks._rusage import ended

SHORT = 9
LARGE = int(os.environ.get("HINOMI_HUNT_COPIES", "150"))
KINDS = {"one worker": ["--workers", "1"], "two": ["--workers", "2"], "its own choice": []}
_TICK = os.sysconf("SC_CLK_TCK")


class Chain(NamedTuple):
    """Seconds on the clock, of processor in all, and of the longest chain of it; how many workers there were."""

    wall: float
    cpu: float
    longest: float
    workers: int


def main() -> None:
    """Print each kind over each input."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("HINOMI_HUNT_FOLDER")) as folder:
        one, short, large = (Path(folder) / name for name in ("one.jsonl", "short.jsonl", "large.jsonl"))
        _write(one, short, SHORT)
        _run(["--jsonl", str(one)])  # the compiled rules are kept from here on, as in service
        _compare(corpus("evtx"), rounds=3)
        _compare(short, rounds=3)
        short.unlink()
        _write(one, large, LARGE)
        _compare(large, rounds=1)


def _write(one: Path, many: Path, copies: int) -> None:
    rival.COPIES = copies
    rival._write(one, many)


def _compare(what: Path, *, rounds: int) -> None:
    """Each kind in turn, the best of some rounds."""
    found: dict[str, list[Chain]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind, said in KINDS.items():
            found[kind].append(_run(["--jsonl", *said, str(what)]))
    size = sum(path.stat().st_size for path in ([what] if what.is_file() else what.rglob("*.evtx")))
    first = [min(kind) for kind in zip(*found["one worker"], strict=True)]
    for kind, chains in found.items():
        wall, cpu, longest, workers = (min(values) for values in zip(*chains, strict=True))
        print(
            f"{what.name} ({size / 2**20:,.0f} MiB), {kind:14} ({workers or 'no'} more processes): "
            f"clock {wall:6.2f} s ({first[0] / wall:.2f} times as fast), processor {cpu:6.2f} s, "
            f"longest chain {longest:6.2f} s ({first[2] / longest:.2f} times as fast)",
            flush=True,
        )


def _run(said: list[str]) -> Chain:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(Path.home() / ".cache" / "hinomi" / "bench-pycache")
    argv = [sys.executable, "-m", "ops.cli", "hunt", "--rules", str(rival.RULES), *said]
    start = time.perf_counter()
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    workers: dict[int, float] = {}
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        for child in _children(process.pid):
            workers[child] = max(workers.get(child, 0.0), _spent(child))
        time.sleep(0.01)
    cpu, wall, _ = ended(process, "hinomi hunt", start)  # its workers are waited for: theirs is in it
    spent = list(workers.values())
    return Chain(wall, cpu, cpu - sum(spent) + max(spent, default=0.0), len(spent))


def _children(pid: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))
    except OSError:
        return []


def _spent(pid: int) -> float:
    """Processor seconds so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


if __name__ == "__main__":
    main()
