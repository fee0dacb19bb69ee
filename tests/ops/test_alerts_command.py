"""`hinomi alerts` as a person types it."""

import json
from pathlib import Path

from typer.testing import CliRunner

from hinomi.alert import Level
from hinomi.store.embedded import SqliteRecords
from ops.cli import app
from ops.commands import alerts as command
from tests.responders.city import alert

NAMES = [f"a{number}" for number in range(6)]


def _listed(data: Path, *more: str) -> tuple[list[str], str]:
    command.register(app)
    went = CliRunner().invoke(app, ["alerts", "--data", str(data), "--jsonl", *more])
    assert went.exit_code == 0, went.output
    return [json.loads(line)["id"] for line in went.stdout.splitlines()], went.stderr


def _place(folder: Path) -> Path:
    """Six alerts, the newest last; the first two high, the others low; one of the low ones damaged."""
    records = SqliteRecords(folder / "records.sqlite")
    for number, name in enumerate(NAMES):
        made = alert(name, minutes=number, level=Level.HIGH if number < 2 else Level.LOW)
        body = made.model_dump(mode="json")
        if number == 4:
            body["title_ja"] = ["no", "text"]
        records.put("alert", name, body)
    records.close()
    return folder


def test_how_many_counts_alerts_of_the_level(tmp_path: Path) -> None:
    """Two of high level are listed though newer ones of a low level would fill the number."""
    data = _place(tmp_path)
    assert len(_listed(data, "--level", "high", "--limit", "2")[0]) == 2
    assert len(_listed(data, "--limit", "3")[0]) == 2  # and the damaged one


def test_a_damaged_one_hides_no_other(tmp_path: Path) -> None:
    """It is named on standard error; the others are listed, newest first."""
    found, said = _listed(_place(tmp_path))
    assert len(found) == 5 and "a4" in said and "title_ja" in said
