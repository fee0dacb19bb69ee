"""The console process: pages for people. It reads, and records decisions; it cannot act."""

import threading
import time

import uvicorn

from ops.roles.start import Role, role


def _run(process: Role) -> None:
    from dashboards.console import create_app
    from dashboards.console.rulebook import Rulebook
    from dashboards.console.warming import warm
    from ops.folders import cache_folder
    from ops.service import open_desk

    console = process.settings.console
    events, records = process.events(), process.records()
    rulebook = Rulebook(process.settings.rules_in_force(process.data), cache_folder())
    desk = open_desk(process.settings, records, process.data, process.clock)
    app = create_app(
        events, records, desk, console, process.clock, rulebook=rulebook, responding=process.settings.respond
    )
    warm(app.state.console)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=console.address,
            port=console.port,
            ssl_certfile=str(console.tls_certificate) if console.tls_certificate else None,
            ssl_keyfile=str(console.tls_key) if console.tls_key else None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
    )
    threading.Thread(target=_watch, args=(process, server), daemon=True).start()
    server.run()


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
