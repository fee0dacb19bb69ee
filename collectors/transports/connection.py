"""One TCP connection that brings messages: read, cut, spool; read on only as fast as the spool takes."""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any, cast

from collectors.settings import READ_AHEAD
from collectors.transports.inlet import OVERHEAD, Held, Inlet

_SMALL = 64 << 10
_QUIET = 0.1


@dataclass(slots=True)
class Open:
    """The open connections of one listener. room: set while there is memory for what further ones bring."""

    limit: int
    held: Held
    connections: "set[Connection]" = field(default_factory=set)
    room: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self) -> None:
        """Read on and take connections in, or neither: see `Held`."""
        if self.held.full:
            self.room.clear()
        else:
            self.room.set()
        for one in list(self.connections):
            one.turn()

    async def drain(self, seconds: float) -> None:
        """Let each connection spool what it holds and what the kernel still has for it, then close it."""
        finishing = [asyncio.create_task(one.finish()) for one in self.connections]
        if finishing:
            _, late = await asyncio.wait(finishing, timeout=seconds)
            for task in late:
                task.cancel()
        for one in list(self.connections):
            one.abort()

    def sweep(self, stall: float) -> None:
        """Give up on half messages whose other half does not come."""
        now = asyncio.get_running_loop().time()
        for one in list(self.connections):
            if one.half_since is not None and not one.waits and now - one.half_since > stall:
                one.stalled()


class _Gone(asyncio.Transport):
    """In place of the transport of a closed connection whose messages still wait: that of TLS holds 256 KiB."""

    def is_closing(self) -> bool:
        """Yes."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """It is."""

    def abort(self) -> None:
        """It is."""


_GONE = _Gone()


class Connection(asyncio.Protocol):
    """Base of the stream protocols: a subclass cuts bytes into messages and may answer what is spooled."""

    def __init__(self, inlet: Inlet, others: Open) -> None:
        self.inlet = inlet
        self.others = others
        self.peer = ""
        self.half_since: float | None = None
        self.transport = cast(asyncio.Transport, None)
        self._loop = asyncio.get_running_loop()
        self._messages: list[bytes] = []
        self._size = self._half = 0
        self._task: asyncio.Task[None] | None = None
        self.waits = False
        self._last_data = 0.0

    def cut(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete."""
        raise NotImplementedError

    def rest(self) -> list[bytes]:
        """What is left when the stream ends or stalls."""
        raise NotImplementedError

    def half(self) -> int:
        """Bytes held of a message that is not whole yet."""
        raise NotImplementedError

    def stalled(self) -> None:
        """Half a message waits for too long."""
        raise NotImplementedError

    def ids(self, messages: list[bytes]) -> list[str] | None:
        """Identities that the sender gave these messages; None: it gives none."""

    def spooled(self, messages: list[bytes]) -> None:
        """These messages are durable: the place to acknowledge."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A sender connected."""
        self.transport = cast(asyncio.Transport, transport)
        address: Any = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        if (sock := transport.get_extra_info("socket")) is not None:  # a sender that lost power never says so
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.others.connections.add(self)
        self.inlet.health.connections += 1
        self.turn()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone; what it sent last is spooled all the same."""
        if exc is not None:
            self.inlet.health.errors["connection_reset"] += 1
        self.others.connections.discard(self)
        self.inlet.health.connections -= 1
        self.transport = _GONE
        rest = self.rest()
        self._watch_half()
        self.take(rest)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._last_data = self._loop.time()
        messages = self.cut(data)
        if messages:
            self.half_since = None
        self._watch_half()
        self.take(messages)
        if self._half > _SMALL and not self.inlet.held.plenty:
            self.inlet.health.errors["memory_limit"] += 1
            self.stalled()

    def take(self, messages: list[bytes]) -> None:
        """Queue messages for the spool."""
        if not messages:
            return
        self._messages += messages
        size = sum(map(len, messages)) + OVERHEAD * len(messages)
        self._size += size
        self.inlet.held.wait(size)
        if self._task is None:
            self._task = self._loop.create_task(self._spool())
            _running.add(self._task)
            self._task.add_done_callback(_running.discard)
        self.turn()

    def turn(self) -> None:
        """Read on, or wait: for its own messages to be spooled, or for those of all."""
        waits = self._size > READ_AHEAD or self.inlet.held.full
        if waits == self.waits or self.transport.is_closing():
            return
        self.waits = waits
        if waits:
            self.transport.pause_reading()
        else:
            self.half_since = self._loop.time() if self._half else None  # the other half could not come
            self._last_data = self._loop.time()
            self.transport.resume_reading()

    def _watch_half(self) -> None:
        half = self.half()
        self.inlet.held.bytes += half - self._half
        self._half = half
        if not half:
            self.half_since = None
        elif self.half_since is None:
            self.half_since = self._loop.time()

    async def finish(self) -> None:
        """Read until the sender is quiet, spool everything, close."""
        while not self.transport.is_closing() and (
            self._loop.time() - self._last_data < _QUIET or self._task is not None or self.waits
        ):
            await asyncio.sleep(_QUIET / 4)
        self.transport.close()
        while self._task is not None:
            await asyncio.wait([self._task])

    def abort(self) -> None:
        """Close now; what could not be spooled is counted."""
        if self._messages:
            self.inlet.lost(len(self._messages), "stopped_while_full")
            self._messages = []
        self.transport.abort()

    async def _spool(self) -> None:
        try:
            while self._messages:
                messages, size = self._messages, self._size
                self._messages, self._size = [], 0
                self.turn()
                try:
                    await self.inlet.deliver(self.peer, messages, self.ids(messages))
                except asyncio.CancelledError:
                    self.inlet.lost(len(messages), "stopped_while_full")
                    raise
                finally:
                    self.inlet.held.wait(-size)
                self.spooled(messages)
        finally:
            self._task = None


class Acknowledged(Connection):
    """Base of protocols that answer numbers: what was not answered the sender keeps, and sends again."""

    def __init__(self, inlet: Inlet, others: Open) -> None:
        super().__init__(inlet, others)
        self.numbers: list[int] = []

    def stalled(self) -> None:
        """Close; the sender sends it again."""
        self.inlet.health.errors["half_message"] += 1
        self.transport.close()

    def taken(self, messages: list[bytes]) -> list[int]:
        """The numbers of these messages, which are the oldest; they are to be answered now."""
        numbers, self.numbers = self.numbers[: len(messages)], self.numbers[len(messages) :]
        return numbers


_running: set[asyncio.Task[None]] = set()  # the loop itself holds tasks only weakly


async def leftover(seconds: float) -> None:
    """Wait for what closed connections left to spool; what takes longer is counted as lost."""
    if _running:
        _, late = await asyncio.wait(set(_running), timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
