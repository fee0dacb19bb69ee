"""Runners of the syslog listeners: bind, serve, drain."""

import asyncio
from collections.abc import Callable
from typing import Any

from collectors.settings import Kind, Listener
from collectors.transports.accept import Acceptor, listening
from collectors.transports.connection import Connection, Open
from collectors.transports.door import DRAIN_SECONDS, Door
from collectors.transports.framing import Framer
from collectors.transports.lumberjack import LumberjackConnection, LumberjackFramer
from collectors.transports.relp import RelpConnection, RelpFramer
from collectors.transports.stream import SyslogConnection
from collectors.transports.tls import server_context
from collectors.transports.udp import UdpReceiver, bound_socket

_SWEEP = 1.0


async def run_stream(door: Door[Listener]) -> None:
    """TCP, TLS, RELP and Lumberjack. Raises OSError when the port cannot be bound, ConfigError for certificates."""
    listener, held = door.listener, door.inlet.held
    others = Open(listener.max_connections, held)
    acceptor = Acceptor(
        others, _factory(door, others), server_context(listener, door.name), door.health.errors
    )
    sockets = await listening(listener.address, listener.port)
    held.streams.append(others)
    others.turn()
    accepting = [asyncio.create_task(acceptor.run(sock)) for sock in sockets]
    door.up(*_bound(sockets[0]))
    try:
        while not door.stop.is_set():
            others.sweep(listener.stall)
            await door.pause(min(_SWEEP, listener.stall / 2))
    finally:
        for task in accepting:
            task.cancel()
        await asyncio.wait(accepting)
        for sock in sockets:
            sock.close()
        acceptor.close()
        await others.drain(DRAIN_SECONDS)
        held.streams.remove(others)
        door.health.up = False


def _factory(door: Door[Listener], others: Open) -> Callable[[], Connection]:
    limit = door.listener.max_message
    if door.listener.kind == Kind.RELP:
        return lambda: RelpConnection(door.inlet, others, RelpFramer(limit))
    if door.listener.kind == Kind.LUMBERJACK:
        packed = door.listener.max_body
        return lambda: LumberjackConnection(door.inlet, others, LumberjackFramer(limit, packed))
    return lambda: SyslogConnection(door.inlet, others, Framer(limit, door.listener.framing))


async def run_udp(door: Door[Listener]) -> None:
    """UDP. Raises OSError when the port cannot be bound."""
    listener = door.listener
    receiver = UdpReceiver(door.inlet, listener.max_message, bound_socket(listener.address, listener.port))
    receiver.start()
    door.up(*_bound(receiver.sock))
    try:
        await door.stop.wait()
    finally:
        await receiver.finish(DRAIN_SECONDS)
        door.health.up = False


def _bound(sock: Any) -> tuple[str, int]:
    address = sock.getsockname()
    return str(address[0]), int(address[1])
