"""What a command says where a name, an argument, a pipe or a file is not as it should be: a sentence, nothing destroyed."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hinomi.clock import SystemClock
from hinomi.errors import InputError
from hinomi.store.embedded import ParquetEvents, SqliteRecords
from ops.commands.playbooks import _known
from ops.commands.search import _export
from ops.opened import Opened
from responders.playbooks.settings import PlaybookSettings
from tests.ops.test_cli import ROOT
from tests.ops.typed import Typed


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with nothing in it."""
    SqliteRecords(tmp_path / "data" / "records.sqlite").close()
    ParquetEvents(tmp_path / "data" / "events", clock=SystemClock()).close()
    return tmp_path / "data"


def test_what_the_system_refuses_is_said_in_japanese(data: Path, tmp_path: Path, typed: Typed) -> None:
    """With the name of the file and why, in place of an unexpected error."""
    done = typed("users", "list", "--data", "x" * 300)
    assert done.returncode == 1 and "読み書きできません(名前が長すぎます)" in done.stderr
    assert "HINOMI_DEBUG=1" in done.stderr
    done = typed("kibana", "export", tmp_path)
    assert done.returncode == 2 and f"{tmp_path}: ファイルに書けません(フォルダです)" in done.stderr
    done = typed("search", "--data", data, "--export", tmp_path / "none" / "x.csv")
    assert done.returncode == 2 and f"{tmp_path / 'none'}: フォルダがありません" in done.stderr


def test_no_escape_of_an_argument_reaches_the_terminal(typed: Typed) -> None:
    """Names may come from an enemy: what would move a terminal's cursor is shown, not done."""
    done = typed("search", "--data", "/nonexistent/\x1b]0;x\x07\x1b[2J")
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


def test_an_export_that_fails_destroys_nothing(data: Path, tmp_path: Path, typed: Typed) -> None:
    """What was exported before stays where the question is wrong; what takes its place is its owner's to read alone."""
    before = tmp_path / "x.csv"
    before.write_text("kept", encoding="utf-8")
    assert typed("search", "a: (", "--data", data, "--export", before).returncode == 2
    assert before.read_text(encoding="utf-8") == "kept"
    assert typed("search", "a: b", "--data", data, "--export", before).returncode == 0
    assert "@timestamp" in before.read_text(encoding="utf-8") and before.stat().st_mode & 0o777 == 0o600


def test_a_key_given_for_its_reference_is_not_repeated(typed: Typed) -> None:
    """`kibana import --key` takes a reference; who types the key itself is told so, and does not see it again."""
    done = typed("kibana", "import", "http://127.0.0.1:9", "--key", "VnVhQ2ZHY0JDZGJrU")
    assert done.returncode == 2 and "--key: 秘密は env:名前" in done.stderr
    assert "VnVhQ2ZHY0JDZGJrU" not in done.stderr and "|" not in done.stderr


@pytest.mark.parametrize("option", ["--bars=1e12", "--bars=inf", "--bars=nan", "--hours=nan", "--hours=-1"])
def test_no_number_of_hours_is_said_in_words(data: Path, option: str, typed: Typed) -> None:
    """Not as an unexpected error."""
    done = typed("search", "--data", data, option)
    assert done.returncode == 2 and "時間は 0 から 1000000 まで" in done.stderr


def test_what_is_wrong_with_the_store_is_not_blamed_on_the_export(tmp_path: Path) -> None:
    """The folder of the stored events is named, not the file to write."""

    class Broken:
        def pages(self, query: str, *, span: object) -> list[object]:
            raise OSError(errno.EIO, "Input/output error", str(tmp_path / "store"))

    place = SimpleNamespace(data=tmp_path / "store", events=Broken())
    with pytest.raises(InputError) as caught:
        _export(cast("Opened", place), "", None, tmp_path / "x.csv")
    assert f"{tmp_path / 'store'}: 保存したイベントを読めません(機器の読み書きに失敗しました)" in str(
        caught.value
    )
    assert not list(tmp_path.iterdir())


def test_a_playbook_in_a_file_that_cannot_be_read_is_not_said_to_be_missing_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for by its name, the error of the city's file is told before that there is none of that name."""
    (tmp_path / "own.yml").write_text("playbook: own\n  bad: [", encoding="utf-8")
    with pytest.raises(InputError, match="--data"):
        _known("own", PlaybookSettings(folders=[tmp_path]))
    assert "own.yml" in capsys.readouterr().err
