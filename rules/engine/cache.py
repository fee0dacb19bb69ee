"""Files that only save time: written whole or not at all, believed only when their checksum holds.

Two processes may write the same name at once (the content is the same, the last rename wins); a torn,
changed or foreign file reads as absent and is made again.
"""

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"hinomi-cache-1\n"
_DIGEST = 32
_DAY = 24 * 3600


def key(*parts: bytes) -> str:
    """A name for what these bytes decide."""
    hasher = hashlib.blake2b(digest_size=20)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of such files; without a folder nothing is kept."""

    folder: Path | None

    def read(self, name: str) -> bytes | None:
        """The content of a name, or None where there is none to be believed."""
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            data = path.read_bytes()
            if time.time() - path.stat().st_mtime > _DAY:
                path.touch()  # so that what is used is not pruned
        except OSError:
            return None
        start = len(_MAGIC) + _DIGEST
        if not data.startswith(_MAGIC) or len(data) < start:
            return None
        content = data[start:]
        return content if _digest(content) == data[len(_MAGIC) : start] else None

    def write(self, name: str, content: bytes) -> None:
        """Keep the content. A full or read-only disk is no error: the next start is slower."""
        if self.folder is None:
            return
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".part-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_MAGIC + _digest(content) + content)
                Path(temporary).replace(self.folder / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def prune(self, days: int = 30) -> None:
        """Forget what no start has used for so long."""
        if self.folder is None:
            return
        with suppress(OSError):
            for path in self.folder.iterdir():
                if time.time() - path.stat().st_mtime > days * _DAY:
                    path.unlink(missing_ok=True)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()
