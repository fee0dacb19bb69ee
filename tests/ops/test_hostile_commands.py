"""What a command says where a name, an argument, a pipe or a file is not as it should be: a sentence, nothing destroyed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hinomi.clock import SystemClock
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from tests.ops.test_cli import ROOT, hinomi


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with nothing in it."""
    SqliteRecords(tmp_path / "data" / "records.sqlite").close()
    ParquetEvents(tmp_path / "data" / "events", clock=SystemClock()).close()
    return tmp_path / "data"


def test_what_the_system_refuses_is_said_in_japanese(data: Path, tmp_path: Path) -> None:
    """With the name of the file and why, in place of an unexpected error."""
    done = hinomi("users", "list", "--data", "x" * 300)
    assert done.returncode == 1 and "読み書きできません(名前が長すぎます)" in done.stderr
    done = hinomi("kibana", "export", tmp_path)
    assert done.returncode == 2 and f"{tmp_path}: ファイルに書けません(フォルダです)" in done.stderr
    done = hinomi("search", "--data", data, "--export", tmp_path / "none" / "x.csv")
    assert done.returncode == 2 and "ファイルに書けません(見つかりません)" in done.stderr


def test_no_escape_of_an_argument_reaches_the_terminal() -> None:
    """Names may come from an enemy: what would move a terminal's cursor is shown, not done."""
    done = hinomi("search", "--data", "/nonexistent/\x1b]0;x\x07\x1b[2J")
    assert done.returncode == 2 and "\x1b" not in done.stderr and "\\x1b[2J" in done.stderr


def test_an_argument_in_another_encoding_is_told(data: Path) -> None:
    """A terminal of CP932, for one: no unexpected error, but what to do."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ops.cli",
            "users",
            "release",
            os.fsdecode("佐藤".encode("cp932")),
            "--data",
            data,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 2 and "UTF-8 でない文字" in done.stderr


def test_a_password_from_a_pipe_is_taken_in_silence(data: Path) -> None:
    """Without a terminal no warning of Python's about echo; no password, and two that differ, are said in words."""
    none = _alone(data, "")
    assert none.returncode == 2 and "パスワードを読めません" in none.stderr
    differ = _alone(data, "correct horse battery\ncorrect horse\n")
    assert differ.returncode == 2 and "パスワードが一致しません" in differ.stderr
    done = _alone(data, "correct horse battery\n" * 2)
    assert (done.returncode, done.stderr) == (0, "")


def _alone(data: Path, given: str) -> subprocess.CompletedProcess[str]:
    """`users add` in a session of its own, which has no terminal."""
    return subprocess.run(
        [sys.executable, "-m", "ops.cli", "users", "add", "sato", "--data", str(data)],
        input=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        start_new_session=True,
    )


def test_an_export_that_fails_destroys_nothing(data: Path, tmp_path: Path) -> None:
    """What was exported before stays where the question is wrong; what takes its place is its owner's to read alone."""
    before = tmp_path / "x.csv"
    before.write_text("kept", encoding="utf-8")
    assert hinomi("search", "a: (", "--data", data, "--export", before).returncode == 2
    assert before.read_text(encoding="utf-8") == "kept"
    assert hinomi("search", "a: b", "--data", data, "--export", before).returncode == 0
    assert "@timestamp" in before.read_text(encoding="utf-8") and before.stat().st_mode & 0o777 == 0o600


def test_a_key_given_for_its_reference_is_not_repeated() -> None:
    """`kibana import --key` takes a reference; who types the key itself is told so, and does not see it again."""
    done = hinomi("kibana", "import", "http://127.0.0.1:9", "--key", "VnVhQ2ZHY0JDZGJrU")
    assert done.returncode == 2 and "--key: 秘密は env:名前" in done.stderr
    assert "VnVhQ2ZHY0JDZGJrU" not in done.stderr and "|" not in done.stderr
