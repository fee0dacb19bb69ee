"""Files that only save time: written whole or not at all, believed only when their checksum holds.

Two processes may write the same name at once (either content will do, the last rename wins); a torn,
changed or foreign file is taken away, made again, and counted with the reason.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC = b"hinomi-cache-1\n"
_DIGEST = 32
_DAY = 24 * 3600

DAMAGED = "damaged"
"""The checksum does not hold: torn, cut, changed."""
FOREIGN = "foreign"
"""Whole, and yet not what this release, or this kind of processor, can read."""


def key(*parts: bytes) -> str:
    """A name for what these bytes decide."""
    hasher = hashlib.blake2b(digest_size=20)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big"))
        hasher.update(part)
    return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of such files; without a folder nothing is kept.

    distrusted: how many files were made again, by (kind, reason); the kind is what their names begin with.
    """

    folder: Path | None
    distrusted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def read(self, name: str) -> bytes | None:
        """The content of a name, or None where there is none to be believed."""
        if self.folder is None:
            return None
        try:
            data = (self.folder / name).read_bytes()
        except OSError:
            return None
        start = len(_MAGIC) + _DIGEST
        content = data[start:]
        if not data.startswith(_MAGIC) or _digest(content) != data[len(_MAGIC) : start]:
            self.distrust(name, DAMAGED)
            return None
        self.holds(name)
        return content

    def holds(self, name: str) -> bool:
        """Whether the name is there (or nothing is kept); it counts as used, so that it is not pruned."""
        if self.folder is None:
            return True
        path = self.folder / name
        try:
            if time.time() - path.stat().st_mtime > _DAY:
                path.touch()
        except OSError:
            return False
        return True

    def distrust(self, name: str, reason: str) -> None:
        """Take away what cannot be used, and count it."""
        self.distrusted[name.partition("-")[0], reason] += 1
        self.remove(name)

    def remove(self, name: str) -> None:
        """Forget a name; where it cannot be removed it is written over."""
        if self.folder is not None:
            with suppress(OSError):
                (self.folder / name).unlink(missing_ok=True)

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

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While something dear is made: another process that wants to make it too waits, and then finds it there. A folder
        that cannot be written to is no error."""
        with ExitStack() as stack:
            if self.folder is not None:
                with suppress(OSError):
                    self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                    handle = os.open(self.folder, os.O_RDONLY)
                    stack.callback(os.close, handle)
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield

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
