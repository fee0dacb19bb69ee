"""Live updates by server-sent events: a page is told that something changed, and asks for it itself.

Facts: WHATWG HTML Living Standard, 9.2 Server-sent events. One reader looks at the store for everybody; a
stream ends after a few minutes, so that a signed-out browser does not listen on.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from dashboards.console.visit import Visit
from hinomi.errors import Refused
from hinomi.store import Records

EVERY, LONGEST, MOST = 2.0, 240.0, 200
_KINDS = ("incident", "playbook_run", "approval")


@dataclass(slots=True)
class Pulse:
    """A text that changes when incidents, runs or approvals do; read at most every two seconds."""

    records: Records
    kinds: tuple[str, ...] = _KINDS
    listeners: int = 0
    _text: str = ""
    _read: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self) -> str:
        """The pulse now."""
        with self._lock:
            if time.monotonic() - self._read >= EVERY or not self._text:
                self._text, self._read = self._look(), time.monotonic()
            return self._text

    def _look(self) -> str:
        parts: list[str] = []
        for kind in self.kinds:
            newest = self.records.find(kind, order="-updated" if kind == "incident" else "", limit=1)
            parts.append(f"{kind} {self.records.count(kind)}")
            parts += [f"{one.id} {one.version}" for one in newest]
        states = (
            self.records.count("playbook_run", {"state": state})
            for state in ("proposed", "running", "done")
            if "playbook_run" in self.kinds
        )
        return hashlib.sha256(" ".join([*parts, *map(str, states)]).encode()).hexdigest()[:16]


def stream(visit: Visit) -> Response:
    """`data: <pulse>` at once and whenever it changes; a comment line keeps proxies from closing."""
    pulse = visit.console.pulse
    if pulse.listeners >= MOST:
        raise Refused("同時に見ている人が多すぎます。", "too many live streams")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_beats(pulse), media_type="text/event-stream", headers=headers)


async def _beats(pulse: Pulse) -> AsyncIterator[str]:
    pulse.listeners += 1
    try:
        last, until = "", time.monotonic() + LONGEST
        while time.monotonic() < until:
            now = await run_in_threadpool(pulse.text)
            yield f"data: {now}\n\n" if now != last else ": still here\n\n"
            last = now
            await asyncio.sleep(EVERY)
    finally:
        pulse.listeners -= 1
