"""A file that a person brings becomes evidence by command: kept, listed with its chain, sealed, and found out when changed."""

import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from hinomi.errors import InputError
from ops.commands import evidence
from ops.opened import operator
from responders.incidents.evidence import LARGEST
from tests.responders.city import alert, responder


@pytest.fixture
def incident(tmp_path: Path) -> str:
    """Incident 1 of a tower in `tmp_path`."""
    tower, _ = responder(tmp_path)
    [one] = tower.receive([alert()])
    return one.id


def _run(folder: Path, *words: str | Path) -> Result:
    app = typer.Typer()
    evidence.register(app)
    return CliRunner().invoke(app, ["evidence", *map(str, words), "--data", str(folder)])


def test_kept_listed_sealed_and_verified(tmp_path: Path, incident: str) -> None:
    """Who brought it from where, and that it was exported and for whom, is in the chain; the ZIP is as it was sealed."""
    memory, sealed = tmp_path / "memory.raw", tmp_path / "out.zip"
    memory.write_bytes(bytes(range(256)) * 400)
    assert _run(tmp_path, "add", "1", memory, "--from", "PC-0123 総務課").exit_code == 0
    assert _run(tmp_path, "seal", "1", "--out", sealed, "--why", "県警へ提出").exit_code == 0
    shown = _run(tmp_path, "list", "1").output
    assert operator() in shown and "PC-0123 総務課" in shown and "県警へ提出" in shown
    assert _run(tmp_path, "verify", sealed).exit_code == 0
    with zipfile.ZipFile(sealed) as packed:
        assert memory.read_bytes() in [packed.read(name) for name in packed.namelist()]


def test_a_changed_zip_is_named(tmp_path: Path, incident: str) -> None:
    """A file that was put into the archive afterwards is found, and the exit code says so."""
    file, sealed = tmp_path / "note.txt", tmp_path / "out.zip"
    file.write_text("a")
    _run(tmp_path, "add", "1", file, "--from", "PC-0123")
    _run(tmp_path, "seal", "1", "--out", sealed, "--why", "確認")
    with zipfile.ZipFile(sealed, "a") as packed:
        packed.writestr("files/planted.txt", "b")
    done = _run(tmp_path, "verify", sealed)
    assert done.exit_code == 1 and "files/planted.txt" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ("add", "2", "note.txt", "--from", "PC"),  # no such incident
        ("add", "1", "none.txt", "--from", "PC"),  # no such file
        ("add", "1", "large.raw", "--from", "PC"),  # larger than one piece may be
        ("verify", "larger.zip"),
        ("seal", "1", "--out", "none/out.zip", "--why", "x"),  # no such folder
        ("seal", "1", "--out", "note.txt", "--why", "x"),  # would write over a file
    ],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, incident: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence, and nothing is written over."""
    monkeypatch.chdir(tmp_path)
    Path("note.txt").write_text("mine")
    for name, size in (("large.raw", LARGEST), ("larger.zip", 2 * LARGEST)):
        with Path(name).open("wb") as file:
            file.truncate(size + 1)  # sparse: nothing of it is read
    assert isinstance(_run(tmp_path, *words).exception, InputError)
    assert Path("note.txt").read_text() == "mine"
