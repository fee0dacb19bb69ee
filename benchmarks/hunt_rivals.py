"""`hinomi hunt` beside Hayabusa and Zircolite over the folder of attack samples: whole processes, in turn, three rounds.

Each with the rules that it comes with: ours the SigmaHQ collection as it is, Hayabusa its converted copy (`rules/sigma`), Zircolite
`rules/rules_windows_generic.json`. HINOMI_HAYABUSA: the program, which has its rules beside it; HINOMI_ZIRCOLITE: its folder,
HINOMI_ZIRCOLITE_PYTHON: a Python that has what it needs. What is not named is left out. Each writes what it found into a file; how
much stands in it is printed, and a tool that found nothing ends the measurement: it was not doing the work.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks._corpora import corpus
from benchmarks._rusage import TREE, Cost, ended

ROUNDS = 3


class Tool(NamedTuple):
    """A command, where it runs, and the file that has what it found."""

    command: list[str]
    folder: Path
    found: Path


def main() -> None:
    """Print each round of each tool."""
    with tempfile.TemporaryDirectory() as folder:
        tools = dict(_tools(Path(folder)))
        _cost(tools["hinomi"])  # the compiled rules are kept from here on, as in service
        for number in range(ROUNDS):
            for name, tool in tools.items():
                cost = _cost(tool)
                load = os.getloadavg()[0]
                print(
                    f"round {number + 1}, {name:10} clock {cost.wall:6.2f} s, processor {cost.cpu:6.2f} s (load {load:.1f}), "
                    f"{_findings(tool.found)} findings",
                    flush=True,
                )


def _tools(folder: Path) -> Iterator[tuple[str, Tool]]:
    events = str(corpus("evtx"))
    hunt = ["-m", "ops.cli", "hunt", "--jsonl", "--rules", str(corpus("sigma")), events]
    yield "hinomi", Tool([sys.executable, *hunt], TREE, folder / "hinomi.jsonl")
    if program := os.environ.get("HINOMI_HAYABUSA"):
        found = folder / "hayabusa.jsonl"
        said = ["dfir-timeline", "-w", "-q", "-N", "-K", "-C", "-Q", "-t", "jsonl", "-d", events]
        where = ["-o", str(found), "-r", "rules/sigma", "-c", "rules/config"]
        yield "hayabusa", Tool([program, *said, *where], Path(program).parents[2], found)
    if home := os.environ.get("HINOMI_ZIRCOLITE"):
        found = folder / "zircolite.json"
        python = os.environ.get("HINOMI_ZIRCOLITE_PYTHON", sys.executable)
        said = ["zircolite.py", "-q", "-e", events, "-r", "rules/rules_windows_generic.json"]
        where = ["-o", str(found), "-l", str(folder / "zircolite.log")]
        yield "zircolite", Tool([python, *said, *where], Path(home), found)


def _cost(tool: Tool) -> Cost:
    """Of one run."""
    tool.found.unlink(missing_ok=True)
    with (tool.found.parent / "said").open("wb") as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            tool.command, cwd=tool.folder, stdout=said, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        cost = ended(process, tool.command[0], start)
    if not tool.found.exists():  # ours says it where the others write a file
        Path(said.name).rename(tool.found)
    return cost


def _findings(found: Path) -> int:
    """How many stand in a tool's file: one a line, or Zircolite's list of rules with their events."""
    text = found.read_text(encoding="utf-8")
    many = text.count("\n") if found.suffix == ".jsonl" else sum(rule["count"] for rule in json.loads(text))
    if not many:
        raise SystemExit(f"nothing measured: no findings in {found.name}")
    return many


if __name__ == "__main__":
    main()
