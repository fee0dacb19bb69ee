"""The HTTP(S) listener: connections, their limits, and an orderly end."""

import asyncio
from dataclasses import dataclass, field

import h11

from collectors.settings import Listener
from collectors.transports.door import DRAIN_SECONDS, Door
from collectors.transports.elastic import ElasticIntake
from collectors.transports.exchange import Body, Exchange, Request, Response, error_response
from collectors.transports.tls import server_context
from collectors.transports.tokens import CurrentTokens

_GRACE = 0.5


@dataclass(slots=True)
class HttpServer:
    """Open connections of one listener; each is one task."""

    door: Door[Listener]
    handler: ElasticIntake
    exchanges: dict[asyncio.Task[None], Exchange] = field(default_factory=dict)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        health, listener = self.door.health, self.door.listener
        if len(self.exchanges) >= listener.max_connections:
            health.errors["too_many_connections"] += 1
            writer.close()
            return
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        exchange = Exchange(
            reader, writer, self.handle, self.door.inlet.held, listener.max_body, listener.stall, peer
        )
        task = asyncio.current_task()
        assert task is not None
        self.exchanges[task] = exchange
        health.connections += 1
        try:
            await exchange.run()
        except (OSError, asyncio.CancelledError):  # TimeoutError and TLS errors are OSErrors
            health.errors["connection_reset"] += 1
        except h11.LocalProtocolError:
            health.errors["not_http"] += 1
        finally:
            health.connections -= 1
            del self.exchanges[task]

    async def handle(self, request: Request, body: Body) -> Response:
        """Answer a request; while stopping, tell the client to come again."""
        if self.door.stop.is_set():
            again = (("Retry-After", "5"),)
            return error_response(503, "unavailable", "stopping; send again", headers=again, close=True)
        return await self.handler.handle(request, body)

    async def drain(self) -> None:
        """Let running requests end; idle connections get a moment to hear that we stop."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        while self.exchanges and loop.time() - start < DRAIN_SECONDS:
            busy = any(exchange.busy for exchange in self.exchanges.values())
            if not busy and loop.time() - start > _GRACE:
                break
            await asyncio.sleep(0.02)
        tasks = list(self.exchanges)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def run_http(door: Door[Listener]) -> None:
    """HTTP, or HTTPS where the listener has a certificate. Raises OSError or ConfigError at the start."""
    listener = door.listener
    tokens, origins = CurrentTokens(door.name, listener), listener.origins(door.name)
    handler = ElasticIntake(tokens, door.inlets, door.inlet, origins)
    server = HttpServer(door, handler)
    context = server_context(listener, door.name)
    listening = await asyncio.start_server(
        server.connected,
        listener.address,
        listener.port,
        limit=512 << 10,
        ssl=context,
        ssl_handshake_timeout=15 if context else None,
        backlog=512,
    )
    address, port = listening.sockets[0].getsockname()[:2]
    door.up(str(address), int(port))
    try:
        await door.stop.wait()
    finally:
        listening.close()
        await server.drain()
        door.health.up = False
