"""A machine's copy of what is shared: brought up to date, changed, and shared."""

import fcntl
import hashlib
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import orjson

from hinomi.durable import given_to_owner, owned_folder, write_durably
from hinomi.errors import Conflict, StoreError
from hinomi.named import why
from hinomi.store import Record, Records
from hinomi.store.parts import Parts
from ops.journal import log
from ops.shared.content import Content, Files, packed, unlike, unpacked
from ops.shared.undecided import Undecided, note

if TYPE_CHECKING:
    from ops.opened import Opened

_Done = TypeVar("_Done")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class State:
    """How a copy stands. version: of what came last, 0: nothing did; at, by: when and by whom it was decided; asked: when
    the store was last asked and answered; edited: whether the files here are others; newest: the store's version, 0: none, None: the
    store does not answer; undecided: files that are here alone, because of which nothing is taken over."""

    version: int
    at: str
    by: str
    asked: datetime | None
    edited: bool
    newest: int | None
    undecided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """kept: `<data>/shared`, where each copy's mark lies, and what was changed by hand and then replaced.

    A machine without a mark was never in line. What it holds alone then is no change of what is shared: it is merged where that
    can be (and merged anew with each version until the store has it), and left to a person (`Undecided`) otherwise.
    """

    content: Content
    records: Records
    kept: Path

    @classmethod
    def of(cls, content: Content, records: Records, data: Path) -> "Copy":
        """The copy of a data folder."""
        return cls(content, records, data / "shared")

    def renew(self) -> bool:
        """Lay down the newest version; whether there was one. What was changed here by hand is kept aside, and said.
        Raises StoreError, Undecided: all stays as it was then."""
        head = self._head()
        self._folder()
        with _refused(self._asked):
            self._asked.touch()
            given_to_owner(self._asked)
        mark = self._mark()
        if head is None or (head.body["sha256"], head.version) == (mark.get("sha256"), mark.get("version")):
            return False
        try:
            with self._locked():
                renewed, first = self._renew(), not mark
        except Undecided as error:
            self._waits(error.files)
            raise
        if renewed and first:
            self._waits(())
        return renewed

    def take(self) -> bool:
        """Lay down the newest version also where this machine holds others of its own, which are put aside; whether there is a
        newer one. Raises StoreError."""
        with self._locked():
            taken = self._renew(take=True)
        self._waits(())
        return taken

    def change(self, act: Callable[[], _Done], *, by: str, again: bool = False) -> _Done:
        """Do something to the newest files and share what comes of it. by: who decides; again: where another machine was
        quicker `act` is done anew on what it shared; otherwise Conflict is raised.

        Nothing at all is never shared as the first version: others may have something. Raises StoreError where it cannot be
        shared: the files are as before then; Undecided.
        """
        with self._locked():
            while True:
                self._renew()
                before = self._files()
                try:
                    done = act()
                    self._give()
                    now = self._files()
                    if now != before or self._own() or (now and self._head() is None):
                        self._share(by)
                except Conflict:
                    self._lay(before)
                    if not again:
                        raise
                except BaseException:
                    self._lay(before)
                    raise
                else:
                    return done

    def share(self, by: str) -> int:
        """Make the files of this machine the newest version, which they must be a change of; its number. A machine that was
        never in line adds its own to the newest; what they replace there is put aside. Raises Conflict where there is a newer
        one, StoreError."""
        with self._locked():
            version = self._joined(by)
        self._waits(())
        return version

    def is_damaged(self) -> bool:
        """Whether the newest version cannot be had, however often it is asked for: its record is none, or its archive is not
        whole. Raises StoreError where the store does not answer."""
        head = self._head(whole=False)
        if head is None or not _is_head(head):
            return head is not None
        return self._whole(self._parts.get(head.body["sha256"]), head) is None

    def mend(self, by: str) -> int:
        """Make the files of this machine the newest version where that is damaged; its number. Raises StoreError, also where there
        are none, Conflict where another machine did so meanwhile."""
        with self._locked():
            if not self.is_damaged():
                raise self._outrun()
            with _refused(self.content.folder):
                there = self.content.is_there()
            if not there:
                raise self._nothing()
            head, of = self._head(whole=False), ""
            if head is not None and _is_head(head):
                of = str(head.body["sha256"])
                self._parts.drop(of)  # parts that are there are not written again
            return self._share(by, of=of)

    def _joined(self, by: str) -> int:
        head = None if self._mark() else self._head(whole=False)
        if head is None or not _is_head(head):
            return self._share(by)
        shared, here = self._fetched(head), self._files()
        both = self.content.merged(shared, here)[0] if self.content.merged else {**shared, **here}
        if set(unlike(here, shared)) & shared.keys():
            self._put_aside(shared)
        try:
            self._lay(both)
            return self._share(by, of=head.body["sha256"])
        except BaseException:
            self._lay(here)
            raise

    def is_shared(self) -> bool:
        """Whether there is any version. Raises StoreError."""
        return self._head() is not None

    def newest(self) -> Files:
        """The files of the newest version as the store has them; none where there is none. Raises StoreError."""
        head = self._head()
        return self._fetched(head) if head is not None else {}

    def state(self) -> State:
        """See `State`; the files are read."""
        mark, files, newest = self._mark(), self._files(), None
        undecided: tuple[str, ...] = ()
        with suppress(StoreError):
            head = self._head()
            newest = head.version if head else 0
            if head is not None and not mark and files and self.content.decided:
                undecided = unlike(files, self._fetched(head))
        asked = self._asked.stat().st_mtime if self._asked.exists() else None
        return State(
            int(mark.get("version", 0)),
            str(mark.get("at", "")),
            str(mark.get("by", "")),
            None if asked is None else datetime.fromtimestamp(asked, UTC),
            bool(files or mark) and _sha256(files) != mark.get("laid", mark.get("sha256")),
            newest,
            undecided,
        )

    @property
    def _asked(self) -> Path:
        return self.kept / f"{self.content.id}.asked"

    @property
    def _parts(self) -> Parts:
        return Parts(self.records, self.content.kind)

    def _head(self, *, whole: bool = True) -> Record | None:
        """The record that names the newest version. whole: StoreError where it is none."""
        head = self.records.get(self.content.kind, self.content.id)
        if head is not None and whole and not _is_head(head):
            raise self._damaged(head)
        return head

    def _files(self) -> Files:
        with _refused(self.content.folder):
            return self.content.files()

    def _lay(self, files: Files) -> None:
        with _refused(self.content.folder):
            self.content.lay(files)

    def _give(self) -> None:
        """What a command as root changed in the data folder is the tower's."""
        folder = self.content.folder
        if os.geteuid() == 0 and folder.parent == self.kept.parent and folder.is_dir():
            with _refused(folder):
                for path in (folder, *sorted(folder.rglob("*"))):
                    given_to_owner(path)

    def _folder(self) -> None:
        with _refused(self.kept):
            owned_folder(self.kept, 0o700)
            given_to_owner(self.kept)

    def _write(self, path: Path, content: bytes) -> None:
        with _refused(path):
            owned_folder(path.parent, 0o700)
            write_durably(path, content)
            given_to_owner(path)

    def _mark(self) -> dict[str, Any]:
        """What came last."""
        try:
            found = orjson.loads((self.kept / f"{self.content.id}.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self, head: Record, laid: str) -> None:
        """laid: SHA-256 of the files here, which hold more than the version where some were merged."""
        said = {name: head.body[name] for name in ("sha256", "at", "by")}
        body = {"version": head.version, **said, "laid": laid}
        self._write(self.kept / f"{self.content.id}.json", orjson.dumps(body))

    @property
    def _own_file(self) -> Path:
        return self.kept / f"{self.content.id}.own.tar"

    def _own(self) -> Files:
        """What this machine alone held before it was in line, and no version has yet."""
        if not self._own_file.exists():
            return {}
        try:
            with _refused(self._own_file):
                return unpacked(self._own_file.read_bytes())
        except tarfile.TarError as error:
            log.warning("shared_not_merged", what=self.content.id, reason=f"{self._own_file}: {error}")
            return {}

    def _keep_own(self, own: Files) -> None:
        if own:
            self._write(self._own_file, packed(own))
        else:
            with _refused(self._own_file):
                self._own_file.unlink(missing_ok=True)

    def _waits(self, files: Sequence[str]) -> None:
        if self.content.decided:
            from ops.roles.start import machine_name  # which reads the settings, which name feeds

            with suppress(StoreError):  # said in the log in any case, and again at the next turn
                note(self.records, machine_name(self.kept.parent), self.content.id, files, datetime.now(UTC))

    def _renew(self, *, take: bool = False) -> bool:
        head, mark = self._head(), self._mark()
        if head is None:
            return False
        laid = str(mark.get("laid", mark.get("sha256")))
        if head.body["sha256"] == mark.get("sha256"):
            self._note(head, laid)
            return False
        shared, here = self._fetched(head), self._files()
        files, own = shared, Files()
        if self.content.decided and not mark and not take and (names := unlike(here, shared)):
            raise Undecided(self.content.words, names)
        if self.content.merged:
            files, own = self._merged(shared, self._own() if mark else here)
        if here and here != files and not (own and not mark) and _sha256(here) != laid:
            self._put_aside(here)
        self._keep_own(own)
        self._lay(files)
        self._note(head, _sha256(files))
        log.info(
            "shared_taken", what=self.content.id, version=head.version, by=head.body["by"], own=bool(own)
        )
        return True

    def _merged(self, shared: Files, own: Files) -> tuple[Files, Files]:
        if not own or self.content.merged is None:
            return shared, {}
        try:
            return self.content.merged(shared, own)
        except StoreError as error:  # what cannot be read matches nothing: it is put aside
            log.warning("shared_not_merged", what=self.content.id, reason=error.en)
            return shared, {}

    def _fetched(self, head: Record) -> Files:
        files = self._whole(self._parts.get(head.body["sha256"]), head)
        if files is None:
            raise self._damaged(head)
        return files

    @staticmethod
    def _whole(archive: bytes, head: Record) -> Files | None:
        """The files of a version's archive; None where it is not what the record names."""
        if hashlib.sha256(archive).hexdigest() != head.body["sha256"]:
            return None
        try:
            return unpacked(archive)
        except tarfile.TarError:
            return None

    def _damaged(self, head: Record) -> StoreError:
        name = self.content.words
        return StoreError(
            f"共有された「{name.ja}」の版 {head.version} が揃っていないか、壊れています。前の版を使い続けます。",
            f"version {head.version} of the shared {name.en} is not whole, or damaged; the one before stays in use",
        )

    def _put_aside(self, here: Files) -> None:
        place = self.kept / "aside" / f"{self.content.id}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.tar"
        self._write(place, packed(here))
        log.warning("shared_replaced_own_change", what=self.content.id, kept=str(place))

    def _share(self, by: str, of: str = "") -> int:
        """of: SHA-256 of the version that the files are a change of; otherwise what the mark says."""
        with _refused(self.kept), tempfile.TemporaryFile(dir=self.kept) as archive:
            self.content.pack(archive)
            return self._shared(archive, by, of)

    def _shared(self, archive: IO[bytes], by: str, of: str) -> int:
        size = archive.tell()
        archive.seek(0)
        sha256, head, mark = _digest(archive), self._head(whole=False), self._mark()
        old = dict(head.body) if head and _is_head(head) else {}
        if old and old["sha256"] not in (sha256, of or mark.get("sha256")):
            raise self._outrun()
        archive.seek(0)
        self._parts.put_file(sha256, archive, size)
        if head is None or old.get("sha256") != sha256:
            at = datetime.now(UTC).isoformat(timespec="seconds")
            body = {
                "sha256": sha256,
                "bytes": size,
                "by": by,
                "at": at,
                "before": old.get("sha256", ""),
            }
            try:
                head = self.records.put(
                    self.content.kind, self.content.id, body, expect=head.version if head else 0
                )
            except Conflict:
                raise self._outrun() from None
            if old.get("before") and old["before"] not in (sha256, old["sha256"]):
                self._parts.drop(old["before"])  # one version back is kept, for who is reading it
        self._note(head, sha256)
        self._keep_own({})
        return head.version

    def _outrun(self) -> Conflict:
        name = self.content.words
        return Conflict(
            f"「{name.ja}」は、ほかの機械で先に変更されました。もう一度実行してください。",
            f"another machine changed the {name.en} meanwhile; run the command again",
        )

    def _nothing(self) -> StoreError:
        name = self.content.words
        return StoreError(
            f"このデータフォルダに「{name.ja}」がありません。何もないものを配ると、すべての機械から消えるので、配りません。"
            "持っている機械のデータフォルダで実行してください。",
            f"this data folder holds no {name.en}: to share that would take them from every machine, so nothing is shared."
            " Run it with the data folder of a machine that has them",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process of a machine at a time."""
        self._folder()
        place = self.kept / f"{self.content.id}.lock"
        with _refused(place):
            handle = place.open("w")
        with handle:
            with _refused(place):
                given_to_owner(place)
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield


@contextmanager
def _refused(place: Path) -> Iterator[None]:
    """What the system refuses is a StoreError that names it."""
    try:
        yield
    except OSError as error:
        said, place = why(error), Path(error.filename or place)
        raise StoreError(
            f"{place}: 読み書きできません({said.ja})。", f"{place} cannot be read or written: {said.en}"
        ) from error


def _is_head(record: Record) -> bool:
    """Whether it names a version; whoever may write the records can write anything."""
    sha256, at, by, before = (record.body.get(name) for name in ("sha256", "at", "by", "before"))
    plain = isinstance(at, str) and isinstance(by, str) and isinstance(before, str | None)
    return plain and isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _sha256(files: Files) -> str:
    return hashlib.sha256(packed(files)).hexdigest()


def carried(place: "Opened", content: Content, act: Callable[[], _Done], *, by: str) -> _Done:
    """Do what a command does to the files; on a cluster to the newest, and for every machine."""
    if place.settings.store.kind == "embedded":
        return act()
    return Copy.of(content, place.records, place.data).change(act, by=by)
