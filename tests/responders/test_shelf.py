"""Evidence on either shelf: the same bytes back, on a cluster also for a console elsewhere, and no change unseen."""

import hashlib
import secrets
from pathlib import Path

import pytest

from hinomi.clock import FixedClock
from hinomi.errors import ContentError
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from responders.incidents.evidence import Vault, verify_sealed
from responders.incidents.shelf import KIND, FolderShelf, RecordShelf, Shelf
from tests.responders.city import NIGHT


def _vault(records: SqliteRecords, shelf: Shelf) -> Vault:
    clock = FixedClock(NIGHT)
    return Vault(records, clock, Audit(records, clock), shelf)


@pytest.mark.parametrize("size", [0, 1, (4 << 20), (4 << 20) + 1, 9 << 20])
def test_what_is_laid_there_comes_back(tmp_path: Path, size: int) -> None:
    """Nothing, a byte, just a part, one byte more, several parts; laid there twice it is there once."""
    content, records = secrets.token_bytes(size), SqliteRecords(tmp_path / "records.sqlite")
    sha256 = hashlib.sha256(content).hexdigest()
    for shelf in (FolderShelf(tmp_path / "evidence"), RecordShelf(records)):
        assert shelf.get(sha256) == b""
        shelf.put(sha256, content)
        shelf.put(sha256, content)
        assert shelf.get(sha256) == content
    assert list(FolderShelf(tmp_path / "evidence").all()) == [sha256]
    assert records.count(KIND) == max(1, -(-size // (4 << 20)))
    records.close()


def test_a_console_elsewhere_reads_and_seals_what_the_responder_kept(tmp_path: Path) -> None:
    """Two vaults share nothing but the records; a part that somebody changed is told, not handed out."""
    records = SqliteRecords(tmp_path / "records.sqlite")
    here, there = _vault(records, RecordShelf(records)), _vault(records, RecordShelf(records))
    content = secrets.token_bytes(5 << 20)
    taken = here.take("i1", "memory.raw", content, by="hinomi", origin="playbook")
    assert there.read(taken.id, by="sato", why="調査") == content
    assert verify_sealed(there.sealed("i1", by="sato", why="警察へ"), records) == []
    part = records.get(KIND, f"{taken.body['sha256']}-0001")
    assert part is not None
    records.put(KIND, part.id, {**part.body, "base64": "AAAA"})
    with pytest.raises(ContentError, match="changed"):
        there.read(taken.id, by="sato", why="調査")
    records.delete(KIND, part.id)
    with pytest.raises(ContentError, match="gone"):
        there.read(taken.id, by="sato", why="調査")
    records.close()
