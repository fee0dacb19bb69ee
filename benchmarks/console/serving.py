"""The console process of the benchmark: uvicorn over a filled store, with the city's clock.

usage: python -m benchmarks.console.serving FOLDER PORT  (prints the address once it answers and has read what it keeps)
"""

import sys
import threading
import time
from pathlib import Path

import uvicorn

from dashboards.console.app import create_app
from dashboards.console.rulebook import Rulebook
from dashboards.console.warming import warm
from dashboards.settings import ConsoleSettings
from ops.folders import cache_folder, packs_folder
from ops.roles.console import KEEP_ALIVE, shared
from tests.dashboards.city import opened_city


def _told(server: uvicorn.Server, warming: threading.Thread, port: int) -> None:
    while not server.started:
        time.sleep(0.05)
    warming.join()
    print(f"http://127.0.0.1:{port}", flush=True)


def main() -> None:
    """Serve until the standard input closes (the benchmark went away)."""
    city = opened_city(Path(sys.argv[1]))
    rulebook = Rulebook([packs_folder()], cache_folder())
    app = create_app(
        city.events, city.records, city.desk, None, city.clock, users=city.users, rulebook=rulebook
    )
    warming = warm(app.state.console)
    port = int(sys.argv[2])
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=KEEP_ALIVE)
    )
    threading.Thread(target=_told, args=(server, warming, port), daemon=True).start()
    threading.Thread(target=_stopped, args=(server,), daemon=True).start()
    server.run(sockets=[shared(ConsoleSettings(address="127.0.0.1", port=port))])


def _stopped(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
