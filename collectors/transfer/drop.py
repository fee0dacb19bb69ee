"""The folder into which the gateway puts files: which manifests and which lines lie there, by content, not by name.

A backlog of thousands is usual (a gateway that was down for a night): what is asked for each file is an index, not a walk.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from collectors.transfer.keys import PublicKeys
from collectors.transfer.manifest import LARGEST_FILE, Sealed, Unfit, digest_of, is_manifest
from collectors.transports.settled import SettledFiles, State, move, state_of
from hinomi.durable import write_durably

DONE, QUARANTINE = "done", "quarantine"
_REASON = ".reason.json"


@dataclass(frozen=True, slots=True)
class Lying:
    """A complete file. since: when it was first seen, monotonic seconds; sealed: what it says, of a good manifest;
    unfit: why it is none."""

    path: Path
    state: State
    since: float
    sha256: str
    sealed: Sealed | None = None
    unfit: str = ""


@dataclass(slots=True)
class Drop:
    """One drop folder. aside: SHA-256 → file in quarantine: whatever it was refused for, a manifest may want its content."""

    folder: Path
    keys: PublicKeys
    lying: dict[Path, Lying] = field(default_factory=dict)
    aside: dict[str, Path] = field(default_factory=dict)
    quarantined: int = 0
    _settled: SettledFiles = field(init=False)
    _contents: dict[str, dict[Path, None]] = field(default_factory=dict)
    _aside_as: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._settled = SettledFiles(self.folder)
        for name in (DONE, QUARANTINE):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for path in (self.folder / QUARANTINE).glob(f"*{_REASON}"):
            self._keep(_told(path).get("sha256", ""), path.with_name(path.name.removesuffix(_REASON)))

    def look(self, now: float) -> None:
        """See what lies there now; a file is read once as long as it stays the same."""
        seen: dict[Path, Lying] = {}
        for path in self._settled.look():
            state, before = self._settled.states[path], self.lying.get(path)
            if before is not None and before.state == state:
                seen[path] = before
            elif (found := self._read(path, state, now)) is not None:
                seen[path] = found
        self.lying, self._contents = seen, {}
        for one in self.plain():
            self._contents.setdefault(one.sha256, {})[one.path] = None
        kept = os.listdir(self.folder / QUARANTINE)  # noqa: PTH208  # names only, many of them
        self.quarantined = sum(not name.endswith(_REASON) for name in kept)

    def manifests(self) -> list[Lying]:
        """Good manifests, in order of their numbers."""
        good = [one for one in self.lying.values() if one.sealed is not None]
        return sorted(good, key=lambda one: _order(one.sealed))

    def unfit(self) -> list[Lying]:
        """Files that are refused as they lie."""
        return [one for one in self.lying.values() if one.unfit]

    def plain(self) -> Iterator[Lying]:
        """Files of lines."""
        return (one for one in self.lying.values() if one.sealed is None and not one.unfit)

    def named(self, name: str) -> Lying | None:
        """The file of lines with this name."""
        one = self.lying.get(self.folder / name)
        return one if one is not None and one.sealed is None and not one.unfit else None

    def with_content(self, sha256: str) -> list[Lying]:
        """The files of lines with this content."""
        return [self.lying[path] for path in self._contents.get(sha256, ())]

    def holding(self, sha256: str) -> Path | None:
        """The file with this content, also one that was set aside."""
        return next(iter(self._contents.get(sha256, ())), None) or self.aside.get(sha256)

    def changed(self, path: Path) -> None:
        """A file is not what it was when it was looked at."""
        self._gone(path)

    def finish(self, path: Path) -> None:
        """A file was taken. One that was put there under its name meanwhile stays, to be looked at."""
        before = self._gone(path)
        if before is None or state_of(path) == before.state:
            move(path, self.folder / DONE)
        path.with_name(f"{path.name}{_REASON}").unlink(missing_ok=True)

    def set_aside(self, one: Lying, reason: str) -> None:
        """A file is refused, and why."""
        self._gone(one.path)
        kept = move(one.path, self.folder / QUARANTINE)
        if kept is None:
            return
        told = {"reason": reason, "sha256": one.sha256, "name": one.path.name}
        write_durably(kept.with_name(f"{kept.name}{_REASON}"), orjson.dumps(told))
        self._keep(one.sha256, kept)

    def _keep(self, sha256: str, path: Path) -> None:
        self.aside[sha256], self._aside_as[path] = path, sha256

    def _gone(self, path: Path) -> Lying | None:
        """It lies here no longer, nor in quarantine; what was known of it here."""
        sha256 = self._aside_as.pop(path, None)
        if sha256 is not None and self.aside.get(sha256) == path:
            del self.aside[sha256]
        one = self.lying.pop(path, None)
        if one is not None:
            self._contents.get(one.sha256, {}).pop(path, None)
        return one

    def forget_done(self, before: float) -> None:
        """Remove taken files that were moved away before a time, seconds since 1970."""
        for path in (self.folder / DONE).iterdir():
            if path.stat().st_ctime < before:
                path.unlink(missing_ok=True)

    def _read(self, path: Path, state: State, now: float) -> Lying | None:
        if state[1] > LARGEST_FILE:
            return Lying(path, state, now, "", unfit="too_large")
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        sha256 = digest_of(data)
        if not is_manifest(data):
            return Lying(path, state, now, sha256)
        try:
            return Lying(path, state, now, sha256, sealed=Sealed.opened(data, self.keys))
        except Unfit as error:
            return Lying(path, state, now, sha256, unfit=error.reason)


def _order(one: Sealed | None) -> tuple[str, int]:
    assert one is not None
    return one.manifest.epoch, one.manifest.sequence


def _told(path: Path) -> dict[str, str]:
    try:
        told: dict[str, str] = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}
