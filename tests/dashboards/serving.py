"""A console on a port of its own, for real browsers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from collectors.organizations import Organizations
from dashboards.console.app import create_app
from dashboards.console.rulebook import Rulebook
from dashboards.settings import ConsoleSettings
from responders.settings import ResponderSettings
from tests.dashboards.city import City


@contextmanager
def serving(
    city: City,
    rulebook: Rulebook,
    *,
    responding: ResponderSettings | None = None,
    organizations: Organizations | None = None,
) -> Iterator[str]:
    """The address of the console over the city's stores, while it serves."""
    app = create_app(
        city.events,
        city.records,
        city.desk,
        ConsoleSettings(organization="火の見市"),
        city.clock,
        users=city.users,
        rulebook=rulebook,
        responding=responding,
        organizations=organizations,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
