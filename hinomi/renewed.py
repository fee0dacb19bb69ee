"""What is read from files that may be put in another's place while it is in use: a certificate, a token."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from hinomi.errors import ConfigError

T = TypeVar("T")
Mark = tuple[int, int, int, int] | None
_AGAIN = 30.0  # seconds


class Renewed(Generic[T]):
    """What the files hold. They are looked at (one stat(2) each) whenever it is asked for; once one is another they are read, and
    where they cannot be used what was there before stays. Then they are tried again every half minute, too: that a folder or
    a mount may be read by now is not seen at the file."""

    def __init__(
        self, files: Sequence[Path], read: Callable[[], T], told: Callable[[ConfigError | None], object]
    ) -> None:
        """told: hears of each change once, None where it counts, else why not. Raises what `read` raises."""
        self._files, self._read, self._told = files, read, told
        self._seen, self._again = self._marks(), float("inf")
        self._held = read()

    def now(self) -> T:
        """What counts now."""
        marks = self._marks()
        changed = marks != self._seen
        if changed or time.monotonic() >= self._again:
            self._seen = marks
            self._renew(said_already=not changed)
        return self._held

    def _renew(self, *, said_already: bool) -> None:
        try:
            self._held = self._read()
        except ConfigError as error:  # half of it is there, say: the next change is looked at again
            self._again = time.monotonic() + _AGAIN
            if not said_already:
                self._told(error)
        else:
            self._again = float("inf")
            self._told(None)

    def _marks(self) -> list[Mark]:
        return [_mark(file) for file in self._files]


def _mark(path: Path) -> Mark:
    """What differs once the file is another, or may be read by others; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
