"""Drills and trainings that took place are recorded by command, audited, and listed; nonsense is refused in words."""

from hashlib import sha256
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hinomi.errors import DependencyDown, InputError
from ops.commands import drill, exercises
from ops.drill import Drill
from ops.drill_report import Course, written
from ops.opened import operator
from tests.responders.city import responder


def _run(folder: Path, *words: str) -> Result:
    app = typer.Typer()
    exercises.register(app)
    return CliRunner().invoke(app, ["exercises", *words, "--data", str(folder)])


def test_recorded_corrected_and_listed(tmp_path: Path) -> None:
    """The same title of the same day is corrected, not doubled; each writing is in the audit log."""
    tower, _ = responder(tmp_path)
    one = ["add", "机上訓練", "--on", "2026-10-01", "--took-part", "総務課 12人"]
    assert _run(tmp_path, *one).exit_code == 0
    assert _run(tmp_path, *one, "--took-part", "副市長(CISO)", "--result", "全段階").exit_code == 0
    assert (
        _run(
            tmp_path, "add", "新任研修", "--what", "training", "--on", "2026-04-02", "--took-part", "8人"
        ).exit_code
        == 0
    )
    lines = _run(tmp_path, "list").output.splitlines()
    assert lines[0].startswith("2026-10-01  訓練 / drill  机上訓練  全段階") and lines[2].startswith(
        "2026-04-02  研修"
    )
    assert lines[1].split() == ["総務課", "12人、副市長(CISO)"]
    written = tower.records.find("audit", {"action": "exercise.add"})
    assert len(written) == 3 and {one.body["actor"] for one in written} == {operator()}
    assert tower.audit.verify() == []


@pytest.mark.parametrize(
    ("day", "who", "title"),
    [("2999-01-01", "8人", "机上"), ("2026-10-01", " ", "机上"), ("2026-10-01", "8人", "a\nb")],
)
def test_refused_in_words(tmp_path: Path, day: str, who: str, title: str) -> None:
    """A day ahead, nobody, two lines: nothing is recorded."""
    tower, _ = responder(tmp_path)
    refused = _run(tmp_path, "add", title, "--on", day, "--took-part", who)
    assert isinstance(refused.exception, InputError) and tower.records.count("exercise") == 0


def test_a_name_as_people_write_it(tmp_path: Path) -> None:
    """The wide space between a family name and a given name is no control character; one in the result is refused."""
    tower, _ = responder(tmp_path)
    one = ["add", "机上訓練", "--on", "2026-10-01", "--took-part", "総務課\u3000山田\u3000太郎"]
    assert _run(tmp_path, *one).exit_code == 0
    assert tower.records.find("exercise")[0].body["people"] == ["総務課\u3000山田\u3000太郎"]
    refused = _run(tmp_path, *one, "--result", "よし\x1b[31m")
    assert isinstance(refused.exception, InputError)


def test_a_drill_that_got_stuck_is_recorded_with_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The city's records have the result, who took part and the hash of the Japanese PDF, though the command fails."""
    tower, _ = responder(tmp_path)

    def stuck(self: Drill) -> Path:
        now = self.clock.now()
        self.course = Course(now, now, True, at={"detect": now}, took={"detect": 6.0}, stuck="notify")
        self.report = written(self.course, self.folder)
        raise DependencyDown("通知が届きません。", "no message came")

    monkeypatch.setattr(Drill, "run", stuck)
    app, folder = typer.Typer(), tmp_path / "drill"
    drill.register(app)
    told = CliRunner().invoke(
        app, ["--out", str(folder), "--took-part", "総務課 12人", "--record-in", str(tmp_path)]
    )
    assert isinstance(told.exception, DependencyDown)
    [held] = tower.records.find("exercise")
    [pdf] = folder.glob("*.ja.pdf")
    assert held.body["report"] == sha256(pdf.read_bytes()).hexdigest()
    assert held.body["people"] == ["総務課 12人"] and "1 段階のうち 1 段階" in held.body["result_ja"]
    assert "次の段階まで進まなかった: 通知" in held.body["result_ja"]
