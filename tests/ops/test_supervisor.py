"""Real processes under the supervisor: restarted when they die, stopped in order, never left behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hinomi.errors import HinomiError
from ops.rundir import RunDir, alive

CHILD = """
import os, signal, sys, time
from pathlib import Path
from ops.rundir import RunDir
from ops.supervisor import die_with_parent
die_with_parent()
name, data = sys.argv[1], Path(sys.argv[2])
def stop(*_):
    with (data / "stopped").open("a") as log:
        log.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
RunDir.of(data).write(name, {"ready": True, "pid": os.getpid()})
while True:
    time.sleep(0.05)
"""
PARENT = """
import asyncio, sys
from pathlib import Path
from ops.rundir import RunDir
from ops.supervisor import Child, Supervisor
data = Path(sys.argv[1])
children = [Child(n, [sys.executable, str(data / "child.py"), n, str(data)]) for n in ("one", "two")]
asyncio.run(Supervisor(children, RunDir.of(data)).serve())
"""


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def tower(tmp_path: Path) -> tuple[Path, subprocess.Popen[bytes]]:
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "parent.py").write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, tmp_path / "parent.py", tmp_path], env=environment, stderr=subprocess.DEVNULL
    )
    run = RunDir.of(tmp_path)
    until(lambda: run.read("one").get("ready") and run.read("two").get("ready"))
    return tmp_path, process


def test_a_dead_child_is_restarted(tower: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """kill -9 of one child: another takes its place, and the supervisor says how often."""
    data, process = tower
    run = RunDir.of(data)
    before = run.read("one")["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: run.read("one").get("pid", before) != before)
    assert run.read("supervisor")["children"][0]["restarts"] == 1
    process.terminate()
    assert process.wait(30) == 0


def test_children_stop_in_order(tower: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """SIGTERM stops the first child before the second is told."""
    data, process = tower
    process.terminate()
    assert process.wait(30) == 0
    assert (data / "stopped").read_text().split() == ["one", "two"]


def test_no_orphans_after_kill_9(tower: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """A killed supervisor takes its children with it."""
    data, process = tower
    run = RunDir.of(data)
    pids = [run.read(name)["pid"] for name in ("one", "two")]
    process.kill()
    process.wait(30)
    until(lambda: not any(alive(pid) for pid in pids))


def test_one_tower_a_data_folder(tmp_path: Path) -> None:
    """A second holder of the lock is refused and told who has it; whoever only asks disturbs nobody."""
    assert not RunDir.held(tmp_path)
    run = RunDir.of(tmp_path)
    held = run.lock()
    assert RunDir.held(tmp_path)
    with pytest.raises(HinomiError, match=str(os.getpid())):
        run.lock()
    held.close()
    assert not RunDir.held(tmp_path)
    run.lock().close()


def test_a_full_disk_does_not_end_who_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process says of itself is left as it was when no byte can be written; other errors are told."""
    place = RunDir.of(tmp_path)
    place.write("intake", {"n": 1})

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    place.write("intake", {"n": 2})
    assert place.read("intake") == {"n": 1}
