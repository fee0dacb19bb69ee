"""How far a lane of the spool was stored, as its own machine knows it.

On a cluster the checkpoints of all collectors lie in one index, which each of them may write: with one collector's password
another's lines could be called stored, and would be forgotten unread. So a machine believes its own note first. The note may
be behind, as it is written after the store's: then some lines are sent again, and stored once, as their ids are the same.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from collectors.spool.position import Position


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """folder: `<data>/stored`; lane: its name."""

    folder: Path
    lane: str

    def read(self) -> str | None:
        """None where nothing was noted, or the note was lost with the power."""
        try:
            return str(Position.parse(self._file.read_text(encoding="ascii")))
        except (OSError, ValueError):
            return None

    def note(self, after: str) -> None:
        """Not synced, for each block: what a power cut takes is only lines that are sent again. On a full disk it stays behind."""
        aside = self._file.with_suffix(".part")
        with contextlib.suppress(OSError):
            self.folder.mkdir(exist_ok=True, mode=0o700)
            aside.write_text(after, encoding="ascii")
            aside.replace(self._file)

    @property
    def _file(self) -> Path:
        return self.folder / self.lane.replace("/", "-")
