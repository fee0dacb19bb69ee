"""Damaged files of events: put back as they were, made anew from what they were merged of, or given up.

What was damaged stays beside its place as `….damaged`, for whoever wants to know what happened to it.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hinomi.durable import replaced
from hinomi.store.embedded.manifest import File
from hinomi.store.embedded.retyping import Retyping
from hinomi.store.embedded.segments import Segments


@dataclass(frozen=True, slots=True)
class Mending:
    """Works on the files of a store while it is read and written."""

    segments: Segments
    retyping: Retyping

    def put_back(self, file: File, source: Path) -> None:
        """The content of a copy in the place of a damaged file, which stays there until all of it is written. One of an
        earlier release is then written anew: beside others it could not be asked."""
        target = self.segments.path_of(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replaced(target) as made, source.open("rb") as read:
            shutil.copyfileobj(read, made)
            self._set_aside(file)
        self.retyping.put_back(file)

    def make_anew(self, file: File, parts: Sequence[Path]) -> bool:
        """A file of the parts that the damaged one was merged of. False: it is none of the store's any more."""
        done = self.segments.merge_into([file], parts)
        if done:
            self._set_aside(file)
        return done

    def give_up(self, file: File) -> bool:
        """The events of a file are lost: the store answers without them. False: it is none of the store's any more."""
        done = self.segments.replace([file], None)
        if done:
            self._set_aside(file)
        return done

    def _set_aside(self, file: File) -> None:
        path = self.segments.path_of(file)
        if path.exists():
            path.replace(path.with_suffix(".damaged"))
