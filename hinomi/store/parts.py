"""Bytes among the records, in parts of 4 MiB, found by their SHA-256: one request carries a part, also after base64.

Whoever reads compares what comes with its hash, so what lies there need not be trusted.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from hinomi.errors import Conflict
from hinomi.store.protocols import Record, Records

_PART = 4 << 20


@dataclass(frozen=True, slots=True)
class Parts:
    """kind: of the records that hold them."""

    records: Records
    kind: str

    def put(self, sha256: str, content: bytes) -> None:
        """Lay it there. Cut off in the middle, it is gone on with: a part is the same however often it is made."""
        self.put_file(sha256, io.BytesIO(content), len(content))

    def put_file(self, sha256: str, content: IO[bytes], size: int) -> None:
        """The same of an open file, from where it stands, size bytes long: a part of it is held at a time."""
        of = max(1, -(-size // _PART))
        for n in range(of):
            text = base64.b64encode(content.read(_PART)).decode("ascii")
            try:
                self.records.put(self.kind, _part(sha256, n), {"of": of, "base64": text}, expect=0)
            except Conflict:
                continue

    def get(self, sha256: str) -> bytes:
        """The bytes; none where a part is not there, or is none."""
        found = list(self._held(sha256))
        try:
            return b"".join(base64.b64decode(one.body["base64"]) for one in found) if _whole(found) else b""
        except (KeyError, TypeError, ValueError):
            return b""

    def drop(self, sha256: str) -> None:
        """Take it out, the last part first: what is cut off here is no whole any more."""
        for one in reversed(list(self._held(sha256))):
            self.records.delete(self.kind, one.id)

    def _held(self, sha256: str) -> Iterator[Record]:
        n = 0
        while (held := self.records.get(self.kind, _part(sha256, n))) is not None:
            yield held
            n += 1
            if n == held.body.get("of"):
                return


def _whole(found: list[Record]) -> bool:
    return bool(found) and len(found) == found[0].body.get("of")


def _part(sha256: str, n: int) -> str:
    return f"{sha256}-{n:04d}"
