"""Following a log file through rotation (by renaming, or by copying and truncating) and restarts."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from collectors.transports import line_ends
from collectors.transports import place as places
from collectors.transports.line_ends import LineEnds
from collectors.transports.place import FINGERPRINT_BYTES, Place

_CHUNK = 1 << 20
_SAVE_SECONDS = 1.0
_PACKED = frozenset({".gz", ".xz", ".bz2", ".zst", ".lz4"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines without their ends, their client ids, and the place after them.

    cut: lines that were longer than the limit and come in pieces; lost: a reason, where a part of a file was gone.
    """

    lines: list[bytes]
    ids: list[str]
    after: Place
    cut: int = 0
    lost: str = ""


@dataclass(slots=True)
class Tail:
    """One followed path. Synchronous, for a thread. settle: seconds that a renamed file must be quiet."""

    path: Path
    record: Path
    limit: int
    settle: float = 3.0
    place: Place = field(init=False)
    _file: int = -1
    _quiet_since: float | None = None
    _saved: float = 0.0
    _lost: str = ""

    def __post_init__(self) -> None:
        self.place = places.load(self.record)

    def next(self) -> Chunk | None:
        """The next lines, None while there are none. Raises OSError when the file cannot be read."""
        if self._file < 0 and not self._reopen():
            return None
        lost, self._lost = self._lost, ""
        if not self._is_ours():
            self.close()
            lost = self._recover()
        chunk = self._read()
        if chunk is not None or lost:
            self._quiet_since = None
            return replace(chunk, lost=lost) if chunk else Chunk([], [], self.place, lost=lost)
        return self._at_end()

    @property
    def is_open(self) -> bool:
        """Whether there is a file to follow."""
        return self._file >= 0

    def commit(self, chunk: Chunk) -> None:
        """The chunk is spooled: go on behind it. The record follows at most once a second."""
        self.place = self._with_head(chunk.after)
        if time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write the record now."""
        places.save(self.record, self.place)
        self._saved = time.monotonic()

    def close(self) -> None:
        """Close the file; the place stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _reopen(self) -> bool:
        """At the start: the file that was read last, under whatever name; else the one of our name."""
        if self.place.generation:
            known = self._find()
            if known is not None:
                self._file = known
                return True
            self._lost = "file_rotated_away"
        return self._begin(self.path)

    def _begin(self, path: Path) -> bool:
        """Follow a file from its start. Its identity is durable before its first line is read."""
        file = _open(path)
        if file is None:
            return False
        self._file = file
        self.place = self.place.next_file(os.fstat(file).st_ino)
        self.save()
        return True

    def _is_ours(self) -> bool:
        """Whether the open file still begins as it did and reaches as far as it was read."""
        head = bytes.fromhex(self.place.head)
        size = os.fstat(self._file).st_size
        return size >= self.place.offset and os.pread(self._file, len(head), 0) == head

    def _recover(self) -> str:
        """The file was truncated: what was not read yet may be in a copy; else start anew."""
        copy = self._find()
        if copy is not None:
            self._file = copy
            self.place = replace(self.place, inode=os.fstat(copy).st_ino)
            return ""
        self._begin(self.path)
        return "file_truncated"

    def _find(self) -> int | None:
        """An open file, under our name or a rotated one, that begins as ours did and is long enough."""
        head = bytes.fromhex(self.place.head)
        fallback: int | None = None
        for path in [self.path, *self._rotated()]:
            file = _open(path)
            if file is None:
                continue
            status = os.fstat(file)
            fits = status.st_size >= self.place.offset and os.pread(file, len(head), 0) == head
            if fits and status.st_ino == self.place.inode:
                if fallback is not None:
                    os.close(fallback)
                return file
            if fits and head and fallback is None:
                fallback = file
            else:
                os.close(file)
        return fallback

    def _read(self) -> Chunk | None:
        if self._file < 0:
            return None
        ends = self._ends()
        if not self._at_a_character(ends):
            return None
        longest = max(self.limit, _CHUNK)
        for size in (_CHUNK, longest - longest % len(ends.mark)):
            data = os.pread(self._file, size, self.place.offset)
            if end := ends.whole(data):
                return self._chunk(ends.split(data[:end]), end, ends)
            if len(data) < size:
                return None
        return replace(self._chunk([data], len(data), ends), cut=1)

    def _at_a_character(self, ends: LineEnds) -> bool:
        """Whether the place is where a character begins; one within a character, kept while files were read as bytes only, moves up
        behind it once the file reaches that far."""
        past = self.place.offset % len(ends.mark)
        if not past:
            return True
        offset = self.place.offset + len(ends.mark) - past
        if os.fstat(self._file).st_size < offset:
            return False
        self.place = replace(self.place, offset=offset)
        return True

    def _ends(self) -> LineEnds:
        """How the open file ends its lines; it may have been truncated and begun anew since it was asked last."""
        return line_ends.of(os.pread(self._file, 2, 0))

    def _chunk(self, raw: list[bytes], size: int, ends: LineEnds) -> Chunk:
        lines, ids = [], []
        offset = self.place.offset
        for line in raw:
            if text := ends.text(line):
                lines.append(text)
                ids.append(self.place.client_id(offset))
            offset += len(line) + len(ends.mark)
        return Chunk(lines, ids, replace(self.place, offset=self.place.offset + size))

    def _at_end(self) -> Chunk | None:
        """At the end of the file: stay, unless it was renamed and nobody writes to it any more."""
        if self._file < 0 or not self._is_rotated():
            self._quiet_since = None
            self._save_if_behind()
            return None
        now = time.monotonic()
        self._quiet_since = self._quiet_since or now
        if now - self._quiet_since < self.settle:
            return None
        ends = self._ends()
        rest = os.pread(self._file, self.limit - self.limit % len(ends.mark), self.place.offset)
        if rest:  # a last line without its end
            return self._chunk([rest], len(rest), ends)
        follower = self._oldest_unread(os.fstat(self._file).st_mtime_ns)
        self.close()
        self._begin(follower)
        return None

    def _is_rotated(self) -> bool:
        try:
            return self.path.stat().st_ino != os.fstat(self._file).st_ino
        except FileNotFoundError:
            return False

    def _oldest_unread(self, after_ns: int) -> Path:
        """The file that follows one last changed at this time: more than one rotation may have passed."""
        newer = []
        for path in self._rotated():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if status.st_mtime_ns > after_ns and status.st_ino != self.place.inode:
                newer.append((status.st_mtime_ns, path))
        return min(newer)[1] if newer else self.path

    def _rotated(self) -> Iterator[Path]:
        """Files whose names begin as ours: access.log.1, access.log-20261120; packed ones cannot be followed."""
        for path in sorted(self.path.parent.glob(f"{_quoted(self.path.name)}[.-]*")):
            if path.suffix not in _PACKED:
                yield path

    def _with_head(self, place: Place) -> Place:
        have = len(place.head) // 2
        if have >= FINGERPRINT_BYTES or place.offset <= have or self._file < 0:
            return place
        return replace(place, head=os.pread(self._file, min(FINGERPRINT_BYTES, place.offset), 0).hex())

    def _save_if_behind(self) -> None:
        if self._saved and self.place.offset and time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()
            self._saved = 0.0


def _open(path: Path) -> int | None:
    """An open regular file, None where there is none. Never waits on a pipe somebody put there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return None


def _quoted(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
