"""A drill or a demo that is ended from outside leaves nothing running."""

import signal
import subprocess
from pathlib import Path

import pytest

from ops.rundir import RunDir, alive
from tests.e2e.tower import HINOMI, ROOT, until


def _running(run: Path) -> list[int]:
    """The process ids that the tower's processes wrote down and that live."""
    written = [RunDir(run).read(name) for name in RunDir(run).names()]
    return [one["pid"] for one in written if "pid" in one and alive(one["pid"])]


@pytest.mark.slow
@pytest.mark.parametrize("command", [["drill", "--out"], ["demo", "--scale", "0.02", "--folder"]])
def test_what_is_told_to_end_stops_its_tower(tmp_path: Path, command: list[str]) -> None:
    """SIGTERM, as a service manager sends it: the tower is stopped as by Ctrl-C, and the exit code says so."""
    run = tmp_path / "own" / "data" / "run"
    argv = [*HINOMI, *command, str(tmp_path / "own")]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as own:
        until(lambda: _running(run), 90, "a process of the tower")
        own.send_signal(signal.SIGTERM)
        _, said = own.communicate(timeout=90)
    assert own.returncode == 130 and "interrupted" in said.decode() and not _running(run)
