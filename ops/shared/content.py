"""What travels: some files of a folder, and the kind of record that may hold them."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from collectors.indicators.held import FILE, PENDING, WITHDRAWN, merged
from hinomi.durable import given_to_owner, owned_folder, write_durably
from hinomi.errors import StoreError
from hinomi.words import Words
from rules import in_force, lock

if TYPE_CHECKING:
    from ops.settings import Settings

RULES, LISTS = "shared_rules", "shared_lists"
"""Kinds of records: what consoles decide, and what the responder takes in. Neither part may write the other's."""
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Content:
    """kind, id: of the record; folder: where its files lie; words: its name; only: the files that it is; none:
    what people decide about rules, in many; merged: of (files shared, files of this machine alone) all of them, and those
    that it alone holds; none: they do not mix."""

    kind: str
    id: str
    folder: Path
    words: Words
    only: tuple[str, ...] = ()
    merged: Callable[[Files, Files], tuple[Files, Files]] | None = None

    @property
    def decided(self) -> bool:
        """Whether people decide it, and so between two of it."""
        return self.kind == RULES

    def files(self) -> Files:
        """Each file's bytes by its relative path."""
        return {name: (self.folder / name).read_bytes() for name in sorted(self._names())}

    def is_there(self) -> bool:
        """Whether there is anything: of named files the first, which the others go with. Raises OSError."""
        return self.only[0] in self._names() if self.only else any(True for _ in self._names())

    def pack(self, into: IO[bytes]) -> None:
        """Write the archive that `packed` makes of the files; none is held whole. Raises OSError."""
        with _archive(into) as archive:
            for name in sorted(self._names()):
                with (self.folder / name).open("rb") as file:
                    _add(archive, name, os.fstat(file.fileno()).st_size, file)

    def lay(self, files: Mapping[str, bytes]) -> None:
        """Bring the folder in line: what is the same stays untouched, so that nobody reads it anew. Raises OSError, and
        StoreError for a name that leads elsewhere."""
        for name in files:
            if not self._is_own(name):
                raise StoreError(
                    f"共有された「{self.words.ja}」に、ここに置けない名前があります: {name!r}",
                    f"what was shared holds a name that has no place here: {name!r}",
                )
        for name in set(self._names()) - files.keys():
            (self.folder / name).unlink(missing_ok=True)
        for name, content in files.items():
            path = self.folder / name
            if not path.is_file() or path.read_bytes() != content:
                owned_folder(path.parent)
                write_durably(path, content)
                given_to_owner(path)

    def _names(self) -> Iterator[str]:
        for path in map(self.folder.joinpath, self.only) if self.only else self.folder.glob("**/*"):
            name = path.relative_to(self.folder).as_posix()
            if self._is_own(name) and path.is_file() and not path.is_symlink():
                yield name

    def _is_own(self, name: str) -> bool:
        path = PurePosixPath(name)
        plain = path.parts and not path.is_absolute() and "\0" not in name and path.as_posix() == name
        if not plain or ".." in path.parts:
            return False
        return name in self.only if self.only else _of_rules(path.parts)


def unlike(own: Mapping[str, bytes], shared: Mapping[str, bytes]) -> tuple[str, ...]:
    """Names of files that are not in what is shared, or are others there."""
    return tuple(sorted(name for name, content in own.items() if shared.get(name) != content))


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as one tar archive: the same files make the same bytes."""
    made = io.BytesIO()
    with _archive(made) as archive:
        for name, content in sorted(files.items()):
            _add(archive, name, len(content), io.BytesIO(content))
    return made.getvalue()


def _archive(into: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=into, mode="w", format=tarfile.PAX_FORMAT)


def _add(archive: tarfile.TarFile, name: str, size: int, file: IO[bytes]) -> None:
    """A name and its bytes alone: the same files make the same archive on whichever machine and day."""
    about = tarfile.TarInfo(name)
    about.size = size
    archive.addfile(about, file)


def unpacked(content: bytes) -> Files:
    """The files of such an archive; nothing is written. Raises tarfile.TarError, also where it holds anything but files."""
    found: Files = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isreg() else None
            if opened is None:
                raise tarfile.ReadError(f"{member.name!r} is no file")
            found[member.name] = opened.read()
    return found


def rules(data: Path) -> Content:
    """The sets taken in, exceptions, switches and the approval that a data folder keeps."""
    return Content(RULES, "rules", data / in_force.KEPT, Words("ルールの決定", "decisions on rules"))


def _of_rules(parts: tuple[str, ...]) -> bool:
    match parts:
        case (in_force.CHOICE,) | (lock.NAME,) | (in_force.IMPORTED, _, "manifest.json"):
            return True
        case (in_force.EXCEPTIONS, *_, name) | (in_force.IMPORTED, _, in_force.LIVE, *_, name):
            return name.endswith(".yml") and not name.startswith(".")
    return False


def indicators(data: Path) -> Content:
    """The indicators that a data folder holds, and what whoever leads next must know of them."""
    own = (FILE, PENDING, WITHDRAWN)
    return Content(LISTS, "indicators", data / "indicators", Words("指標", "indicators"), own, merged)


def feed(name: str, file: Path) -> Content:
    """The file that a feed replaces."""
    words = Words(f"feeds.{name}", f"feeds.{name}")
    return Content(LISTS, f"feed-{name}", file.absolute().parent, words, (file.name,))


def contents(settings: "Settings", data: Path, role: str) -> list[Content]:
    """What a process of this role needs. Raises nothing: what was never shared is not there."""
    found = [rules(data)]
    if role not in ("detect", "console"):
        found += [indicators(data), *(feed(name, one.file) for name, one in settings.feeds.items())]
    return found
