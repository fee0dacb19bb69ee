"""EVTX files that end too soon."""

from pathlib import Path

import pytest

from collectors.evtx import EvtxFiles
from tests import shared

pytestmark = pytest.mark.corpus
_CHUNK = 65536


def _records(path: Path) -> tuple[list[str], list[int]]:
    reader = EvtxFiles()
    found = [message for frame in reader.read(path) for message in frame["message"].to_list()]
    return found, [damage.lost for damage in reader.damaged]


@pytest.mark.parametrize("size", [20_000, 40_000, _CHUNK + 4096 - 1])
def test_what_lies_before_the_cut_is_read(tmp_path: Path, size: int) -> None:
    """A copy that ends inside its first chunk gives the records before the cut, and is named as damaged."""
    files = shared.corpus("evtx", "").rglob("*.evtx")
    whole = next(file for file in sorted(files) if file.stat().st_size > 4 * _CHUNK)
    cut = tmp_path / "cut.evtx"
    cut.write_bytes(whole.read_bytes()[:size])
    records, lost = _records(cut)
    assert records and records == _records(whole)[0][: len(records)]
    assert lost and sum(lost) >= 1
