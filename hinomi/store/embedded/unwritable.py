"""What the disk does not take, in words: the store goes on, and whoever writes asks again once there is room."""

from hinomi.errors import StoreError
from hinomi.text import inert


def unwritable(error: BaseException) -> StoreError:
    """The error of a write that failed, and what to look at."""
    said = inert(str(error).partition("\n")[0], 200)
    return StoreError(
        f"保管庫に書けません({said})。ディスクの空きと、書く権利を確かめてください。",
        f"the store cannot be written: {said}; see whether the disk has room and may be written",
    )
