"""Syslog over UDP (RFC 5426). Nothing pushes back here: what is lost is counted, by us and by the kernel."""

import asyncio
import socket
import struct
from dataclasses import dataclass, field

from collectors.transports.inlet import OVERHEAD, Inlet

_RXQ_OVFL = 40  # SO_RXQ_OVFL of asm-generic/socket.h, which Python's socket module does not name
_WANTED_BUFFER = 16 << 20
_MOST_HELD = 32 << 20
_AT_ONCE = 2000
_PORTION = 1 << 20
"""Bytes that are spooled at once: all that waited while the spool was full may be more than it ever has room for."""
_LARGEST = 65535


@dataclass(slots=True)
class UdpReceiver:
    """One bound UDP socket. Datagrams of one sender that arrive together are spooled together, a portion at a time."""

    inlet: Inlet
    limit: int
    sock: socket.socket
    _waiting: dict[str, list[bytes]] = field(default_factory=dict)
    _size: int = 0
    _task: "asyncio.Task[None] | None" = None
    _overflowed: int = 0

    def start(self) -> None:
        """Read whenever the socket has something."""
        asyncio.get_running_loop().add_reader(self.sock, self.read)

    async def finish(self, seconds: float) -> None:
        """Read what the kernel still holds, spool it, close."""
        while self.read() and self._size < _MOST_HELD:
            continue
        asyncio.get_running_loop().remove_reader(self.sock)
        self.sock.close()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def read(self) -> bool:
        """Take what is there, up to a bound, so that others get their turn; whether there may be more."""
        overflowed, more = self._overflowed, True
        for _ in range(_AT_ONCE):
            try:
                data, extra, _, address = self.sock.recvmsg(_LARGEST, 64)
            except BlockingIOError:
                more = False
                break
            except OSError:  # an ICMP error of an earlier answer; the next datagram is unharmed
                continue
            if extra:
                overflowed = _overflow(extra, overflowed)
            self._hold(address[0], data)
        if overflowed != self._overflowed:
            self.inlet.lost((overflowed - self._overflowed) & 0xFFFFFFFF, "udp_receive_buffer_full")
            self._overflowed = overflowed
        if self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._spool())
        return more

    def message(self, data: bytes) -> bytes:
        """What of a datagram is kept: here, without line ends."""
        return data.rstrip(b"\r\n\0")

    async def lines(self, peer: str, messages: list[bytes]) -> list[bytes]:
        """What is spooled of one sender's datagrams: here, each as it is."""
        return messages

    def _hold(self, peer: str, data: bytes) -> None:
        message = self.message(data)
        if not message:
            self.inlet.lost(1, "empty_line")
            return
        if self._size > _MOST_HELD:
            self.inlet.lost(1, "udp_spool_full")
            return
        if len(message) > self.limit:
            message = message[: self.limit]
            self.inlet.damaged(1, "longer_than_max_message")
        self._waiting.setdefault(peer, []).append(message)
        self._size += len(message) + OVERHEAD

    async def _spool(self) -> None:
        portion: list[bytes] = []
        try:
            while self._waiting:
                peer, portion = self._next()
                if lines := await self.lines(peer, portion):
                    await self.inlet.deliver(peer, lines)
                self._size -= sum(map(len, portion)) + OVERHEAD * len(portion)
                portion = []
        except asyncio.CancelledError:
            left = len(portion) + sum(map(len, self._waiting.values()))
            self.inlet.lost(left, "stopped_while_full")
            raise
        finally:
            self._task = None

    def _next(self) -> tuple[str, list[bytes]]:
        """The sender that has waited longest and its first messages, a portion of them; it is behind the others then."""
        peer = next(iter(self._waiting))
        messages = self._waiting.pop(peer)
        size = n = 0
        while n < len(messages) and size < _PORTION:
            size += len(messages[n]) + OVERHEAD
            n += 1
        if rest := messages[n:]:
            self._waiting[peer] = rest
        return peer, messages[:n]


def bound_socket(address: str, port: int) -> socket.socket:
    """A UDP socket with as large a receive buffer as the system gives. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _RXQ_OVFL, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WANTED_BUFFER)
        sock.setblocking(False)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _overflow(extra: list[tuple[int, int, bytes]], before: int) -> int:
    """The kernel's count of dropped datagrams, from the ancillary data."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _RXQ_OVFL:
            return int(struct.unpack("I", data[:4])[0])
    return before
