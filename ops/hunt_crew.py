"""Workers of a hunt: processes that read its parts side by side, and what they find put back in the order of the parts.

Each worker is a process of its own from the start (no fork: the libraries hold threads). Whoever is free takes the next
part, unless it is far ahead of the one that is being written, so that what waits to be written stays small.
A worker that dies, or finds an error, ends the hunt at its part: what came before is written, and nothing is passed over.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import IO, Any

from collectors.hunt_parts import Part
from hinomi.errors import HinomiError
from ops.hunt_job import Job, Loaded
from ops.hunt_tally import Tally
from ops.hunt_worker import FAILED, FOUND, LENGTH, LOADED, NEXT, TALLY, as_json

_AHEAD = 12
"""Parts a worker that may be read before their turn to be written."""
_WAITING = 64 * 1024 * 1024
"""Bytes that wait to be written, from which on no new part is read."""

_FULL = -1

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
    _waiting: int = 0
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
                self._weigh(found, -1)
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
        """Give a worker one part after the other, and keep what it answers, which is about the oldest part that it has."""
        given = deque[int]()
        try:
            self._talk(worker, given)
        except (OSError, EOFError):
            number = given[0] if given else self._take()
            if number is not None:
                self._results[number].put(_dead(worker, self.parts[number]))

    def _talk(self, worker: subprocess.Popen[bytes], given: deque[int]) -> None:
        assert worker.stdin is not None and worker.stdout is not None
        number = self._take()  # before it answers: what it says of the rules must stand somewhere
        if number is None:
            return
        given.append(number)
        _say(worker.stdin, self.job.as_json())
        said = False
        while given or not worker.stdin.closed:
            found = _answer(worker.stdout)
            if found is not None:
                self._weigh(found, 1)
                self._results[given[0]].put(found)
                if isinstance(found, HinomiError):
                    return
                if isinstance(found, Tally):
                    given.popleft()
                continue
            if said:
                number = self._take(wait=not given)
            said = True
            if number is None:
                worker.stdin.close()
            elif number == _FULL:
                _say(worker.stdin, None)
            else:
                if number not in given:
                    given.append(number)
                _say(worker.stdin, [number, _pieces(self.parts[number])])

    def _take(self, *, wait: bool = True) -> int | None:
        """The next part; None where there is none left, `_FULL` where it is too early and nobody waits."""
        with self._turn:
            while not self._ended and self._next < len(self.parts) and self._far():
                if not wait:
                    return _FULL
                self._turn.wait()
            if self._ended or self._next >= len(self.parts):
                return None
            self._next += 1
            return self._next - 1

    def _far(self) -> bool:
        return self._next >= self._written + self.size * _AHEAD or self._waiting > _WAITING

    def _weigh(self, found: Found | HinomiError, sign: int) -> None:
        if isinstance(found, bytes):
            with self._turn:
                self._waiting += sign * len(found)
                self._turn.notify_all()


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


def _say(said: IO[bytes], what: Any) -> None:
    said.write(as_json(what) + b"\n")
    said.flush()


def _pieces(part: Part) -> list[list[Any]]:
    return [[str(piece.path), piece.kind, piece.start, piece.end] for piece in part]


def _answer(out: IO[bytes]) -> Found | HinomiError | None:
    """The next frame; None: it asks for a part. Raises EOFError where the worker ended instead."""
    letter = _exactly(out, 1)
    body = _exactly(out, int.from_bytes(_exactly(out, LENGTH), "big"))
    match letter:
        case _ if letter == NEXT:
            return None
        case _ if letter == FOUND:
            return body
        case _ if letter == TALLY:
            return Tally.from_json(json.loads(body))
        case _ if letter == LOADED:
            return Loaded(*json.loads(body))
        case _ if letter == FAILED:
            return Told(*json.loads(body))
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
