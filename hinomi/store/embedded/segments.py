"""The Parquet files of a store folder: written whole, merged where they are small, deleted when nobody reads them."""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import polars as pl

from hinomi import ecs
from hinomi.batch import Batch, spelled_all
from hinomi.clock import Clock
from hinomi.durable import given_to_owner, sync, sync_folder
from hinomi.store.embedded.integrity import UNREADABLE, Integrity, sum_of
from hinomi.store.embedded.manifest import File, Manifest
from hinomi.store.embedded.reading import Reading
from hinomi.store.embedded.unwritable import unwritable

_MERGE_BYTES = 64 * 1024 * 1024
_MERGE_FROM = 8
_GRACE_SECONDS = 300
_LONGEST_SECONDS = 24 * 3600
"""For which a replaced file stays: for questions of one answer, and at most for those who read page by page."""
_MANY_DAYS = 8


class Segments:
    """The files by dataset and day; a file that the manifest does not name yet does not exist for readers."""

    def __init__(
        self, folder: Path, manifest: Manifest, clock: Clock, integrity: Integrity, reading: Reading
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._clock = clock
        self._integrity = integrity
        self._reading = reading
        self.unnamed = Reading(folder / "writing.lock")
        """Held while files are there that the manifest does not name yet."""

    def path_of(self, file: File) -> Path:
        """Where a file is."""
        return self._folder / file.path

    def write(self, batches: Sequence[Batch]) -> list[File]:
        """The batches as new files, one a dataset and day, synced. Raises StoreError; then nothing of them stays."""
        files: list[File] = []
        try:
            for batch in batches:
                for day, frame in self._by_day(batch):
                    files.append(self._segment(batch.dataset, day, frame))
        except BaseException:
            self.discard(files)
            raise
        return files

    def _by_day(self, batch: Batch) -> Iterator[tuple[str, pl.DataFrame]]:
        days = batch.frame["@timestamp"].dt.strftime("%Y-%m-%d")
        if days.n_unique() > _MANY_DAYS:  # hostile or broken clocks must not make a file a day for a century
            common = set(days.value_counts(sort=True).head(_MANY_DAYS)[days.name].to_list())
            today = self._clock.now().strftime("%Y-%m-%d")
            days = pl.Series([day if day in common else today for day in days.to_list()])
        if days.n_unique() == 1:
            yield str(days[0]), batch.frame
            return
        parts = batch.frame.with_columns(days.alias("__day")).partition_by(
            "__day", as_dict=True, include_key=False
        )
        yield from ((str(key[0]), frame) for key, frame in parts.items())

    def _segment(self, dataset: str, day: str, frame: pl.DataFrame) -> File:
        folder = self._folder / _safe(dataset) / _safe(day)
        try:
            for part in (folder.parent, folder):
                part.mkdir(exist_ok=True)
                given_to_owner(part)
        except OSError as error:
            raise unwritable(error) from error
        path = folder / f"{uuid.uuid4().hex}.parquet"
        sha256 = _save(frame, path)
        first, last = _range(frame)
        name, size = str(path.relative_to(self._folder)), path.stat().st_size
        return File(name, dataset, day, first, last, frame.height, size, sha256=sha256)

    def discard(self, files: Sequence[File]) -> None:
        """Delete files that were written and are not named: an interruption may come right behind the commit that named
        them. Where the manifest does not say, they stay, to be swept."""
        try:
            named = self._manifest.all_paths()
        except sqlite3.Error:
            return
        for file in files:
            if file.path not in named:
                self.path_of(file).unlink(missing_ok=True)

    def replace(self, files: list[File], whole: File | None) -> bool:
        """Name a file in place of others, which stay for a while for those who read them. False: one of them is named no
        more, and nothing was changed."""
        return self._manifest.replace(files, whole, self._seconds())

    def merge(self) -> int:
        """Merge small files that arrived one after the other; how many. Damaged ones stay as they are, to be found: a file
        that they went into would have a hash of its own."""
        merged = 0
        groups: dict[tuple[str, str], list[File]] = {}
        for file in self._manifest.files():
            if file.bytes < _MERGE_BYTES // 4:
                groups.setdefault((file.dataset, file.day), []).append(file)
        for files in groups.values():
            for part in _portions(files):
                for run in self._whole(part):
                    if len(run) > 1 and self.merge_into(run, [self.path_of(file) for file in run]):
                        merged += len(run)
        return merged

    def _whole(self, part: list[File]) -> Iterator[list[File]]:
        """The whole ones between the damaged ones: a merged file must not cover the place of one that may be put back."""
        for whole, run in groupby(part, key=lambda file: self._integrity.harm(file, whole=True) is None):
            if whole:
                yield list(run)

    def merge_into(self, named: list[File], paths: Sequence[Path]) -> bool:
        """One new file of what these paths hold, in place of those that the manifest names so far. False: it names one of
        them no more, and all is as it was."""
        # earlier releases wrote other types and names
        frames = [spelled_all(ecs.conform(pl.read_parquet(path))) for path in paths]
        frame = pl.concat(frames, how="diagonal").sort("@timestamp", maintain_order=True)
        seq, upto = min(file.seq for file in named), max(file.upto for file in named)
        with self.unnamed.shared():
            new, done = self._segment(named[0].dataset, named[0].day, frame), False
            try:
                done = self.replace(named, replace(new, seq=seq, upto=upto))
            finally:
                if not done:
                    self.discard([new])
        return done

    def written_anew(self, file: File) -> bool:
        """A file with the types of this release in place of one, which is deleted at once unless somebody reads page by
        page: where all are written anew, the disk need hold only one of them twice. Another question that meets that
        begins again. False: it is named no more."""
        done = self.merge_into([file], [self.path_of(file)])
        if done:
            with self._reading.by_nobody() as free:
                if free:
                    self._delete([file.path])
        return done

    def sweep(self, *, orphans: bool = False) -> int:
        """See `ParquetEvents.sweep`."""
        paths = self._swept()
        return len(paths) + (self._lost() if orphans else 0)

    def _lost(self) -> int:
        """Files that a crash left before the manifest named them, deleted; none while somebody is writing some."""
        with self.unnamed.by_nobody() as free:
            if not free:
                return 0
            live = self._manifest.all_paths()
            found = [
                path
                for path in self._folder.rglob("*.parquet*")
                if str(path.relative_to(self._folder)) not in live
            ]
            for path in found:
                path.unlink(missing_ok=True)
        return len(found)

    def _swept(self) -> list[str]:
        """Replaced files, deleted."""
        with self._reading.by_nobody() as free:
            paths = self._manifest.gone(self._seconds() - (_GRACE_SECONDS if free else _LONGEST_SECONDS))
            self._delete(paths)
        return paths

    def _delete(self, gone: Sequence[str]) -> None:
        for path in gone:
            (self._folder / path).unlink(missing_ok=True)
        self._manifest.forget(gone)

    def _seconds(self) -> int:
        return int(self._clock.now().timestamp())


def _safe(name: str) -> str:
    """A dataset or day as a folder name."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name).lstrip(".") or "_"


def _save(frame: pl.DataFrame, path: Path) -> str:
    """Write and sync, the file and its folder: after this a power cut does not lose it. The content's SHA-256. Where that
    fails, as on a full disk, nothing of the file stays, and StoreError is raised."""
    try:
        with path.open("wb") as handle:
            frame.write_parquet(handle, compression="zstd", compression_level=3, statistics=True)
            sync(handle)
        given_to_owner(path)
        sync_folder(path.parent)
        return sum_of(path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, UNREADABLE):
            raise unwritable(error) from error
        raise


def _range(frame: pl.DataFrame) -> tuple[int, int]:
    times = frame["@timestamp"].to_physical()
    first, last = times.min(), times.max()
    assert isinstance(first, int) and isinstance(last, int)
    return first, last


def _portions(files: Sequence[File]) -> Iterator[list[File]]:
    """Files to merge together: at least _MERGE_FROM, at most _MERGE_BYTES, neighbours in arrival."""
    part: list[File] = []
    size = 0
    for file in files:
        if part and size + file.bytes > _MERGE_BYTES:
            yield part
            part, size = [], 0
        part.append(file)
        size += file.bytes
    if len(part) >= _MERGE_FROM:
        yield part
