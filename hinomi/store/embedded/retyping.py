"""Files in which an earlier release kept a vendor's field as lists, or one under a name that is DuckDB's own, are written anew
(docs/decisions/0013): no question can be asked over those and newer ones together.

Which files may be such is noted in the manifest at first, and each is struck off once it is text. So whoever is interrupted
goes on where it was, and a damaged file, which stays as it is, is not forgotten until it is put back.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import structlog

from hinomi import ecs
from hinomi.batch import PLACE
from hinomi.errors import StoreError
from hinomi.store.embedded.integrity import UNREADABLE, Integrity
from hinomi.store.embedded.manifest import File, Manifest
from hinomi.store.embedded.segments import Segments

_TOLD_EACH = 50  # files; by a process with a journal: a command's output is its answer
_FAILED = (*UNREADABLE, StoreError, sqlite3.Error)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Retyping:
    """may: whether no process of an earlier release can be writing lists; asked only where a store is still of one."""

    manifest: Manifest
    integrity: Integrity
    segments: Segments
    may: Callable[[], bool]

    def run(self) -> None:
        """Write anew what can be. What fails, as on a full disk, is said and tried again at the next opening: a store must
        open all the same."""
        try:
            if self.manifest.has_lists():
                if not self.may():
                    return
                self.manifest.note_lists()
            if listed := self.manifest.listed():
                self._all(listed)
        except _FAILED as error:
            log.error("store_lists_left", reason=f"{type(error).__name__}: {error}"[:300])

    def put_back(self, file: File) -> None:
        """The file was brought from a copy as it was written: perhaps by an earlier release."""
        if _has_lists(self.segments.path_of(file)):
            self.manifest.note_listed(file.path)
            self.run()

    def _all(self, listed: Sequence[str]) -> None:
        files = [(path, self.manifest.named(path)) for path in listed]
        old = [file for _, file in files if file is not None and self._may_have_lists(file)]
        left = {file.path for file in old}
        self.manifest.listed_no_more([path for path in listed if path not in left])
        for number, file in enumerate(old, 1):
            if self.integrity.harm(file, whole=True) is None:
                self._one(file)
            if structlog.is_configured() and (number % _TOLD_EACH == 0 or number == len(old)):
                log.info("store_lists_written_anew", files=number, of=len(old))

    def _may_have_lists(self, file: File) -> bool:
        """By the file's footer, which costs little; of a damaged one nobody knows."""
        try:
            return _has_lists(self.segments.path_of(file))
        except UNREADABLE:
            return True

    def _one(self, file: File) -> None:
        """Raises what _FAILED names, unless the file was merged, dropped or written anew by another meanwhile."""
        try:
            self.segments.written_anew(file)
        except _FAILED:
            if self.manifest.named(file.path) is not None:
                raise
        self.manifest.listed_no_more([file.path])


def _has_lists(path: Path) -> bool:
    held = pl.read_parquet_schema(path).items()
    return any(
        (isinstance(dtype, pl.List) and ecs.several(name)) or name.lower() in PLACE for name, dtype in held
    )
