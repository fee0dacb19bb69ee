"""Where the bytes of evidence lie: in a folder of one machine, or among the records of a cluster, for all to read.

Whoever reads compares them with their SHA-256 (`responders.incidents.evidence`), so a shelf need not be trusted.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hinomi.durable import write_durably
from hinomi.errors import Conflict
from hinomi.store import Records

KIND = "evidence_part"
_PART = 4 << 20  # bytes: one request carries a part, also after base64


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
        """See `Shelf.put`. Cut off in the middle, it is gone on with: a part is the same however often it is made."""
        of = max(1, -(-len(content) // _PART))
        for n in range(of):
            text = base64.b64encode(content[n * _PART : (n + 1) * _PART]).decode("ascii")
            try:
                self.records.put(KIND, _part(sha256, n), {"of": of, "base64": text}, expect=0)
            except Conflict:
                continue

    def get(self, sha256: str) -> bytes:
        """See `Shelf.get`."""
        parts: list[bytes] = []
        while (held := self.records.get(KIND, _part(sha256, len(parts)))) is not None:
            parts.append(base64.b64decode(held.body["base64"]))
            if len(parts) == held.body["of"]:
                return b"".join(parts)
        return b""

    def where(self, sha256: str) -> None:
        """See `Shelf.where`."""


def _part(sha256: str, n: int) -> str:
    return f"{sha256}-{n:04d}"
