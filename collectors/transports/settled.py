"""A folder into which others drop files: which of them are complete, and moving them away."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from hinomi.durable import sync_folder

_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
State = tuple[int, int]
"""Time of the last change in ns, and bytes."""


@dataclass(slots=True)
class SettledFiles:
    """One watched folder. A file is complete when two looks find it the same."""

    folder: Path
    states: dict[Path, State] = field(default_factory=dict)

    def look(self) -> list[Path]:
        """Complete files, oldest first."""
        found: dict[Path, State] = {}
        for path in self.folder.iterdir():
            if path.name.startswith(".") or path.name.lower().endswith(_UNFINISHED) or path.is_symlink():
                continue
            if (state := state_of(path)) is not None:
                found[path] = state
        before, self.states = self.states, found
        return sorted(
            (p for p, state in found.items() if before.get(p) == state), key=lambda p: (found[p], p)
        )


def state_of(path: Path) -> State | None:
    """A regular file's state; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return (status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None


def move(path: Path, folder: Path) -> Path | None:
    """Move a file without replacing another of its name; None for one that somebody took away meanwhile."""
    if not path.exists():
        return None
    target, number = folder / path.name, 2
    while target.exists():
        target = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    path.rename(target)
    sync_folder(folder)
    sync_folder(path.parent)
    return target
