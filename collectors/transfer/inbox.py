"""The receiving side: takes each batch once, tells what is missing or wrong, sets aside what fails.

Order of things, so that a crash at any point neither loses nor doubles: findings are spooled, then files are set aside;
lines are spooled under identities that follow from their place in the batch, then the record says that the batch was
taken and which files it was, then these are moved away.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from collectors.transfer.chain import Chain, Turn
from collectors.transfer.drop import Drop, Lying
from collectors.transfer.findings import ORIGIN, Finding
from collectors.transfer.manifest import Packed, Sealed, Unfit, digest_of
from collectors.transports.door import Door
from hinomi.durable import write_durably
from hinomi.errors import InputError, Where

_AT_ONCE = 5000
_CHAINS = 1000


@dataclass(slots=True)
class Inbox:
    """One receiver. wait: seconds that what is missing may take; beat: seconds within which a batch must come (0: any).

    taken: the files of the batch that was taken last, which may not have been moved away yet; last: when it was.
    """

    door: Door[Any]
    drop: Drop
    record: Path
    stream: str
    wait: float
    beat: float
    chains: list[Chain] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    last: float = 0.0
    _told: set[str] = field(default_factory=set)

    async def open(self) -> None:
        """Go on where the last process was stopped."""
        held = await asyncio.to_thread(_load, self.record)
        self.chains = [Chain.of(chain) for chain in held.get("chains", [])]
        self.taken, self.last = held.get("taken", {}), float(held.get("last", time.time()))
        await asyncio.to_thread(self._finish_taken)

    def _finish_taken(self) -> None:
        """Move away what was taken when the process died before it could."""
        for name, sha256 in self.taken.items():
            path = self.drop.folder / name
            if path.is_file() and digest_of(path.read_bytes()) == sha256:
                self.drop.finish(path)

    async def round(self) -> None:
        """Look once, and do all that can be done. Returns early when the stop comes."""
        await asyncio.to_thread(self.drop.look, time.monotonic())
        for one in self.drop.unfit():
            await self.refuse(one, one.unfit)
        for one in self.drop.manifests():  # in order: taking one makes the next due, never one before it
            chain = await self._due(one)
            if chain is not None and not await self._take(chain, one):
                return
        await self._overdue()

    async def refuse(self, one: Lying, reason: str, first: int = 0) -> None:
        """Tell, then set aside."""
        await self.tell(Finding(reason, one.sha256 or one.path.name, file=one.path.name, first=first))
        self.door.health.errors[reason] += 1
        await asyncio.to_thread(self.drop.set_aside, one, reason)

    async def tell(self, finding: Finding) -> None:
        """Spool a finding; what this process told already is not told again."""
        identity = finding.identity(self.stream)
        if identity in self._told:
            return
        line = finding.line(self.door.name, self.stream)
        if await self.door.deliver(self.stream, [line], [identity], ORIGIN):
            self._told.add(identity)

    async def _due(self, one: Lying) -> Chain | None:
        """The chain that a batch can be taken into now; refuses what never can be."""
        sealed = one.sealed
        assert sealed is not None
        if sealed.manifest.stream != self.stream:
            await self.refuse(one, "wrong_stream")
            return None
        chain = await self._chain(sealed)
        try:
            turn = chain.turn(sealed)
        except Unfit as error:
            await self.refuse(one, error.reason, sealed.manifest.sequence)
            await self._set_aside_files(sealed, error.reason)
            return None
        missing = list(self._missing(sealed))
        await self._altered(missing)
        return chain if turn is Turn.TAKE and not missing else None

    async def _chain(self, sealed: Sealed) -> Chain:
        epoch = sealed.manifest.epoch
        for chain in self.chains:
            if chain.epoch == epoch:
                return chain
        if self.chains:
            await self.tell(Finding("restarted", epoch))
        self.chains = [*self.chains[-_CHAINS:], Chain(epoch)]
        return self.chains[-1]

    def _missing(self, sealed: Sealed) -> Iterator[Packed]:
        for file in sealed.manifest.files:
            if file.size and self.drop.holding(file.sha256) is None:
                yield file

    async def _altered(self, missing: list[Packed]) -> None:
        """A file that has the name of one that is missing, but not its content."""
        for file in missing:
            if (one := self.drop.named(file.name)) is not None:
                await self.refuse(one, "altered")

    async def _set_aside_files(self, sealed: Sealed, reason: str) -> None:
        """The lines that came with a manifest that is refused go where it goes."""
        for one in [one for file in sealed.manifest.files for one in self.drop.with_content(file.sha256)]:
            await asyncio.to_thread(self.drop.set_aside, one, reason)

    async def _take(self, chain: Chain, one: Lying) -> bool:
        """Spool a batch's lines, enter it into the record, move its files away; False when the stop came first."""
        sealed = one.sealed
        assert sealed is not None
        manifest, files = sealed.manifest, dict[Path, str]()
        for number, file in enumerate(manifest.files):
            path = self.drop.holding(file.sha256)
            data, sha256 = await asyncio.to_thread(_bytes, path)
            if path and sha256 != file.sha256:  # changed since it was looked at
                self.drop.changed(path)
                return False
            if not await self._spool(f"{manifest.epoch}.{manifest.sequence}.{number}", file, data):
                return False
            if path:
                files[path] = file.sha256
        late = chain.took(sealed)
        if late:
            await self.tell(Finding("recovered", sealed.sha256, first=manifest.sequence))
        files[one.path] = one.sha256
        self.taken = {path.name: sha256 for path, sha256 in files.items()}
        self.last = time.time()
        await asyncio.to_thread(self._save)
        for path in files:
            await asyncio.to_thread(self.drop.finish, path)
        return True

    async def _spool(self, batch: str, file: Packed, data: bytes) -> bool:
        lines = data.split(b"\n")[:-1]
        origin = file.origin if file.origin in self.door.inlets else self.door.name
        for start in range(0, len(lines), _AT_ONCE):
            part = lines[start : start + _AT_ONCE]
            ids = [f"{batch}:{start + i}" for i in range(len(part))]
            whole = [(line, identity) for line, identity in zip(part, ids, strict=True) if line.strip()]
            if whole and not await self.door.deliver(
                self.stream, [line for line, _ in whole], [identity for _, identity in whole], origin
            ):
                return False
        return True

    async def _overdue(self) -> None:
        """What has been waited for long enough."""
        now, monotonic, passed = time.time(), time.monotonic(), set[str]()
        for one in self.drop.manifests():
            if monotonic - one.since < self.wait:
                continue
            sealed = one.sealed
            assert sealed is not None
            chain, number = await self._chain(sealed), sealed.manifest.sequence
            if number > chain.next and chain.epoch not in passed:
                passed.add(chain.epoch)  # the batch behind the gap is due now: those after it wait for it
                gap = chain.skip_to(sealed, now)
                about = f"{chain.epoch}.{gap.first}.{gap.last}"
                await self.tell(Finding("gap", about, first=gap.first, last=gap.last))
                await asyncio.to_thread(self._save)
            if missing := list(self._missing(sealed)):
                names = ", ".join(file.name for file in missing[:5])
                await self.tell(Finding("incomplete", sealed.sha256, file=names, first=number))
        wanted = {f.sha256 for one in self.drop.manifests() if one.sealed for f in one.sealed.manifest.files}
        for plain in [one for one in self.drop.plain() if monotonic - one.since >= self.wait]:
            if plain.sha256 not in wanted:
                await self.refuse(plain, "no_manifest")
        if self.beat and now - self.last > self.beat:
            last = self.chains[-1].next - 1 if self.chains else 0
            await self.tell(Finding("stopped", f"{self.last:.3f}", last=last))

    def _save(self) -> None:
        body = {"chains": [one.as_dict() for one in self.chains], "taken": self.taken, "last": self.last}
        write_durably(self.record, orjson.dumps(body))


def _bytes(path: Path | None) -> tuple[bytes, str]:
    """What a file holds, and its digest."""
    try:
        data = path.read_bytes() if path else b""
    except FileNotFoundError:
        data = b""
    return data, digest_of(data)


def _load(path: Path) -> dict[str, Any]:
    try:
        held: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError:
        raise InputError(
            "受信の記録が壊れています。消すと、残っている束を初めから数え直します。",
            "the receiver's record is damaged; without it batches are counted anew",
            where=Where(path),
        ) from None
    return held
