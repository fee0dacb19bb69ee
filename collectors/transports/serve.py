"""Running all listeners of one process, from binding to the last drained message."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from collectors.settings import Kind, Listening
from collectors.spool import Spool
from collectors.transports.connection import leftover
from collectors.transports.door import DRAIN_SECONDS, Door
from collectors.transports.files import run_file, run_folder
from collectors.transports.health import Health, ListenerHealth
from collectors.transports.http import run_http
from collectors.transports.inlet import Held, Inlet
from collectors.transports.network import run_stream, run_udp
from hinomi.errors import HinomiError
from hinomi.ledger import Ledger
from hinomi.named import why

log = structlog.get_logger()
_TRY_AGAIN = 5.0

RUNNERS: dict[str, Callable[[Door[Any]], Awaitable[None]]] = {
    Kind.TCP: run_stream,
    Kind.TLS: run_stream,
    Kind.RELP: run_stream,
    Kind.LUMBERJACK: run_stream,
    Kind.UDP: run_udp,
    Kind.HTTP: run_http,
    Kind.FILE: run_file,
    Kind.FOLDER: run_folder,
}


async def serve(
    listeners: Mapping[str, Listening],
    spool: Spool,
    ledger: Ledger,
    *,
    ready: Callable[[Health], None],
    stop: asyncio.Event,
) -> None:
    """Run every listener until `stop`, then drain. `ready` is called once each was started or failed to.

    A listener that cannot start (its port is taken, its certificate unreadable) says so in its health and
    is tried again; the others go on. The spool is left open for the caller to close.
    """
    held, health = Held(), Health()
    doors = [_door(name, listener, spool, ledger, held, stop) for name, listener in listeners.items()]
    for door in doors:
        health.listeners[door.name] = door.health
    tasks = [asyncio.create_task(_keep(door)) for door in doors]
    for door in doors:
        await door.tried.wait()
    ready(health)
    await stop.wait()
    await asyncio.gather(*tasks)
    await leftover(DRAIN_SECONDS)


def _door(
    name: str, listener: Listening, spool: Spool, ledger: Ledger, held: Held, stop: asyncio.Event
) -> Door[Any]:
    health = ListenerHealth(name, listener.kind)
    inlets = {origin: Inlet(origin, spool, ledger, health, held) for origin in listener.origins(name)}
    return Door(name, listener, inlets[name], inlets, _state(spool.folder), stop)


def _state(spool: Path) -> Path:
    """How far files were read lies beside the lanes: whoever deletes the spool starts the files anew."""
    folder = spool / "files"
    folder.mkdir(exist_ok=True)
    return folder


async def _keep(door: Door[Any]) -> None:
    while not door.stop.is_set():
        try:
            await RUNNERS.get(door.listener.kind, door.listener.run)(door)
        except HinomiError as error:
            _say(door, error.ja, error.en)
        except OSError as error:
            what = error.filename or _place(door.listener)
            reason = why(error)
            _say(door, f"{what} を開けません: {reason.ja}", f"cannot open {what}: {reason.en}")
        except Exception as error:
            log.exception("listener failed", listener=door.name)
            _say(door, f"想定外の誤り: {error}", f"unexpected: {error}")
        await door.pause(_TRY_AGAIN)


def _place(listener: Listening) -> str:
    """What a listener listens to, as its configuration writes it."""
    path = getattr(listener, "path", None)
    return str(path) if path else f"{getattr(listener, 'address', '')}:{getattr(listener, 'port', '')}"


def _say(door: Door[Any], ja: str, en: str) -> None:
    """Logged once until the listener works or fails of something else: it is tried every few seconds."""
    known = door.health.problem == ja
    door.down(ja)
    if not known:
        log.error("listener is down; trying again", listener=door.name, reason=f"{ja} ({en})")
