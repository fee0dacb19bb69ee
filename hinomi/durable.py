"""Files that survive a power cut: written aside, synced, and put in place under their name in one step."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replaced(path: Path, *, mode: int | None = None) -> Iterator[IO[bytes]]:
    """A file to write that takes `path`'s place when the block ends: a reader sees the old content or the new.

    `mode` are its permission bits: nobody whom they leave out can read it while it is written, and where the process
    dies, neither what is left beside; without, those of the umask. Where the block raises, nothing is left behind and
    the old content stays. Raises OSError.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(
        aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 if mode is None else mode
    )
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if mode is not None:
                os.fchmod(file.fileno(), mode)  # what the umask took away
            sync(file)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_durably(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace a small file as `replaced` does. Raises OSError."""
    with replaced(path, mode=mode) as file:
        file.write(content)


def sync(file: IO[bytes]) -> None:
    """What was written to an open file is on the disk when this returns. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make created, renamed and removed names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def given_to_owner(path: Path) -> None:
    """What root made in another account's folder is that account's: a command run as root before or beside the tower leaves
    nothing that the tower cannot use. A link is given itself, never what it leads to. Where a file system does not let root do
    that, all stays. Raises OSError."""
    if os.geteuid() != 0:
        return
    owner = path.parent.stat()
    if path.lstat().st_uid != owner.st_uid:
        with suppress(PermissionError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def owned_folder(path: Path, mode: int = 0o777) -> None:
    """Make a folder, and those above it that are missing, each the account's whose folder it lies in. Raises OSError."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    for one in reversed(missing):
        given_to_owner(one)
