"""p95 of the console's pages with 10 million events and 100,000 alerts in the embedded store, 20 users at once.

usage: python -m benchmarks.console [--events 10000000] [--alerts 100000] [--users 20] [--rounds 5]
       [--processes 1] [--folder KEPT]

The console runs as it does in a city: `console.processes` of them (uvicorn) on one port, asked over HTTP. Two ways of
asking: *burst*, all 20 in the same moment, again and again, and *shift*, 20 people at work who look at a page for some
seconds before the next. Targets of issue 8: queue and incident < 300 ms, search < 1.5 s, dashboards < 2 s. The first call
of each page (cold caches) is printed apart, and the processor seconds of a call, which do not depend on neighbours.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.console.filling import RuleName, Size, fill
from benchmarks.console.load import PAGES, Crowd, p95
from dashboards.console.rulebook import Rulebook
from ops.folders import cache_folder, packs_folder
from tests.dashboards.city import seeded_city
from tests.dashboards.session import cookie_of


def main(arguments: list[str] | None = None) -> None:
    """Fill a store (or use the kept one), ask, print; exit 1 where a page misses its target at work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=1, help="as console.processes of the configuration")
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--pause", type=float, default=5, help="seconds that a person looks at a page")
    parser.add_argument("--folder", type=Path, help="keep the filled store here, and use it if it is there")
    chosen = parser.parse_args(arguments)
    size = Size(chosen.events, chosen.alerts)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        if not (folder / "records.sqlite").exists():
            _fill(folder, size)
        sys.exit(_measured(folder, size, chosen))


def _fill(folder: Path, size: Size) -> None:
    start = time.perf_counter()
    city = seeded_city(folder)
    fill(city, folder, size, _rules())
    city.events.close()
    city.records.close()
    print(f"filled in {time.perf_counter() - start:.0f} s", flush=True)


def _rules() -> list[RuleName]:
    rules = Rulebook([packs_folder()], cache_folder()).rules.rules
    return [(one.id, one.name or one.id, one.title) for one in rules if one.unsupported is None]


def _measured(folder: Path, size: Size, chosen: argparse.Namespace) -> int:
    print(
        f"{size.events:,} events, {size.alerts:,} alerts, {size.incidents:,} incidents, {chosen.users} users,"
        f" {chosen.processes} console processes"
    )
    missed = 0
    with _served(folder, chosen.processes) as (address, processes):
        crowd = Crowd(address, cookie_of(folder), chosen.users, size.incidents, processes)
        for page, (_, target) in PAGES.items():
            cold = crowd.first(page)
            alone, cpu = crowd.burst(page, 5, users=1)
            together, _ = crowd.burst(page, chosen.rounds)
            print(
                f"burst {page:16} cold {cold:6.3f}  p95 of one {p95(alone):6.3f}  p95 of all {p95(together):6.3f} s"
                f"  processor {cpu:6.3f} s a call  target {target} s",
                flush=True,
            )
        for page, seconds in crowd.shift(chosen.seconds, chosen.pause).items():
            if seconds:
                late = p95(seconds) > PAGES[page][1]
                missed += late
                print(
                    f"shift {page:16} p95 {p95(seconds):6.3f} s of {len(seconds):4} calls, slowest"
                    f" {max(seconds):6.3f}  target {PAGES[page][1]} s {'MISSED' if late else 'met'}"
                )
    return 1 if missed else 0


@contextmanager
def _served(folder: Path, processes: int) -> Iterator[tuple[str, list[int]]]:
    """(address, process ids) of the consoles over the folder."""
    with socket.socket() as held, ExitStack() as stack:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))  # not listening: it only keeps the port for the consoles
        port = str(held.getsockname()[1])
        made = [stack.enter_context(_console(folder, port)) for _ in range(processes)]
        told = [one.stdout.readline().strip() for one in made if one.stdout]
        yield told[0], [one.pid for one in made]


@contextmanager
def _console(folder: Path, port: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "benchmarks.console.serving", str(folder), port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()
            process.wait(30)
