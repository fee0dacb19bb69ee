"""Raw lines to ECS frames: lines/s of processor time on one core, in batches of 10,000, beside a C peer on the same lines:
syslog-ng's parsers for key=value, CSV and JSON, rsyslog's mmnormalize for the rest.

Polars is held to one thread, so the figure is a core's. The best of three runs counts: the machine is shared. `ours` is
the frame of ECS columns that the pipeline goes on with; `as JSON` writes it as JSON lines, too, as the peer does with what
its kv-, csv- or json-parser found. Aim (issue 6): half the peer's speed on key=value and CSV, ahead of it on JSON. Some formats only:
`POLARS_MAX_THREADS=1 python -m benchmarks.parse NAME…`.
"""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

LINES, BATCH, RUNS = 40_000, 10_000, 3

_BY_FUNCTION = (
    *("microsoft.entra_graph", "microsoft.azure_activity", "aws.cloudtrail", "okta.system_log"),
    *("google.workspace", "google.cloud_audit", "github.audit"),
)
"""Audit logs of clouds, read by functions, beside the ten busiest formats."""


def main() -> None:
    """Run in a process of its own: the number of threads is fixed when Polars is first imported."""
    subprocess.run([sys.executable, "-m", "benchmarks.parse"], check=True, env=_one_thread())


def _one_thread() -> dict[str, str]:
    return {**os.environ, "POLARS_MAX_THREADS": "1"}


def _of_tests(name: str, *, starting: str = "") -> Callable[[int], list[str]]:
    """The lines of a source's own test file that it understands, again and again."""

    def make(n: int) -> list[str]:
        from collectors import catalogue
        from collectors.parse import documents
        from hinomi import yamlfile

        stem = name.replace(".", "_", 1)
        cases = yamlfile.read(Path("collectors/sources") / f"{stem}.test.yml").value
        given = [" ".join(case["raw"].splitlines()) for case in cases if case["raw"].startswith(starting)]
        lines = [
            line for line, found in zip(given, documents(catalogue.find(name), given), strict=True) if found
        ]
        return [lines[i % len(lines)] for i in range(n)]

    return make


def _measure(names: Collection[str] = ()) -> None:
    from benchmarks import _fortigate_lines, _peers, _rsyslog, _server_lines

    makers: dict[str, tuple[str, Callable[[int], list[str]]]] = {
        "fortinet.fortigate": (
            "key=value",
            lambda n: [line.decode().partition(">")[2] for line in _fortigate_lines.lines(n)],
        ),
        "city.resident_view": ("csv", _of_tests("city.resident_view")),
        "windows.eventlog": ("json", _of_tests("windows.eventlog", starting="{")),
        "zeek.log": ("json", _of_tests("zeek.log")),
        "microsoft.m365_audit": ("json", _of_tests("microsoft.m365_audit", starting="{")),
        "microsoft.entra": ("json", _of_tests("microsoft.entra", starting="{")),
        **{name: ("json", _of_tests(name, starting="{")) for name in _BY_FUNCTION},
        "cisco.asa": ("", _server_lines.asa),
        "squid.access": ("", _server_lines.squid),
        "isc.bind": ("", _server_lines.bind),
        "linux.auth": ("", _server_lines.linux),
    }
    print(f"{'':22}{'ours':>10}{'as JSON':>10}{'C peer':>11}{'ratio':>8}   bytes a line")
    for name, (form, make) in makers.items():
        if names and name not in names:
            continue
        lines = make(LINES)
        size = sum(map(len, lines)) / len(lines)
        ours, written = (max(_rate(name, lines, write=write) for _ in range(RUNS)) for write in (False, True))
        width = max(line.count(",") for line in lines) + 1
        peers = [
            _peers.syslog_ng(form, lines, width) if form else _rsyslog.mmnormalize(name, lines)
            for _ in range(RUNS)
        ]
        peer = max((one for one in peers if one is not None), default=None)
        beside = f"{peer:11,.0f}{written / peer:8.2f}" if peer else f"{'—':>11}{'—':>8}"
        print(f"{name:22}{ours:10,.0f}{written:10,.0f}{beside}   {size:6.0f}  {form or 'text: mmnormalize'}")


def _rate(name: str, lines: list[str], *, write: bool) -> float:
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
    start = time.process_time()
    parsed = [source.parse(frame) for frame in frames]
    if write:
        for result in parsed:
            for frame in result.frames:
                frame.write_ndjson(io.BytesIO())
    spent = time.process_time() - start
    lost = sum(result.rejected.height for result in parsed)
    if lost:
        raise SystemExit(f"{name}: {lost} of {len(lines)} lines were not understood")
    return len(lines) / spent


if __name__ == "__main__":
    _measure(sys.argv[1:])
