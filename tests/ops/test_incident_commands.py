"""The commands of an incident go through the desk: taken, closed, opened again, each in the operator's name."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from dashboards.users import Users
from hinomi.clock import SystemClock
from ops.commands import incidents
from ops.opened import operator
from responders.incidents.reported import KIND
from tests.responders.city import alert, responder

PASSWORD = "a-long-password-for-tests"


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


def test_open_from_the_command_line(tmp_path: Path) -> None:
    """By whoever is at the machine, in Japan time; with a playbook only by an account, shown by its password. What is wrong is refused, and
    nothing is recorded."""
    tower, _ = responder(tmp_path)
    Users(tower.records, SystemClock()).create("k.kacho", PASSWORD, ["information_system_manager"])
    app = typer.Typer()
    incidents.register(app)

    def run(*words: str, typed: str = "") -> int:
        told = ["incidents", "open", "紛失", "--what", "電話", "--data", str(tmp_path), *words]
        return CliRunner().invoke(app, told, input=typed).exit_code

    for wrong in (
        ["--about", "h.abe"],
        ["--zone", "moon"],
        ["--organization", "minami"],
        ["--known", "2999-01-01"],
        ["--playbook", "lost_device"],
        ["--playbook", "none", "--as", "k.kacho"],
    ):
        assert run(*wrong, typed=PASSWORD + "\n") != 0, wrong
    assert tower.records.find(KIND) == []
    assert run("--about", "user.name=h.abe", "--known", "2026-11-18T09:00:00", "--zone", "lgwan") == 0
    assert run("--playbook", "lost_device", "--as", "k.kacho", typed=PASSWORD + "\n") == 0
    tower.tick()
    first, second = tower.records.find("incident", order="first")
    assert first.body["first"] == "2026-11-18T00:00:00Z" and first.body["entities"] == {
        "user.name": ["h.abe"]
    }
    assert first.body["fields"]["opened_by"] == operator()
    assert second.body["fields"]["opened_by"] == "k.kacho" and second.body["run_ids"]
