"""The sending side: new lines of followed files become numbered, signed batches in a folder.

What was read and what was written move on together, in one record: a sender that is killed at any point writes the same
lines into one batch, never into two or none.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collectors.transfer.manifest import Manifest, Packed, digest_of, sealed
from collectors.transports import place as places
from collectors.transports.place import Place
from collectors.transports.tail import Tail
from hinomi.durable import sync_folder, write_durably
from hinomi.errors import InputError, Where

_STAGING = ".staging"
_LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class Progress:
    """The sender's record. staged: names of the last batch's files, which are still to be shown or are; places: how
    far each origin's file was read."""

    epoch: str
    sequence: int = 0
    previous: str = ""
    staged: list[str] = field(default_factory=list)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Outbox:
    """One stream's sender. sources: origin → followed file; most: bytes of lines that close a batch; cut: lines that
    were longer than a line may be and went in pieces."""

    stream: str
    key: Ed25519PrivateKey
    out: Path
    state: Path
    sources: Mapping[str, Path]
    most: int = 8 << 20
    cut: int = 0
    progress: Progress = field(init=False)
    _tails: dict[str, Tail] = field(default_factory=dict)

    def open(self) -> None:
        """Go on where the last run was stopped, at whatever point."""
        for folder in (self.state, self.out, self._staging):
            folder.mkdir(parents=True, exist_ok=True)
        self.progress = _load(self._record)
        self._show()
        for leftover in self._staging.iterdir():  # of a batch that was never entered into the record
            leftover.unlink()
        for origin, path in self.sources.items():
            self._tails[origin] = Tail(path, self._place(origin), _LONGEST_LINE)

    def close(self) -> None:
        """Close the followed files."""
        for tail in self._tails.values():
            tail.close()

    def pack(self, *, beat: bool = False) -> Manifest | None:
        """The next batch; None where no line came. beat: a manifest without files tells that nothing did."""
        lines = {origin: found for origin, tail in self._tails.items() if (found := self._lines(tail))}
        if not lines and not beat:
            return None
        now, before = datetime.now(UTC).isoformat(timespec="seconds"), self.progress
        empty = Manifest(
            stream=self.stream,
            epoch=before.epoch,
            sequence=before.sequence + 1,
            made=now,
            previous=before.previous,
            files=(),
        )
        files = tuple(self._write(empty.label, origin, found) for origin, found in lines.items())
        manifest = empty.model_copy(update={"files": files})
        data, sha256 = sealed(manifest, self.key)
        name = f"{manifest.label}.manifest.txt"
        write_durably(self._staging / name, data)
        read = {origin: asdict(tail.place) for origin, tail in self._tails.items()}
        staged = [*(file.name for file in files), name]
        self.progress = Progress(before.epoch, manifest.sequence, sha256, staged, {**before.places, **read})
        write_durably(self._record, orjson.dumps(asdict(self.progress)))
        self._show()
        return manifest

    def _lines(self, tail: Tail) -> list[bytes]:
        """What is new in a file, up to a batch's size. A rotation may give nothing once and more after it."""
        found: list[bytes] = []
        size, empty = 0, 0
        while size < self.most and empty < 2:
            chunk = tail.next()
            if chunk is None:
                empty += 1
                continue
            self.cut += chunk.cut
            tail.commit(chunk)
            found += chunk.lines
            size += sum(map(len, chunk.lines)) + len(chunk.lines)
        return found

    def _write(self, label: str, origin: str, lines: list[bytes]) -> Packed:
        data = b"\n".join(lines) + b"\n"
        name = f"{label}-{origin}.log.txt"
        write_durably(self._staging / name, data)
        return Packed(name=name, origin=origin, sha256=digest_of(data), size=len(data), lines=len(lines))

    def _show(self) -> None:
        """Give the staged files their place: the lines before their manifest."""
        for name in self.progress.staged:
            staged = self._staging / name
            if staged.exists():
                os.replace(staged, self.out / name)  # noqa: PTH105  # onto itself where a crash came between
        sync_folder(self.out)

    def _place(self, origin: str) -> Path:
        """The tail's own record, put back to where the last batch ended."""
        path = self.state / f"{origin}.place"
        if (known := self.progress.places.get(origin)) is not None:
            places.save(path, Place(**known))
        else:
            path.unlink(missing_ok=True)
        return path

    @property
    def _record(self) -> Path:
        return self.state / f"{self.stream}.json"

    @property
    def _staging(self) -> Path:
        return self.out / _STAGING


def _load(path: Path) -> Progress:
    """The record; a new epoch where there is none. A damaged one is an error: to begin anew must be wanted."""
    if not path.exists():
        progress = Progress(secrets.token_hex(8))
        write_durably(path, orjson.dumps(asdict(progress)))
        return progress
    try:
        return Progress(**orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, TypeError):
        raise InputError(
            "送信の記録が壊れています。消すと、番号を 1 から数え直し、受け側に知らせが出ます。",
            "the sender's record is damaged; without it numbers begin anew, and the receiver tells so",
            where=Where(path),
        ) from None
