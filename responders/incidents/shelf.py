"""Where the bytes of evidence lie: in a folder of one machine, or among the records of a cluster, for all to read.

Whoever reads compares them with their SHA-256 (`responders.incidents.evidence`), so a shelf need not be trusted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hinomi.durable import write_durably
from hinomi.store import Records
from hinomi.store.parts import Parts

KIND = "evidence_part"


class Shelf(Protocol):
    """Files by their SHA-256; what lies there is never written over."""

    def put(self, sha256: str, content: bytes) -> None:
        """Lay a file there, durably; one that is there stays."""

    def get(self, sha256: str) -> bytes:
        """Its bytes; none where it is not there."""

    def where(self, sha256: str) -> Path | None:
        """Its path, where it has one, for people to look at."""


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """`<first two digits>/<sha256>` below a folder, written whole and read-only."""

    folder: Path

    def put(self, sha256: str, content: bytes) -> None:
        """See `Shelf.put`."""
        place = self.where(sha256)
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(place, content, mode=0o400)

    def get(self, sha256: str) -> bytes:
        """See `Shelf.get`."""
        try:
            return self.where(sha256).read_bytes()
        except OSError:
            return b""

    def where(self, sha256: str) -> Path:
        """See `Shelf.where`."""
        return self.folder / sha256[:2] / sha256

    def all(self) -> Iterator[str]:
        """Hashes of what lies there."""
        return (path.name for path in sorted(self.folder.glob("??/*")) if not path.name.startswith("."))


@dataclass(frozen=True, slots=True)
class RecordShelf:
    """In parts of 4 MiB, a record each, that roles may add and nobody may change."""

    records: Records

    def put(self, sha256: str, content: bytes) -> None:
        """See `Shelf.put`."""
        Parts(self.records, KIND).put(sha256, content)

    def get(self, sha256: str) -> bytes:
        """See `Shelf.get`."""
        return Parts(self.records, KIND).get(sha256)

    def where(self, sha256: str) -> None:
        """See `Shelf.where`."""
