"""A store on a disk that fills up amid an append or a merge: a real file system, at each amount of room that decides."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import shared

pytestmark = pytest.mark.xdist_group("full_disk")  # what is made once for all of them is made in one process

_ROOMS = range(0, 640, 32)
"""KiB: from too little for a file to enough for the merged one and its commit."""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What happened at each amount of room."""
    apart = ["unshare", "--mount", "--map-root-user"]
    if (
        shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode
    ):  # no namespaces here
        shared.missing("mounts of one's own (unshare)")
    place = tmp_path_factory.mktemp("small")
    command = [*apart, sys.executable, "-m", "tests.hinomi.full_disk", str(place), *map(str, _ROOMS)]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_nothing_is_lost_doubled_or_invented(steps: list[dict[str, object]]) -> None:
    """While the disk is full every event that was told to be stored is found once, and no other; so it is afterwards, in
    the same process and in a new one, and the reader's place is that of the last of them."""
    assert len(steps) == len(_ROOMS)
    for room, step in zip(_ROOMS, steps, strict=True):
        assert step["right while full"] and step["right afterwards"], (room, step)


def test_what_was_not_stored_leaves_nothing_behind(steps: list[dict[str, object]]) -> None:
    """No file that no commit named: tried again and again, these would fill whatever room there comes to be."""
    assert [step["files of nobody"] for step in steps] == [0] * len(_ROOMS)


def test_a_full_disk_is_said_in_words(steps: list[dict[str, object]]) -> None:
    """As the error of a store, after which a worker asks again; appends and merges both failed, and both got through."""
    said = Counter[tuple[str, bool]]()
    for step in steps:
        for name, words in step["said"].items():  # type: ignore[attr-defined]
            assert not words or "ディスクの空き" in words, words
            said[name, bool(words)] += 1
    assert all(
        said[name, failed] for name in ("append", "merge", "append again") for failed in (False, True)
    ), said
