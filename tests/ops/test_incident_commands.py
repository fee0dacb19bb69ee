"""The commands of an incident go through the desk: taken, closed, opened again, each in the operator's name."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from ops.commands import incidents
from ops.opened import operator
from tests.responders.city import alert, responder


def test_take_close_and_open_again(tmp_path: Path) -> None:
    """Each command says what it did and leaves a line; opening what is open is refused."""
    tower, _ = responder(tmp_path)
    [incident] = tower.receive([alert()])
    app = typer.Typer()
    incidents.register(app)

    def run(*words: str) -> int:
        return CliRunner().invoke(app, ["incidents", *words, "--data", str(tmp_path)]).exit_code

    assert run("ack", "1") == 0
    assert run("reopen", "1", "--reason", "まだ続く") != 0
    assert run("close", "1", "--verdict", "benign", "--reason", "保守作業") == 0
    assert run("reopen", "1", "--reason", "まだ続く") == 0
    held = tower.records.get("incident", incident.id)
    assert held is not None and held.body["status"] == "in_progress"
    assert [line["actor"] for line in held.body["timeline"][-3:]] == [operator()] * 3
    assert held.body["timeline"][-1]["ja"] == "再開: まだ続く"
