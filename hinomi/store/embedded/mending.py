"""Damaged files of events: put back as they were, made anew from what they were merged of, or given up.

What was damaged stays beside its place as `….damaged`, for whoever wants to know what happened to it.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hinomi.durable import replaced
from hinomi.store.embedded.manifest import File
from hinomi.store.embedded.segments import Segments


@dataclass(frozen=True, slots=True)
class Mending:
    """Works on the files of a store while it is read and written."""

    segments: Segments

    def put_back(self, file: File, source: Path) -> None:
        """The content of a copy in the place of a damaged file."""
        self._set_aside(file)
        target = self.segments.path_of(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replaced(target) as made, source.open("rb") as read:
            shutil.copyfileobj(read, made)

    def make_anew(self, file: File, parts: Sequence[Path]) -> None:
        """A file of the parts that the damaged one was merged of."""
        self.segments.merge_into([file], parts)
        self._set_aside(file)

    def give_up(self, file: File) -> None:
        """The events of a file are lost: the store answers without them."""
        self.segments.replace([file], None)
        self._set_aside(file)

    def _set_aside(self, file: File) -> None:
        path = self.segments.path_of(file)
        if path.exists():
            path.replace(path.with_suffix(".damaged"))
