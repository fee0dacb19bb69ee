"""A folder that one process uses at a time."""

import fcntl
from pathlib import Path
from typing import IO

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
