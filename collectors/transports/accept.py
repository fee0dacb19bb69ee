"""Taking in connections only as fast as there is memory for what they bring.

asyncio's own server takes every connection at once and reads each; a sender who opens a new one for every few lines would
so fill the memory, however slowly each single connection is read. Here a connection that has no room waits in the kernel,
and its sender with it.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.transports.connection import Connection, Open

_BACKLOG = 512
_HANDSHAKE = 15.0
_READ_AHEAD_OF_TLS = 64 << 10
_NO_MORE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_TRY_AGAIN = 1.0


async def listening(address: str, port: int) -> list[socket.socket]:
    """The sockets of an address, one for each of its families. Raises OSError when the port cannot be bound."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, address, port, start_serving=False)
    sockets = [one.dup() for one in server.sockets]
    server.close()
    for one in sockets:
        one.setblocking(False)
        one.listen(_BACKLOG)
    return sockets


@dataclass(slots=True)
class Acceptor:
    """One listener's way in. factory: makes the protocol of a connection; context: of TLS."""

    others: Open
    factory: Callable[[], Connection]
    context: ssl.SSLContext | None
    errors: dict[str, int]
    _opening: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, sock: socket.socket) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self.others.room.wait()
            try:
                one, _ = await loop.sock_accept(sock)
            except OSError as error:
                self._count("too_many_files" if error.errno in _NO_MORE else "connection_reset")
                await asyncio.sleep(_TRY_AGAIN if error.errno in _NO_MORE else 0)
                continue
            self._take(one)
            await asyncio.sleep(0)  # those who are open already have their turn

    def close(self) -> None:
        """Give up on handshakes that are under way."""
        for task in self._opening:
            task.cancel()

    def _take(self, one: socket.socket) -> None:
        if len(self.others.connections) + len(self._opening) >= self.others.limit:
            self._count("too_many_connections")
            one.close()
            return
        task = asyncio.create_task(self._open(one))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, one: socket.socket) -> None:
        try:
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                self.factory,
                one,
                ssl=self.context,
                ssl_handshake_timeout=_HANDSHAKE if self.context else None,
            )
        except OSError:  # TLS errors and timeouts are OSErrors
            self._count("tls_handshake" if self.context else "connection_reset")
            one.close()
            return
        if self.context:  # what waits deciphered while nobody reads: 512 KiB a connection by default
            transport.set_read_buffer_limits(_READ_AHEAD_OF_TLS)  # type: ignore[attr-defined]

    def _count(self, error: str) -> None:
        self.errors[error] += 1
