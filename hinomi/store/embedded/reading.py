"""Files that a merge or a drop replaced stay on disk while somebody who may have begun before is reading.

Whoever reads page by page (an export, a hunt over months) holds a shared lock on one file meanwhile, which the system gives
up with the process, however it ends. Who deletes asks for it alone, and does without deleting where it is not to be had.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reading:
    """lock: the file; it holds nothing."""

    lock: Path

    def over(self, parts: Iterator[_T]) -> Iterator[_T]:
        """The parts, as long as which are asked for nothing is deleted. Close it when leaving early."""
        with self.lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_SH)
            yield from parts

    @contextmanager
    def by_nobody(self) -> Iterator[bool]:
        """Whether nobody reads: then nobody begins to until the block ends."""
        with self.lock.open("a") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
