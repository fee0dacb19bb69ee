"""A folder into which others drop files: which of them are complete, and moving them away."""

from dataclasses import dataclass, field
from pathlib import Path

from collectors.spool.folder import sync_folder

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
            try:
                if path.is_file():
                    status = path.stat()
                    found[path] = (status.st_mtime_ns, status.st_size)
            except FileNotFoundError:  # somebody took it away between the two questions
                continue
        before, self.states = self.states, found
        return sorted(
            (p for p, state in found.items() if before.get(p) == state), key=lambda p: (found[p], p)
        )


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
