"""`hinomi hunt` as a whole process: the bytes it writes are the same from one process, from copies of it, and from workers started
anew, and it copies itself only where that is safe."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from ops.hunt import starting
from tests.ops import shell_rule

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
# Parts of some kilobytes; how workers start; how they did is told at the end.
DRIVER = """
import sys
from collections import Counter
from collectors import hunt_parts
from ops.hunt import starting
from tests.ops import shell_rule
hunt_parts._TEXT = 24_000
if sys.argv.pop(1) == "anew":
    starting.can_fork = lambda: False
made = Counter()
forked, anew = starting._forked, starting._anew
def copy(*said): made["copies"] += 1; return forked(*said)
def new(*said): made["anew"] += 1; return anew(*said)
starting._forked, starting._anew = copy, new
from ops.cli import main
try:
    main()
finally:
    print("MADE", dict(made), file=sys.stderr)
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Windows events in every spelling that a person's folder has, and a rule beside them."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(map(_event, range(600))), encoding="utf-8")
    (folder / "b.jsonl").write_bytes("\r\n".join(map(_event, range(300))).encode("utf-8-sig"))
    (folder / "c.json").write_text("[" + ",".join(map(_event, range(90))) + "]", encoding="utf-8")
    (folder / "d.log").write_text("?\n" * 9_000, encoding="utf-8")
    shell_rule.put(tmp_path)
    return folder


def _event(number: int) -> str:
    event = {
        "EventID": 1,
        "Channel": CHANNEL,
        "SourceName": "Microsoft-Windows-Sysmon",
        "Computer": "pc",
        "EventTime": "2026-11-20 19:31:05",
        "ProcessId": number,
        "Image": "C:\\cmd.exe" if number % 7 == 0 else "C:\\notepad.exe",
    }
    return json.dumps(event)


def _hunt(logs: Path, how: str, *said: str) -> tuple[bytes, str, str]:
    """What is written, but for when each event was read; what people are told; how workers were started."""
    argv = [
        sys.executable,
        "-c",
        DRIVER,
        how,
        "hunt",
        str(logs),
        "--rules",
        str(logs.parent / "r.yml"),
        *said,
    ]
    environment = {**os.environ, "HINOMI_CACHE": str(logs.parent / "cache")}
    found = subprocess.run(argv, capture_output=True, check=True, timeout=120, env=environment)
    told, _, made = found.stderr.decode().partition("MADE ")
    return re.sub(rb'"ingested":"[^"]*"', b"", found.stdout), told, made.strip()


def test_same_bytes_however_workers_start(logs: Path) -> None:
    """One process, three copies of it, three started anew: output and what is told are the same to the byte."""
    one = _hunt(logs, "copied", "--jsonl", "--workers", "1")
    assert one[0].count(b"\n") == 86 + 43 + 13
    assert "d.log" in one[1]
    assert one[2] == "{}"
    copied = _hunt(logs, "copied", "--jsonl", "--workers", "3")
    assert copied == (*one[:2], "{'copies': 3}")
    anew = _hunt(logs, "anew", "--jsonl", "--workers", "3")
    assert anew == (*one[:2], "{'anew': 3}")
    assert _hunt(logs, "copied", "--workers", "1")[:2] == _hunt(logs, "copied", "--workers", "3")[:2]


def test_a_process_with_threads_is_not_copied() -> None:
    """Polars' pool, or a thread of Python's, would be missing in the copy."""
    pl.DataFrame({"a": list(range(1000))}).lazy().group_by(pl.col("a") % 7).sum().collect()
    assert not starting.can_fork()
    said = "import polars, threading; from ops.hunt import starting; print(starting.can_fork())"
    more = (
        "; threading.Thread(target=threading.Event().wait, daemon=True).start(); print(starting.can_fork())"
    )
    found = subprocess.run(
        [sys.executable, "-c", said + more], capture_output=True, check=True, timeout=60, text=True
    )
    assert found.stdout.split() == ["True", "False"]


def test_fewer_workers_where_no_more_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of processes leaves those that started; none at all is an error."""
    real, started = starting._anew, list[starting.Worker]()

    def limited(others: list[starting.Worker]) -> starting.Worker:
        if len(others) == limit:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(real(others))
        return started[-1]

    monkeypatch.setattr(starting, "_anew", limited)
    limit = 1
    workers = starting.anew(3)
    assert workers == started
    assert len(workers) == 1
    workers[0].kill()
    assert workers[0].ended() == -9
    workers[0].bury()
    limit = 0
    with pytest.raises(BlockingIOError):
        starting.anew(3)


def test_workers_die_with_the_hunt(logs: Path) -> None:
    """A hunt that is killed leaves no process: copies that wait for a part end with it."""
    argv = [sys.executable, "-c", DRIVER, "copied", "hunt", str(logs), "--rules", str(logs.parent / "r.yml")]
    environment = {**os.environ, "HINOMI_CACHE": str(logs.parent / "cache")}
    with subprocess.Popen(
        [*argv, "--workers", "2", "--jsonl"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        workers = _children(process.pid)
        process.kill()
        process.wait()
    assert workers
    until = time.monotonic() + 10
    while any(map(_runs, workers)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(_runs, workers))


def _children(pid: int) -> list[int]:
    """The workers, as soon as there are two (or the hunt has ended)."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found: list[int] = []
    until = time.monotonic() + 60
    while len(found) < 2 and time.monotonic() < until:
        try:
            found = list(map(int, path.read_text(encoding="ascii").split())) or found
        except OSError:
            break
    return found


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
