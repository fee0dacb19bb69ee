"""An EVTX file read in stretches of chunks gives the records of the whole file, each with its place, and says the same of damage."""

from pathlib import Path

import polars as pl
import pytest

from collectors import evtx, evtx_chunks
from collectors.evtx_chunks import Stretch
from tests.shared import corpus

CHUNK = 65536


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve chunks of recorded samples behind one header."""
    chunks = [
        path.read_bytes()[4096 : 4096 + CHUNK]
        for path in sorted(corpus("evtx").rglob("*.evtx"))[:80]
        if path.stat().st_size >= 4096 + CHUNK
    ][:12]
    path = tmp_path_factory.mktemp("evtx") / "large.evtx"
    path.write_bytes(evtx_chunks._file_header(len(chunks)) + b"".join(chunks))
    return path


def _whole(path: Path) -> tuple[pl.DataFrame, list[evtx.Damage]]:
    reader = evtx.EvtxFiles()
    return pl.concat(reader.read(path)).drop("received"), reader.damaged


def _in_stretches(path: Path, most: int) -> tuple[pl.DataFrame, list[evtx.Damage]]:
    reader = evtx.EvtxFiles()
    cut = list(evtx_chunks.stretches(path, path.stat().st_size, most))
    return pl.concat(reader.read_stretches((path, one) for one in cut)).drop("received"), reader.damaged


@pytest.mark.corpus
@pytest.mark.parametrize("chunks", [1, 2, 5, 12])
def test_stretches_are_the_file(large: Path, chunks: int) -> None:
    """Any size of stretch: same records, same places, no damage."""
    assert _in_stretches(large, chunks * CHUNK)[0].equals(_whole(large)[0])
    assert len(list(evtx_chunks.stretches(large, large.stat().st_size, chunks * CHUNK))) == -(-12 // chunks)
    assert not _in_stretches(large, chunks * CHUNK)[1]


@pytest.mark.corpus
@pytest.mark.parametrize("header", [True, False])
def test_a_cut_file(large: Path, tmp_path: Path, header: bool) -> None:
    """The last chunk ends in a record, the header is there or zeroes: what can be read is read, the damage counted once."""
    path = tmp_path / "cut.evtx"
    body = large.read_bytes()[: 4096 + 11 * CHUNK + 3000]
    path.write_bytes(body if header else bytes(4096) + body[4096:])
    frame, damaged = _whole(path)
    assert [damage.lost for damage in damaged] == [1]
    found, told = _in_stretches(path, 3 * CHUNK)
    assert found.equals(frame)
    assert told == damaged


@pytest.mark.corpus
def test_damage_inside(large: Path, tmp_path: Path) -> None:
    """A chunk that is none, one whose records are overwritten, and a lying free space: the records of the others are all
    there, as often as in the whole file, and no place is used twice."""
    data = bytearray(large.read_bytes())
    data[4096 + 2 * CHUNK : 4096 + 2 * CHUNK + 8] = b"no chunk"
    data[4096 + 5 * CHUNK + 600 : 4096 + 5 * CHUNK + 900] = b"\xff" * 300
    data[4096 + 7 * CHUNK + 48 : 4096 + 7 * CHUNK + 52] = b"\xff\xff\xff\x7f"
    path = tmp_path / "damaged.evtx"
    path.write_bytes(data)
    whole, parts = _whole(path)[0], _in_stretches(path, 2 * CHUNK)
    assert parts[0]["message"].to_list() == whole["message"].to_list()
    assert parts[0]["log.offset"].is_unique().all()
    assert parts[1]


def test_small_or_empty(tmp_path: Path) -> None:
    """A file of no more than a stretch is not looked into; one that is shorter than its header is one stretch."""
    path = tmp_path / "a.evtx"
    path.write_bytes(b"ElfFile\x00")
    assert list(evtx_chunks.stretches(path, 8, CHUNK)) == [Stretch()]
    path.write_bytes(b"ElfFile\x00" + bytes(4088 + CHUNK))
    assert list(evtx_chunks.stretches(path, 4096 + CHUNK, CHUNK)) == [Stretch()]
    path.write_bytes(b"ElfFile\x00" + bytes(4088 + CHUNK) + b"x")
    assert list(evtx_chunks.stretches(path, 4097 + CHUNK, CHUNK)) == [
        Stretch(0, 4096 + CHUNK, 0),
        Stretch(4096 + CHUNK, None, 0),
    ]
