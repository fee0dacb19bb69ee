"""What a listener's runner is given: its configuration, its ways into the spool, and when to stop."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from collectors.transports.health import ListenerHealth
from collectors.transports.inlet import Inlet
from hinomi.errors import ConfigError, Where
from hinomi.identity import digest

DRAIN_SECONDS = 10.0
_LAST_TRY = 2.0
Of = TypeVar("Of")
"""The settings of the listener's kind (`collectors.settings.Listening`)."""


@dataclass(slots=True)
class Door(Generic[Of]):
    """One listener while it runs.

    inlet: its own origin; inlets: its own and its senders', by origin; state: a folder that outlives the
    process, for how far files were read; tried: set once the first attempt to start succeeded or failed.
    """

    name: str
    listener: Of
    inlet: Inlet
    inlets: Mapping[str, Inlet]
    state: Path
    stop: asyncio.Event
    tried: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def health(self) -> ListenerHealth:
        """What the listener says of itself."""
        return self.inlet.health

    def absolute(self, path: Path) -> Path:
        """A path of the configuration (`path:` of the listener). Raises ConfigError for a relative one."""
        if not path.is_absolute():
            where = Where(key=f"listen.{self.name}.path")
            raise ConfigError("絶対パスで書いてください。", "write an absolute path", where=where)
        return path

    def record(self, about: str, suffix: str) -> Path:
        """The file in which the listener keeps how far it is with what `about` names."""
        return self.state / f"{digest(self.name, about)[:16]}.{suffix}"

    def up(self, address: str = "", port: int = 0) -> None:
        """The listener works; port is the one that was bound."""
        self.health.address, self.health.port = address, port
        self.health.up, self.health.problem = True, ""
        self.tried.set()

    def down(self, problem: str) -> None:
        """The listener does not work, and why, in the user's words."""
        self.health.up, self.health.problem = False, problem
        self.tried.set()

    async def deliver(
        self, peer: str, payloads: list[bytes], client_ids: list[str], origin: str = ""
    ) -> bool:
        """Spool messages that can be read again; False when the stop came while the spool was full. origin: one of
        `inlets`, by default the listener's own."""
        inlet = self.inlets[origin] if origin else self.inlet
        sending = asyncio.create_task(inlet.deliver(peer, payloads, client_ids))
        stopping = asyncio.create_task(self.stop.wait())
        try:
            await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            done, _ = await asyncio.wait({sending}, timeout=_LAST_TRY)
        finally:
            stopping.cancel()
            sending.cancel()
        return sending in done and sending.exception() is None

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the stop."""
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            return
