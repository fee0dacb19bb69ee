"""The tower as the first process of a container."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ops.rundir import RunDir
from tests.e2e.tower import HINOMI, ROOT, free_port, until
from tests.shared import program


def _states(run: Path) -> list[dict[str, object]]:
    """What the processes beside the supervisor wrote of themselves."""
    return [RunDir(run).read(name) for name in RunDir(run).names() if name not in ("supervisor", "up")]


@pytest.mark.slow
def test_the_tower_is_process_number_one(tmp_path: Path) -> None:
    """In a process namespace of its own, as in a container, the supervisor is number 1. Its children do not take it for the
    one that orphans are given to: they start, and SIGTERM stops them all with exit code 0."""
    config, data = tmp_path / "hinomi.yaml", tmp_path / "data"
    config.write_text(f"console: {{port: {free_port()}}}\n", encoding="utf-8")
    alone = ["--fork", "--pid", "--kill-child", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    up = [*HINOMI, "up", "--data", str(data), "--config", str(config)]
    with subprocess.Popen([program("unshare"), *alone, *up], cwd=ROOT, stderr=subprocess.DEVNULL) as unshare:
        try:
            until(
                lambda: (
                    [one for one in _states(data / "run") if one.get("ready")]
                    and all(one.get("ready") for one in _states(data / "run") if "pid" in one)
                ),
                90,
                "every process ready",
            )
            first = int(Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text())
            os.kill(first, signal.SIGTERM)
            assert unshare.wait(60) == 0
        finally:
            unshare.kill()
