"""Files that a merge or a drop replaced stay on disk while somebody who may have begun before is reading.

Whoever reads page by page (an export, a hunt over months) holds a shared lock on one file meanwhile, which the system gives
up with the process, however it ends. Who deletes asks for it alone, and does without deleting where it is not to be had.
Another such lock is held by whoever writes a file until the manifest names it: till then it looks like one that a crash left.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from hinomi.durable import given_to_owner

_T = TypeVar("_T")
_TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN}
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """lock: the file; it holds nothing. Where it is not to be had (another account's, a file system without locks) that is
    logged: readers go on, and may be told to ask again, and replaced files stay as long as while somebody reads."""

    lock: Path

    def over(self, parts: Iterator[_T]) -> Iterator[_T]:
        """The parts, as long as which are asked for nothing is deleted. Close it when leaving early."""
        with self.shared():
            yield from parts

    @contextmanager
    def shared(self) -> Iterator[None]:
        """In the block nothing is deleted."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def by_nobody(self) -> Iterator[bool]:
        """Whether nobody holds it: then nobody begins to until the block ends."""
        with self._held(fcntl.LOCK_EX | fcntl.LOCK_NB) as free:
            yield free

    @contextmanager
    def _held(self, way: int) -> Iterator[bool]:
        """Whether the lock is held, in the block."""
        handle = None
        try:
            try:
                handle = os.open(self.lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                given_to_owner(self.lock)
                fcntl.flock(handle, way)
                held = True
            except OSError as error:
                held = False
                if error.errno not in _TAKEN:
                    log.warning("reading_lock_not_to_be_had", path=str(self.lock), reason=str(error))
            yield held
        finally:
            if handle is not None:
                os.close(handle)
