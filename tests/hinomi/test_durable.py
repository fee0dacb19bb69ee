"""Files written durably: whole or not at all, whoever writes beside."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hinomi.durable import replaced, write_durably


def test_a_failed_write_leaves_the_old_content_and_nothing_beside(tmp_path: Path) -> None:
    """Where the writing raises half-way, the reader still has what was there, and no draft stays."""
    path = tmp_path / "place.json"
    write_durably(path, b"old")
    with pytest.raises(ZeroDivisionError), replaced(path) as file:
        file.write(b"half")
        _ = 1 / 0
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_is_set_before_the_file_is_in_place(tmp_path: Path) -> None:
    """What only the owner may read is so from the first moment under its name."""
    path = tmp_path / "evidence"
    write_durably(path, b"x", mode=0o400)
    assert path.stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_what_only_its_owner_may_read_is_so_while_it_is_written(tmp_path: Path, mode: int) -> None:
    """An export takes minutes, and a killed process leaves its draft for ever."""
    before = os.umask(0o022)
    try:
        with replaced(tmp_path / "export.csv", mode=mode) as file:
            file.write(b"half")
            (draft,) = tmp_path.iterdir()
            assert draft.stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)


def test_a_mode_wider_than_the_umask_is_given_whole(tmp_path: Path) -> None:
    """A file that others read, replaced by a process with a strict umask, is still theirs to read."""
    before = os.umask(0o077)
    try:
        write_durably(tmp_path / "list", b"x", mode=0o644)
        assert (tmp_path / "list").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


def test_writers_at_once_each_write_whole(tmp_path: Path) -> None:
    """Threads of one process that replace the same file never mix their drafts."""
    path = tmp_path / "cursor"
    contents = [bytes([65 + n]) * 40_000 for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda content: write_durably(path, content), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
