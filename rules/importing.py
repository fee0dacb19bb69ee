"""Other people's rules taken in: a SigmaHQ release (zip) or a folder, pinned by version and SHA-256, shown before it is live.

What is taken in lies in `<data>/rules/imported/<name>/`: `live/` is in force, `before/` is what was, `manifest.json` says
where it came from. Nothing outside that folder is written, whatever a zip names its files.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import orjson

from hinomi.errors import ContentError, InputError, Where
from rules.engine import load
from rules.engine.ruleset import Problem
from rules.in_force import BEFORE, IMPORTED, LIVE
from rules.lock import Locked, changes, live

MOST_FILES = 50_000
MOST_BYTES = 200_000_000
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


@dataclass(frozen=True, slots=True)
class Diff:
    """What would change: rules by id."""

    added: list[Locked] = field(default_factory=list)
    changed: list[Locked] = field(default_factory=list)
    removed: list[Locked] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    sha256: str = ""

    def lines(self) -> Iterator[str]:
        """For people: each rule with what happens to it, then the sums."""
        for sign, each in (("+", self.added), ("~", self.changed), ("-", self.removed)):
            for one in each:
                yield f"{sign} {one.title} ({one.id})"
        yield from map(str, self.problems)
        yield (
            f"追加 {len(self.added):,}、変更 {len(self.changed):,}、削除 {len(self.removed):,}、読めない {len(self.problems):,}"
            f" / added {len(self.added):,}, changed {len(self.changed):,}, removed {len(self.removed):,}, "
            f"unreadable {len(self.problems):,}"
        )
        yield f"SHA-256 {self.sha256}"


@dataclass(frozen=True, slots=True)
class Import:
    """One import. kept: `<data>/rules`; name: what it is known by; version: as its publisher numbers it."""

    source: Path
    kept: Path
    name: str
    version: str

    def prepare(self, sha256: str = "") -> Diff:
        """Read everything, beside what is live. Raises InputError where the hash is another, or the source unusable."""
        if not self.name or not set(self.name) <= _NAME or self.name.startswith("."):
            raise InputError(
                "--name は英小文字・数字・- _ . で書いてください。",
                "--name: lower-case letters, digits, - _ .",
            )
        files = dict(_zip(self.source) if self.source.is_file() else _folder(self.source))
        found = _digest(self.source, files)
        if sha256 and found != sha256.lower():
            raise InputError(
                f"SHA-256 が違います。期待 {sha256}、実際 {found}。取り込みません。",
                f"the SHA-256 differs: expected {sha256}, is {found}; nothing is taken in",
                where=Where(self.source),
            )
        shutil.rmtree(self._folder("new"), ignore_errors=True)
        for name, data in files.items():
            path = self._folder("new") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return self._diff(found)

    def _folder(self, which: str) -> Path:
        return self.kept / IMPORTED / self.name / which

    def _diff(self, sha256: str) -> Diff:
        new, held = load([self._folder("new")]), self._folder(LIVE)
        diff = Diff(problems=new.problems, sha256=sha256)
        for before, after in changes(live(load([held])) if held.exists() else [], live(new)):
            if before is None and after is not None:
                diff.added.append(after)
            elif after is None and before is not None:
                diff.removed.append(before)
            elif after is not None:
                diff.changed.append(after)
        return diff

    def go_live(self, diff: Diff, *, by: str, at: str) -> None:
        """Put what was prepared in force; what was live is kept as `before`."""
        about = {"name": self.name, "version": self.version, "sha256": diff.sha256, "by": by, "at": at}
        shutil.rmtree(self._folder(BEFORE), ignore_errors=True)
        if self._folder(LIVE).exists():
            self._folder(LIVE).rename(self._folder(BEFORE))
        self._folder("new").rename(self._folder(LIVE))
        self._folder("manifest.json").write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2))


def _digest(source: Path, files: dict[str, bytes]) -> str:
    """Of a zip its own; of a folder that of its rule files' names and contents."""
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return whole.hexdigest()


def _folder(source: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(source.rglob("*.yml")):
        if path.is_file() and not path.name.endswith(".test.yml"):
            yield path.relative_to(source).as_posix(), path.read_bytes()


def _zip(source: Path) -> Iterator[tuple[str, bytes]]:
    """The rule files of a zip. Raises ContentError for what is none, names that lead outside, or too much."""
    try:
        with zipfile.ZipFile(source) as archive:
            wanted = [one for one in archive.infolist() if _is_rule(one, source)]
            if len(wanted) > MOST_FILES or sum(one.file_size for one in wanted) > MOST_BYTES:
                raise ContentError("中身が大きすぎます。", "the archive holds too much", where=Where(source))
            for one in wanted:
                with archive.open(one) as opened:
                    yield one.filename, opened.read(one.file_size)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ContentError(
            "ZIP として読めません。", f"this is no readable zip: {error}", where=Where(source)
        ) from None


def _is_rule(one: zipfile.ZipInfo, source: Path) -> bool:
    path = PurePosixPath(one.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in one.filename:
        raise ContentError(
            "フォルダの外を指す名前が ZIP に含まれています。取り込みません。",
            "a name in the zip leads outside its folder; nothing is taken in",
            where=Where(source, None, one.filename[:200]),
        )
    return not one.is_dir() and path.suffix == ".yml" and not path.name.endswith(".test.yml")
