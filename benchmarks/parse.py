"""Raw lines to ECS frames: lines/s of each line source on one core, in batches of 10,000.

Polars is held to one thread, so the figure is a core's. The best of three runs counts: the machine is shared.
Aim: FortiGate at 40,000 lines/s of 36 keys.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

LINES, BATCH, RUNS = 40_000, 10_000, 3


def main() -> None:
    """Run in a process of its own: the number of threads is fixed when Polars is first imported."""
    subprocess.run([sys.executable, "-m", "benchmarks.parse"], check=True, env=_one_thread())


def _one_thread() -> dict[str, str]:
    return {**os.environ, "POLARS_MAX_THREADS": "1"}


def _measure() -> None:
    from benchmarks import _fortigate_lines, _server_lines

    makers: dict[str, Callable[[int], list[str]]] = {
        "fortinet.fortigate": lambda n: [line.decode() for line in _fortigate_lines.lines(n)],
        "cisco.asa": _server_lines.asa,
        "squid.access": _server_lines.squid,
        "isc.bind": _server_lines.bind,
        "linux.auth": _server_lines.linux,
    }
    for name, make in makers.items():
        lines = make(LINES)
        size = sum(map(len, lines)) / len(lines)
        rate = max(_rate(name, lines) for _ in range(RUNS))
        print(f"{name:20} {rate:9,.0f} lines/s  {rate * size / 1e6:6.1f} MB/s  {size:4.0f} bytes a line")


def _rate(name: str, lines: list[str]) -> float:
    """Lines a second through the source; every line must be understood."""
    import polars as pl

    from collectors import catalogue
    from hinomi import ecs

    source = catalogue.find(name)
    received = pl.lit(datetime(2026, 11, 20, 11, tzinfo=UTC)).cast(ecs.TIME).alias("received")
    frames = [
        pl.DataFrame({"message": lines[at : at + BATCH]}).with_columns(received, pl.lit("").alias("peer"))
        for at in range(0, len(lines), BATCH)
    ]
    start = time.perf_counter()
    parsed = [source.parse(frame) for frame in frames]
    spent = time.perf_counter() - start
    lost = sum(result.rejected.height for result in parsed)
    if lost:
        raise SystemExit(f"{name}: {lost} of {len(lines)} lines were not understood")
    return len(lines) / spent


if __name__ == "__main__":
    _measure()
