"""Keeps the processes of `hinomi up` running: starts them, restarts what dies, stops them in order.

A child dies with its parent (PR_SET_PDEATHSIG): a killed supervisor leaves no orphan with a port or a store.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field

from ops.greeting import Greeting
from ops.journal import log
from ops.rundir import RunDir

_PR_SET_PDEATHSIG = 1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY = 60.0
_PATIENCE = 20.0


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux). parent: its number, where it is known (in a container
    it may be 1)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1 if parent is None else os.getppid() != parent:  # it died before we asked
        os._exit(1)


@dataclass(slots=True)
class Child:
    """One process: its name and its command line; secrets are never in it."""

    name: str
    argv: list[str]
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    started: float = 0.0  # monotonic, which every process of a machine reads alike
    pause: float = _FIRST_PAUSE


@dataclass(slots=True)
class Supervisor:
    """Runs children until told to stop; `order` of stopping is the order of the list. greeting: for who started it by hand."""

    children: list[Child]
    run: RunDir
    greeting: Greeting | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT, then stop gracefully."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        keepers = [asyncio.create_task(self._keep(child)) for child in self.children]
        announce = asyncio.create_task(self._announce())
        await self.stopping.wait()
        notify_systemd("STOPPING=1")
        if self.greeting:
            self.greeting.stopping()
        await self._stop()
        for task in [*keepers, announce]:
            task.cancel()
        await asyncio.gather(*keepers, announce, return_exceptions=True)
        self.run.forget("supervisor")
        if self.greeting:
            self.greeting.stopped()

    async def _keep(self, child: Child) -> None:
        while not self.stopping.is_set():
            self.run.forget(child.name)
            child.started = time.monotonic()
            child.process = await asyncio.create_subprocess_exec(
                *child.argv, stdin=asyncio.subprocess.DEVNULL
            )
            self._say()
            code = await child.process.wait()
            if self.stopping.is_set():
                return
            if time.monotonic() - child.started > _STEADY:
                child.pause = _FIRST_PAUSE
            child.restarts += 1
            log.error(
                "process_died", name=child.name, exit=code, restart_in=child.pause, restarts=child.restarts
            )
            self._say()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), child.pause)
            child.pause = min(child.pause * 2, _LONGEST_PAUSE)

    def _say(self) -> None:
        states = [
            {
                "name": child.name,
                "pid": child.process.pid if child.process and child.process.returncode is None else None,
                "restarts": child.restarts,
                "started": child.started,
                "exit": child.process.returncode if child.process else None,
            }
            for child in self.children
        ]
        self.run.write("supervisor", {"pid": os.getpid(), "children": states})

    async def _announce(self) -> None:
        """Tell systemd once every child says that it is ready."""
        while not all(self.run.read(child.name).get("ready") for child in self.children):
            await asyncio.sleep(0.1)
        log.info("ready", children=[child.name for child in self.children])
        notify_systemd("READY=1")
        if self.greeting:
            self.greeting.ready(child.name for child in self.children)

    async def _stop(self) -> None:
        """In list order: each child gets SIGTERM and time to finish before the next one is told."""
        for child in self.children:
            process = child.process
            if process is None or process.returncode is not None:
                continue
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE)
            except TimeoutError:
                log.error("process_killed", name=child.name, waited=_PATIENCE)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            self.run.forget(child.name)


def notify_systemd(state: str) -> None:
    """sd_notify(3) without a library: one datagram, only where systemd asked for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def python(module: str, *arguments: str) -> list[str]:
    """A command line for one of our own modules with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]
