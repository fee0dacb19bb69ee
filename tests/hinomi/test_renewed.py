"""What is read from files that are replaced while it is in use."""

from pathlib import Path

import pytest

from hinomi import renewed
from hinomi.errors import ConfigError
from hinomi.renewed import Renewed


def test_what_no_file_shows_is_found_by_trying_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that could not be read is told once, however often it is tried, and counts when it can be read."""
    file, shut = tmp_path / "file", [False]
    told: list[ConfigError | None] = []

    def read() -> str:
        if shut[0]:
            raise ConfigError("読めません。", "cannot be read")
        return file.read_text()

    file.write_text("old")
    kept = Renewed([file], read, told.append)
    shut[0] = True
    file.write_text("newer")
    assert [kept.now() for _ in range(3)] == ["old"] * 3 and len(told) == 1 and told[0] is not None
    shut[0] = False
    assert kept.now() == "old"  # the file is the same: not before its time
    monkeypatch.setattr(renewed.time, "monotonic", lambda: float("inf"))
    assert kept.now() == "newer" and told[1:] == [None]


def test_what_does_not_change_is_read_once(tmp_path: Path) -> None:
    """Looking costs no reading; a file that is gone changes nothing, and what comes in its place counts."""
    file, readings = tmp_path / "file", [0]

    def read() -> str:
        readings[0] += 1
        try:
            return file.read_text()
        except OSError as error:
            raise ConfigError("ありません。", "not there") from error

    file.write_text("a")
    kept = Renewed([file], read, lambda _: None)
    assert {kept.now() for _ in range(5)} == {"a"} and readings == [1]
    file.unlink()
    assert kept.now() == "a"
    file.write_text("again")
    assert kept.now() == "again"
