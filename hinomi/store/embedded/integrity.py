"""Whether the files of events are what was written: there, as long, and of the same SHA-256.

Parquet's own checks do not tell: of single bits turned over in a file, two in five came back as other text without any
error, from Polars and DuckDB alike (`tests/hinomi/test_integrity.py`).
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import polars as pl

from hinomi.errors import PartDamaged, StoreError
from hinomi.store.embedded.manifest import File, Manifest
from hinomi.store.protocols import Flaw
from hinomi.text import inert
from hinomi.words import Words

UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What Polars says of a file that it cannot read or write: a panic is no Exception."""
_PATIENCE = 5.0  # seconds in which the file that made a question fail is looked for


class Harm(StrEnum):
    """What is wrong with a file."""

    GONE = "gone"
    LENGTH = "length"
    CHANGED = "changed"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> Words:
        """As people read it."""
        return _HARMS[self]


_HARMS = {
    Harm.GONE: Words("ありません", "is gone"),
    Harm.LENGTH: Words("書いたときと長さが違います", "has another length than was written"),
    Harm.CHANGED: Words(
        "書いたときと中身(SHA-256)が違います", "has other content (SHA-256) than was written"
    ),
    Harm.UNREADABLE: Words("読めません", "cannot be read"),
}


class Replaced(StoreError):
    """A file that was to be read is none of the store's any more: merged or dropped meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "読んでいる間に保管庫のファイルがまとめられたか、消されました。もう一度実行してください。",
            "files of the store were merged or dropped meanwhile; ask again",
        )


def _of_earlier(files: int) -> StoreError:
    return StoreError(
        f"以前の版の形のまま残っているファイルが {files} 個あり、ほかと一緒に検索できません。ディスクに空きを作って hinomi up を"
        "起動し直すと、書き直して検索できるようになります(hinomi doctor がデータセットを示します)。",
        f"{files} files are still in the form of an earlier release and cannot be asked together with the others; make room on"
        " the disk and start hinomi up again, which writes them anew (hinomi doctor names the datasets)",
    )


class Integrity:
    """The files of a store folder, compared with what its manifest says of them."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder = folder
        self._manifest = manifest

    def harm(self, file: File, *, whole: bool) -> Harm | None:
        """What is wrong with a file. whole: read it all; else it is only looked for and measured."""
        return harm_of(self._folder / file.path, file, whole=whole)

    def flaws(self) -> list[Flaw]:
        """Files that are gone or of another length: seen without reading any."""
        return [flaw(file, harm) for file, harm in self._looked(whole=False) if harm is not None]

    def verified(self, after: int = 0) -> Iterator[tuple[File, Harm | None]]:
        """Every file behind a place in the order of arrival, read whole, with what is wrong with it. One that has no hash
        yet gets that of what it is, where it can be read."""
        for file, harm in self._looked(whole=True, after=after):
            if harm is None and not file.sha256:
                harm = self._summed_up(file)
            yield file, harm

    def again(self, paths: Sequence[str]) -> Iterator[tuple[File, Harm]]:
        """Those of the files that are still not as they were written, read whole."""
        for file in self.still(paths):
            if harm := self.harm(file, whole=True):
                yield file, harm

    def still(self, paths: Iterable[str]) -> list[File]:
        """Those of the paths under which the store still has a file: neither merged, dropped nor given up meanwhile."""
        return list(filter(None, map(self._manifest.named, paths)))

    def _looked(self, *, whole: bool, after: int = 0) -> Iterator[tuple[File, Harm | None]]:
        for file in self._manifest.files():
            if file.seq <= after:
                continue
            harm = self.harm(file, whole=whole)
            if harm is None or self._manifest.named(file.path) is not None:  # not merged away meanwhile
                yield file, harm

    def _summed_up(self, file: File) -> Harm | None:
        try:
            self._manifest.sum_up(file, sum_of(self._folder / file.path))
        except OSError:
            return Harm.UNREADABLE
        return None

    @contextmanager
    def reading(self, file: File) -> Iterator[Path]:
        """Around reading a file with Polars. Raises PartDamaged, Replaced."""
        try:
            yield self._folder / file.path
        except UNREADABLE as error:
            if self._manifest.named(file.path) is None:
                raise Replaced from error
            raise self._damaged(file) from error

    def culprit(self, said: str, paths: Sequence[str]) -> StoreError | None:
        """Which of the files that a question read is why it failed: the one that is named in what was said (a slow reader's
        may be merged away), else the first, newest in arrival, that is not as it was written, else one that is still of an
        earlier release. A file that is named and whole is not called damaged: nothing could be put back."""
        read = [str(Path(path).relative_to(self._folder)) for path in reversed(paths)]
        if (path := next((path for path in read if path in said), None)) is not None:
            named = self._manifest.named(path)
            if named is None:
                return Replaced()
            if self.harm(named, whole=True) is not None:
                return self._damaged(named)
        files, end = self.still(read), time.monotonic() + _PATIENCE
        for whole in (False, True):
            for file in files:
                if self.harm(file, whole=whole) is not None:
                    return self._damaged(file)
                if time.monotonic() > end:
                    return None
        old = set(self._manifest.listed()).intersection(read)
        return _of_earlier(len(old)) if old else None

    def _damaged(self, file: File) -> PartDamaged:
        found = flaw(file, self.harm(file, whole=True) or Harm.UNREADABLE)
        place = inert(str(self._folder / file.path), 300)
        error = PartDamaged(
            f"保管庫のファイル {place} が{found.said.ja}({inert(file.dataset)}、{file.day}、{file.rows:,} 件)。"
            "写し(hinomi store snapshot)があれば hinomi store repair で戻せます。",
            f"the store's file {place} {found.said.en} ({inert(file.dataset)}, {file.day}, {file.rows:,} events); hinomi store"
            " repair brings it back from a copy",
        )
        error.behind, error.events = str(file.upto), file.rows
        return error


def harm_of(path: Path, file: File, *, whole: bool) -> Harm | None:
    """What is wrong with what lies under a path, compared with a file of the manifest. One that has no hash, of an earlier
    release, must be a file that can be read, of as many events."""
    try:
        if path.stat().st_size != file.bytes:
            return Harm.LENGTH
        if whole and not _same(path, file):
            return Harm.CHANGED
    except FileNotFoundError:
        return Harm.GONE
    except UNREADABLE:  # a broken sector, no right to read
        return Harm.UNREADABLE
    return None


def _same(path: Path, file: File) -> bool:
    if file.sha256:
        return sum_of(path) == file.sha256
    return pl.read_parquet(path).height == file.rows


def flaw(file: File, harm: Harm) -> Flaw:
    """As the store tells it."""
    return Flaw(file.path, file.dataset, file.day, file.rows, harm.words)


def sum_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
