"""What one process uses at a time: a folder for as long as it runs, or a file while it is read, changed and written."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hinomi.durable import given_to_owner
from hinomi.errors import HinomiError


def locked(folder: Path, error: HinomiError) -> IO[str]:
    """Hold the folder for this process while the returned file is open. Raises `error` where another process holds it."""
    handle = (folder / "lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise error from None
    return handle


@contextmanager
def one_by_one(path: Path) -> Iterator[None]:
    """While a file is read, changed and written: another process that wants to waits its turn. The lock is a file beside
    it, which stays, since the file itself is replaced. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.lock")
    with beside.open("a") as handle:
        given_to_owner(beside)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
