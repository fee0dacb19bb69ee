"""The run folder of one data folder: who runs, on which ports, and a lock for one tower at a time."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from hinomi.errors import HinomiError

_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True, slots=True)
class RunDir:
    """`<data>/run`: a small JSON file a process, written whole or not at all."""

    folder: Path

    @classmethod
    def of(cls, data: Path) -> "RunDir":
        """The run folder of a data folder, made where missing."""
        folder = data / "run"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(folder)

    def write(self, name: str, body: Mapping[str, Any]) -> None:
        """Replace what a process says of itself; on a full disk what it said before stays: nobody dies of that."""
        temporary = self.folder / f".{name}.{os.getpid()}"
        try:
            temporary.write_bytes(orjson.dumps(body, default=str))
            temporary.replace(self.folder / f"{name}.json")
        except OSError as error:
            if error.errno not in _FULL:
                raise
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def read(self, name: str) -> dict[str, Any]:
        """What a process said last; empty when it never did."""
        try:
            found: dict[str, Any] = orjson.loads((self.folder / f"{name}.json").read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return {}
        return found

    def names(self) -> list[str]:
        """Processes that said something."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def forget(self, name: str) -> None:
        """Remove what a process said."""
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def lock(self) -> IO[str]:
        """Hold the folder for this process while the returned file is open. Raises when another does."""
        handle = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            holder = handle.read().strip() or "?"
            handle.close()
            raise HinomiError(
                f"このデータフォルダは別の hinomi up(プロセス {holder})が使っています: {self.folder.parent}",
                f"another hinomi up (process {holder}) uses this data folder: {self.folder.parent}",
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        return handle

    @staticmethod
    def held(data: Path) -> bool:
        """Whether a tower runs on a data folder: a process holds its run folder, this one or another."""
        try:
            with (data / "run" / "lock").open() as handle:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False


def alive(pid: int) -> bool:
    """Whether a process with this number runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
