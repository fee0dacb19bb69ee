"""The console process: pages for people. It reads, and records decisions; it cannot act.

With `console.processes` several listen on the same port (SO_REUSEPORT, socket(7)): the kernel spreads connections, and
what they must agree on (sessions, sign-in limits, decisions) is in the records.
"""

import socket
import ssl
import threading
import time

import uvicorn

from dashboards.settings import ConsoleSettings
from hinomi.errors import ConfigError
from hinomi.named import why
from hinomi.served import Served
from ops.roles.start import Role, role

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open. A reader looks at a page for longer than uvicorn's five, and whoever asks in
the moment of closing gets a broken connection; proxies keep theirs for a minute (nginx: 60 s)."""


def _run(process: Role) -> None:
    from collectors.organizations import Organizations
    from dashboards.console.app import create_app
    from dashboards.console.rulebook import Rulebook
    from dashboards.console.warming import warm
    from ops.folders import cache_folder
    from ops.service import open_desk

    console = process.settings.console
    events, records = process.events(), process.records()
    rulebook = Rulebook(process.settings.rules_in_force(process.data), cache_folder())
    desk = open_desk(process.settings, records, process.data, process.clock)
    app = create_app(
        events,
        records,
        desk,
        console,
        process.clock,
        rulebook=rulebook,
        responding=process.settings.respond,
        organizations=Organizations.of(process.settings.organizations),
        periods=process.settings.retention.periods,
    )
    warm(app.state.console)
    config = uvicorn.Config(
        app,
        host=console.address,
        port=console.port,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE,
    )
    config.load()
    config.ssl = tls(console)
    server = uvicorn.Server(config)
    threading.Thread(target=_watch, args=(process, server), daemon=True).start()
    server.run(sockets=[shared(console)] if console.processes > 1 else None)


def tls(console: ConsoleSettings) -> ssl.SSLContext | None:
    """Its TLS context, None where it speaks plain HTTP. Raises ConfigError."""
    if console.tls_certificate is None or console.tls_key is None:
        return None
    return Served(console.tls_certificate, console.tls_key, "console.tls_certificate").context()


def shared(console: ConsoleSettings) -> socket.socket:
    """A socket on the console's port that other processes of the same user may listen on, too. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in console.address else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        made.bind((console.address, console.port))
    except OSError as error:
        made.close()
        raise ConfigError(
            f"{console.address} のポート {console.port} で待ち受けられません({why(error).ja})。",
            f"cannot listen on {console.address} port {console.port}: {error.strerror}",
        ) from error
    return made


def _watch(process: Role, server: uvicorn.Server) -> None:
    """Say where the console listens once it does; uvicorn itself stops on SIGTERM."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    scheme = "https" if process.settings.console.tls else "http"
    process.ready(url=f"{scheme}://{process.settings.console.address}:{port}/")


if __name__ == "__main__":
    role("console", _run)
