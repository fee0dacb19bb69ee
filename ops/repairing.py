"""`hinomi store verify|repair`: every file of an embedded store's events, and its databases, read and compared with what was
written; what is damaged is brought back from the copies of `hinomi store snapshot`, or given up by a person, with a reason."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hinomi.errors import InputError
from hinomi.ledger import Ledger
from hinomi.store import Records
from hinomi.store.embedded import ParquetEvents
from hinomi.store.embedded.integrity import Harm, flaw, harm_of, sum_of
from hinomi.store.embedded.manifest import File
from hinomi.store.protocols import Flaw
from hinomi.text import inert
from hinomi.words import Words
from ops.backup import Backups
from ops.counts import Counts
from ops.opened import Opened, opened, operator
from responders.audit import Audit

_MEANWHILE = (
    Words("いまは無事か、まとめられたか、消されています", "whole by now, or merged or dropped meanwhile"),
    True,
)
_DATABASES = ("records.sqlite", "events/manifest.sqlite")


def told(one: Flaw) -> str:
    """A damaged part in one line: where, whose events of which day, how many, what is wrong."""
    number = f" {one.events:,} 件 / events" if one.events is not None else ""
    about = f"{inert(one.dataset)} {one.day}{number}"
    return f"{inert(one.place)} ({about}): {one.said.ja} / {one.said.en}"


@dataclass(slots=True)
class Verified:
    """How many files of how many bytes were read, and a line for each that is damaged."""

    files: int = 0
    bytes: int = 0
    damaged: int = 0


def verify(data: Path) -> Iterator[str | Verified]:
    """A line for each damaged file or database, then what was read."""
    with _embedded(data) as (_, events):
        done = Verified()
        for said in _databases(data):
            done.damaged += 1
            yield said
        for file, harm in events.integrity.verified():
            done.files, done.bytes = done.files + 1, done.bytes + file.bytes
            if harm is not None:
                done.damaged += 1
                yield told(flaw(file, harm))
        yield done


def _databases(data: Path) -> Iterator[str]:
    for name in _DATABASES:
        with closing(sqlite3.connect(f"file:{data / name}?mode=ro", uri=True, timeout=60)) as database:
            try:
                [(said,), *_] = database.execute("pragma quick_check(1)").fetchall()
            except sqlite3.DatabaseError as error:
                said = str(error)
        if said != "ok":
            yield f"{name}: 壊れています / damaged: {inert(str(said), 200)}"


@contextmanager
def _embedded(data: Path) -> Iterator[tuple[Opened, ParquetEvents]]:
    with opened(data) as place:
        if not isinstance(place.events, ParquetEvents):
            raise InputError(
                "内蔵の保管庫だけの操作です。クラスタでは hinomi store status と hinomi store restore を使ってください。",
                "this is for an embedded store; on a cluster use hinomi store status and hinomi store restore",
            )
        yield place, place.events


@dataclass(frozen=True, slots=True)
class Repair:
    """copies: where those of `hinomi store snapshot` are; given_up: why what no copy has is to be given up, empty to leave
    it."""

    place: Opened
    events: ParquetEvents
    copies: Backups
    given_up: str = ""

    def run(self) -> Iterator[tuple[str, bool]]:
        """For each damaged file what was done, and whether the store answers again for it."""
        bad = [(file, harm) for file, harm in self.events.integrity.verified() if harm is not None]
        for file, harm in bad:
            line = told(flaw(file, harm))
            said, done = self._mended(file) or _MEANWHILE
            yield f"{line} → {said.ja} / {said.en}", done

    def _mended(self, known: File) -> tuple[Words, bool] | None:
        """None: it is whole by now, or none of the store's files any more. It is looked at again: reading all files takes
        hours, in which the store merges and drops."""
        found = next(self.events.integrity.again([known.path]), None)
        if found is None:
            return None
        file, harm = found
        mending = self.events.mending
        if (source := self._whole(file)) is not None:
            more: dict[str, object] = {"copy": str(source)}
            self._done("store.part_restored", file, harm, more, lambda: mending.put_back(file, source))
            return Words("写しから戻しました", f"put back from {inert(str(source))}"), True
        if parts := self._parts(file):
            number = len(parts)
            more = {"copy": str(parts[0]), "parts": number}
            if not self._done(
                "store.part_restored", file, harm, more, lambda: mending.make_anew(file, parts)
            ):
                return None
            return Words(
                f"写しの {number} 個から作り直しました", f"made anew from {number} files of a copy"
            ), True
        if self.given_up:
            more = {"reason": self.given_up}
            if not self._done("store.part_given_up", file, harm, more, lambda: mending.give_up(file)):
                return None
            _lost(self.place.records, file)
            return Words("失われたものとして外しました", "given up"), True
        return Words("どの写しにもありません", "no copy has it"), False

    def _whole(self, file: File) -> Path | None:
        """The file in a copy, as it was written."""
        for folder, held in self.copies.parts():
            for other, sha256 in held:
                path = folder / other.path
                same = other.path == file.path and harm_of(path, file, whole=True) is None
                if same and (file.sha256 or sum_of(path) == sha256):
                    return path
        return None

    def _parts(self, file: File) -> list[Path]:
        """Files of one copy that together hold what this one was merged of."""
        live = {one.path for one in self.events.files(file.dataset)}
        for folder, held in self.copies.parts():
            parts = [
                (folder / one.path, one, sha256)
                for one, sha256 in held
                if (one.dataset, one.day) == (file.dataset, file.day)
                and file.seq <= one.seq
                and one.upto <= file.upto
                and one.path not in live
            ]
            if sum(one.rows for _, one, _ in parts) == file.rows and all(
                harm_of(path, one, whole=True) is None and (one.sha256 or sum_of(path)) == sha256
                for path, one, sha256 in parts
            ):
                return [path for path, _, _ in parts]
        return []

    def _done(
        self, action: str, file: File, harm: Harm, more: dict[str, object], act: Callable[[], bool | None]
    ) -> bool:
        """Act, once the audit log says so; where it then comes to nothing (False, or an error), the log is told that too:
        an entry alone must not pass for the deed. Raises what the act raises."""
        self._say(action, file, harm, more)
        try:
            left = "replaced meanwhile" if act() is False else ""
        except BaseException as error:
            self._say("store.part_left", file, harm, {"because": inert(str(error) or type(error).__name__)})
            raise
        if left:
            self._say("store.part_left", file, harm, {"because": left})
        return not left

    def _say(self, action: str, file: File, harm: Harm, more: dict[str, object]) -> None:
        details = {"dataset": file.dataset, "day": file.day, "events": file.rows, "harm": harm.value, **more}
        Audit(self.place.records, self.place.clock).append(
            actor=operator(), action=action, target=file.path, details=details
        )


def _lost(records: Records, file: File) -> None:
    ledger = Ledger()
    ledger.count("dropped", file.rows, dataset=file.dataset, reason="part_damaged")
    Counts(records, "repair").save(ledger)


def repair(data: Path, folder: Path, given_up: str) -> Iterator[tuple[str, bool]]:
    """Mend what is damaged. Raises InputError where there are no copies."""
    if not folder.is_dir():
        raise InputError(f"写しの置き場 {folder} がありません。", f"there is no folder of copies {folder}")
    with _embedded(data) as (place, events):
        yield from Repair(place, events, Backups(folder), given_up).run()
