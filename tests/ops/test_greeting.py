"""`hinomi up` at a terminal tells a person where things are and how to stop; elsewhere its log stays as it is."""

import json
import os
import pty
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from ops.ports import free_ports

ROOT = Path(__file__).parents[2]
LOGGING = """
import sys
from pathlib import Path
from ops import journal
from ops.greeting import Greeting
from ops.rundir import RunDir
journal.configure("intake")
greeting = Greeting.at_terminal(RunDir.of(Path(sys.argv[1])), Path(sys.argv[1]))
greeting.starting()
greeting.ready(["intake"])
journal.log.info("ready", children=["intake"])
journal.log.error("process_died", name="worker-0", exit=2, reason="だめ\\n\\x1b[31m(no)")
greeting.stopping()
greeting.stopped()
"""


class Terminal:
    """A command with a terminal of its own, and all that it showed."""

    def __init__(self, *argv: str) -> None:
        self.master, slave = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True, cwd=ROOT
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str, seconds: float) -> None:
        """Read until that text was shown or the other side has closed; fail after so many seconds."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                self.shown += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # closed
                return


def test_a_person_at_a_terminal_is_told_where_and_how(tmp_path: Path) -> None:
    """The real service: console, listeners, also the one whose port another has, processes, the check, and how to stop."""
    web, syslog = free_ports(2)
    config = tmp_path / "hinomi.yaml"
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        config.write_text(
            "listen:\n"
            f"  fw-edge01: {{kind: tcp, address: 127.0.0.1, port: {syslog}}}\n"
            f"  late: {{kind: tcp, address: 127.0.0.1, port: {taken}}}\n"
            f"console: {{port: {web}}}\nmetrics: {{port: 0}}\n"
        )
        data = tmp_path / "data"
        terminal = Terminal(
            sys.executable, "-m", "ops.cli", "up", "--data", str(data), "--config", str(config)
        )
        try:
            terminal.read_until("止めるには / to stop: Ctrl-C", 90)
        finally:
            terminal.process.terminate()
            terminal.read_until("Hinomi has stopped.", 60)
    assert terminal.process.wait(60) == 0
    for said in (
        f"画面 / console: http://127.0.0.1:{web}/",
        f"fw-edge01 (tcp) 127.0.0.1:{syslog}",
        f"late (tcp) 動いていません: 127.0.0.1:{taken} を開けません: ほかのプロセスが使っています",
        "動作中 / running: intake — ログの受信",
        f"点検 / check: hinomi doctor --data {data}",
    ):
        assert said in terminal.shown, said
    assert "{" not in terminal.shown, "JSON is for machines"


def test_lines_at_a_terminal_are_for_people(tmp_path: Path) -> None:
    """What happened in Japanese with its values; what came from outside does nothing to the terminal."""
    terminal = Terminal(sys.executable, "-c", LOGGING, str(tmp_path))
    terminal.read_until("Hinomi has stopped.", 60)
    terminal.process.wait(60)
    assert "異常/error intake: プロセスが終わりました。起動し直します。" in terminal.shown
    assert "name=worker-0 exit=2" in terminal.shown and "\x1b" not in terminal.shown


def test_without_a_terminal_the_log_is_all_there_is(tmp_path: Path) -> None:
    """Behind a pipe, as under systemd: JSON lines, and not a word more."""
    argv = [sys.executable, "-c", LOGGING, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["ready", "process_died"] and done.stdout == ""
    assert lines[1]["process"] == "intake" and lines[1]["level"] == "error"
