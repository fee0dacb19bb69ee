"""What a whole process costs: processor seconds (which neighbours change less than the clock) and memory."""

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Processor seconds, seconds on the clock, peak MiB."""

    cpu: float
    wall: float
    memory: float


def of_children() -> float:
    """Processor seconds of the processes that this one started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


TREE = Path(__file__).parents[1]


def trees() -> dict[str, Path]:
    """What is measured in turn: this tree, and before it an earlier one where HINOMI_BEFORE names its folder."""
    before = os.environ.get("HINOMI_BEFORE")
    return {**({"before": Path(before)} if before else {}), "hinomi": TREE}


def run(command: Sequence[str], *, cores: int = 1, tree: Path = TREE) -> Cost:
    """A process on one core (or all), with compiled modules kept as an installation keeps them; tree: whose modules."""
    allowed = ",".join(map(str, sorted(os.sched_getaffinity(0))[-cores:]))
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(Path.home() / ".cache" / "hinomi" / "bench-pycache")
    if cores == 1:
        environment["POLARS_MAX_THREADS"] = "1"
    start = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", allowed, *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return ended(process, command[0], start)


def ended(process: subprocess.Popen[bytes], what: str, start: float) -> Cost:
    """Of a process that began then (`time.perf_counter`), once it has ended, and of those that it waited for; one that failed ends the
    measurement. what: its name."""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{what} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)
