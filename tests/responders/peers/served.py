"""A Starlette application behind a real TLS socket of its own, for one test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from ops.elastic.certificates import Authority


@dataclass(frozen=True, slots=True)
class Served:
    """Where it is and whom its certificate is signed by."""

    url: str
    ca: Path


async def _serve(server: uvicorn.Server) -> None:
    """Until it should end, and then until TLS connections that are being closed are: that takes the loop some turns more."""
    await server.serve()
    await asyncio.sleep(0.05)


@contextmanager
def served(app: Starlette, folder: Path, *, tls: bool = True) -> Iterator[Served]:
    """Serve on a free port of loopback until the end of the block."""
    Authority().write(folder, "127.0.0.1")
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="error",
        ssl_certfile=str(folder / "node.pem") if tls else None,
        ssl_keyfile=str(folder / "node.key") if tls else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(_serve(server),), daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"{'https' if tls else 'http'}://127.0.0.1:{port}", folder / "ca.pem")
    finally:
        server.should_exit = True
        thread.join(10)
