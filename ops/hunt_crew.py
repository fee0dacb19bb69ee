"""Workers of a hunt: processes that read its parts side by side, and what they find put back in the order of the parts.

Each worker is a process of its own from the start (no fork: the libraries hold threads). Whoever is free takes the next
part, but never more than a few parts ahead of the one that is being written, so that what waits to be written stays small.
A worker that dies, or finds an error, ends the hunt at its part: what came before is written, and nothing is passed over.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import IO

import orjson

from collectors.hunt_parts import Part
from hinomi.errors import HinomiError
from ops.hunt_job import Job, Loaded, path_said
from ops.hunt_tally import Tally
from ops.hunt_worker import FAILED, FOUND, LENGTH, LOADED, TALLY

_AHEAD = 2
"""Parts a worker beyond the number of workers that may be read before their turn to be written."""

Found = Loaded | bytes | Tally


class Told(HinomiError):
    """An error as a worker put it in words."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text, text)
        self.text, self.exit_code = text, exit_code

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Crew:
    """size: how many workers. `found` is asked once."""

    job: Job
    parts: Sequence[Part]
    size: int
    _results: dict[int, SimpleQueue[Found | HinomiError]] = field(default_factory=dict)
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _next: int = 0
    _written: int = 0
    _ended: bool = False

    def found(self) -> Iterator[Found]:
        """What the job finds, part by part in order, as if one process had done it. Raises HinomiError."""
        self._results = {number: SimpleQueue() for number in range(len(self.parts))}
        workers = [_start() for _ in range(self.size)]
        threads = [threading.Thread(target=self._drive, args=(worker,), daemon=True) for worker in workers]
        try:
            for thread in threads:
                thread.start()
            yield from self._in_order()
        finally:
            with self._turn:
                self._ended = True
                self._turn.notify_all()
            for worker, thread in zip(workers, threads, strict=True):
                worker.kill()
                thread.join()  # it reads to the end of what the worker wrote
                _end(worker)

    def _in_order(self) -> Iterator[Found]:
        loaded = False
        for number in range(len(self.parts)):
            while True:
                found = self._results[number].get()
                if isinstance(found, HinomiError):
                    raise found
                if not isinstance(found, Loaded):
                    yield found
                elif not loaded:
                    loaded = True
                    yield found
                if isinstance(found, Tally):
                    break
            del self._results[number]
            with self._turn:
                self._written = number + 1
                self._turn.notify_all()

    def _drive(self, worker: subprocess.Popen[bytes]) -> None:
        """Give a worker one part after the other, and keep what it answers."""
        assert worker.stdin is not None and worker.stdout is not None
        told = False
        while (number := self._take()) is not None:
            queue = self._results[number]
            try:
                if not told:
                    worker.stdin.write(orjson.dumps(self.job.as_json()) + b"\n")
                    told = True
                worker.stdin.write(_line(self.parts[number]))
                worker.stdin.flush()
                found = _answer(worker.stdout)
                queue.put(found)
                while isinstance(found, (Loaded, bytes)):
                    found = _answer(worker.stdout)
                    queue.put(found)
            except (OSError, EOFError):
                queue.put(_dead(worker, self.parts[number]))
                return
            if isinstance(found, HinomiError):
                return

    def _take(self) -> int | None:
        with self._turn:
            while not self._ended and self._next >= self._written + self.size + _AHEAD:
                self._turn.wait()
            if self._ended or self._next >= len(self.parts):
                return None
            self._next += 1
            return self._next - 1


def _start() -> subprocess.Popen[bytes]:
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    argv = [sys.executable, "-m", "ops.hunt_worker"]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """A worker that was killed, whether it was idle, busy or dead already: it holds nothing that could be lost."""
    assert worker.stdin is not None and worker.stdout is not None
    worker.wait()
    with contextlib.suppress(OSError):
        worker.stdin.close()
    worker.stdout.close()


def _line(part: Part) -> bytes:
    said = [[path_said(piece.path), piece.kind, piece.start, piece.end] for piece in part]
    return orjson.dumps(said) + b"\n"


def _answer(out: IO[bytes]) -> Found | HinomiError:
    """The next frame. Raises EOFError where the worker ended instead."""
    letter = _exactly(out, 1)
    body = _exactly(out, int.from_bytes(_exactly(out, LENGTH), "big"))
    match letter:
        case _ if letter == FOUND:
            return body
        case _ if letter == TALLY:
            return Tally.from_json(orjson.loads(body))
        case _ if letter == LOADED:
            return Loaded(*orjson.loads(body))
        case _ if letter == FAILED:
            return Told(*orjson.loads(body))
    raise EOFError


def _exactly(out: IO[bytes], size: int) -> bytes:
    body = out.read(size)
    if len(body) < size:
        raise EOFError
    return body


def _dead(worker: subprocess.Popen[bytes], part: Part) -> HinomiError:
    code = worker.wait()
    why = signal.Signals(-code).name if code < 0 else str(code)
    first = part[0]
    place = f"{first.path}" + (f" ({first.start:,} –)" if first.start else "")
    return HinomiError(
        f"{place}: 調べる作業プロセスが途中で終わりました({why})。ここから先は調べていません。"
        "メモリが足りないときは --workers 1 を試してください。",
        f"{place}: a worker ended while it read this ({why}); nothing from here on was looked at. Where memory is short, "
        "try --workers 1.",
    )
