"""`hinomi hunt` beside Hayabusa and Zircolite over the folder of attack samples: whole processes, in turn, three rounds.

Each with the rules that it comes with: ours the SigmaHQ collection as it is, Hayabusa its converted copy (`rules/sigma`), Zircolite
`rules/rules_windows_generic.json`. HINOMI_HAYABUSA: the program, which has its rules beside it; HINOMI_ZIRCOLITE: its folder,
HINOMI_ZIRCOLITE_PYTHON: a Python that has what it needs. What is not named is left out.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._corpora import corpus

ROUNDS = 3
_OURS = Path(__file__).parents[1]
Run = tuple[list[str], Path]
"""A command and where it runs."""


def main() -> None:
    """Print each round of each tool."""
    with tempfile.TemporaryDirectory() as folder:
        tools = dict(_tools(Path(folder)))
        _seconds(tools["hinomi"])  # the compiled rules are kept from here on, as in service
        for number in range(ROUNDS):
            for name, run in tools.items():
                clock, processor = _seconds(run)
                load = os.getloadavg()[0]
                print(
                    f"round {number + 1}, {name:10} clock {clock:6.2f} s, processor {processor:6.2f} s (load {load:.1f})",
                    flush=True,
                )


def _tools(folder: Path) -> Iterator[tuple[str, Run]]:
    events = str(corpus("evtx"))
    hunt = ["-m", "ops.cli", "hunt", "--jsonl", "--rules", str(corpus("sigma")), events]
    yield "hinomi", ([sys.executable, *hunt], _OURS)
    if program := os.environ.get("HINOMI_HAYABUSA"):
        said = ["dfir-timeline", "-w", "-q", "-N", "-K", "-C", "-Q", "-t", "jsonl", "-d", events]
        where = ["-o", str(folder / "hayabusa.jsonl"), "-r", "rules/sigma", "-c", "rules/config"]
        yield "hayabusa", ([program, *said, *where], Path(program).parents[2])
    if home := os.environ.get("HINOMI_ZIRCOLITE"):
        python = os.environ.get("HINOMI_ZIRCOLITE_PYTHON", sys.executable)
        said = ["zircolite.py", "-q", "-e", events, "-r", "rules/rules_windows_generic.json"]
        where = ["-o", str(folder / "zircolite.json"), "-l", str(folder / "zircolite.log")]
        yield "zircolite", ([python, *said, *where], Path(home))


def _seconds(run: Run) -> tuple[float, float]:
    """By the clock, and of processor in the process and those that it waited for."""
    command, folder = run
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
