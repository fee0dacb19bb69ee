"""What the disk does not take, in words: the store goes on, and whoever writes asks again once there is room."""

import sqlite3

from hinomi.errors import StoreError
from hinomi.text import inert

_OF_THE_DISK = ("os error", "Errno", "No space")
"""In what Polars says of an error of the operating system."""


def unwritable(error: BaseException) -> StoreError:
    """The error of a write that failed, and what to look at."""
    said = inert(str(error).partition("\n")[0], 200)
    if not isinstance(error, OSError | sqlite3.Error) and not any(
        word in str(error) for word in _OF_THE_DISK
    ):
        return StoreError(f"保管庫に書けません({said})。", f"the store cannot be written: {said}")
    return StoreError(
        f"保管庫に書けません({said})。ディスクの空きと、書く権利を確かめてください。",
        f"the store cannot be written: {said}; see whether the disk has room and may be written",
    )
