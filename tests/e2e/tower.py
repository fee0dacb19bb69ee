"""A real `hinomi up` for tests: started, waited for, killed, read."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.ports import free_ports
from ops.rundir import RunDir, alive

HINOMI = [sys.executable, "-m", "ops.cli"]
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A TCP port that was free a moment ago."""
    return free_ports(1)[0]


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Poll until the condition holds; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)


@dataclass(slots=True)
class Tower:
    """One data folder with its configuration; `start` and `kill` as often as needed."""

    data: Path
    config: Path
    part: str = "up"
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self, *, wait: bool = True) -> None:
        """Start `hinomi up` (or the part) in a process group of its own and wait until every process is ready."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HINOMI_TEST_TOKEN": "t0ken-for-tests"}
        with (self.data.parent / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*HINOMI, self.part, "--data", str(self.data), "--config", str(self.config)],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=ROOT,
            )
        if wait:
            try:
                until(self.ready, 90, "hinomi up is ready; see up.log")
            except BaseException:
                self.kill()  # a test that ends here leaves nothing running
                raise

    def ready(self) -> bool:
        """Whether every child says that it is ready and runs."""
        assert self.process is not None
        assert self.process.poll() is None, (self.data.parent / "up.log").read_text()[-3000:]
        run = RunDir.of(self.data)
        children = run.read("supervisor").get("children", [])
        names = [child["name"] for child in children]
        return bool(names) and all(
            (said := run.read(name)).get("ready") and alive(int(said["pid"])) for name in names
        )

    def kill(self) -> None:
        """kill -9 of the whole tree at once."""
        assert self.process is not None
        pids = [
            int(child["pid"])
            for child in RunDir.of(self.data).read("supervisor").get("children", [])
            if child["pid"]
        ]
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        until(lambda: not any(alive(pid) for pid in pids), 30, "children died with their parent")

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(120)

    def run(self, *arguments: str) -> str:
        """Standard output of a command on this data folder; fails the test on a non-zero exit."""
        done = subprocess.run(
            [*HINOMI, *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def jsonl(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines that a command prints."""
        return [json.loads(line) for line in self.run(*arguments).splitlines()]
