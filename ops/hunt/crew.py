"""Workers of a hunt: processes that read its parts side by side, and what they find put back in the order of the parts.

Whoever is free takes the next part, unless it is far ahead of the one that is being written, so that what waits to be written
stays small.
A worker that dies, or finds an error, ends the hunt at its part: what came before is written, and nothing is passed over.
"""

import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue

from collectors.hunt_parts import Part
from hinomi.errors import HinomiError
from ops.hunt import frames, starting
from ops.hunt.frames import Found
from ops.hunt.job import Job, Loaded
from ops.hunt.starting import Worker
from ops.hunt.tally import Tally

_AHEAD = 12
"""Parts a worker that may be read before their turn to be written."""
_WAITING = 64 * 1024 * 1024
"""Bytes that wait to be written, from which on no new part is read."""

_FULL = -1


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
        if not starting.can_fork():  # each loads the rules itself
            yield from self._led(starting.anew(self.size), loaded=False)
            return
        loaded, rules = self.job.load()
        yield loaded
        if starting.can_fork():
            yield from self._led(starting.forked(partial(self.job.read, rules), self.size), loaded=True)
        else:  # to load them took threads: they had to be compiled
            yield from self._led(starting.anew(self.size), loaded=True)

    def _led(self, workers: Sequence[Worker], *, loaded: bool) -> Iterator[Found]:
        self._results = {number: SimpleQueue() for number in range(len(self.parts))}
        threads = [threading.Thread(target=self._drive, args=(worker,), daemon=True) for worker in workers]
        try:
            for thread in threads:
                thread.start()
            yield from self._in_order(loaded=loaded)
        finally:
            with self._turn:
                self._ended = True
                self._turn.notify_all()
            for worker, thread in zip(workers, threads, strict=True):
                worker.kill()
                thread.join()  # it reads to the end of what the worker wrote
                worker.bury()

    def _in_order(self, *, loaded: bool) -> Iterator[Found]:
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

    def _drive(self, worker: Worker) -> None:
        """Give a worker one part after the other, and keep what it answers, which is about the oldest part that it has."""
        given = deque[int]()
        try:
            self._talk(worker, given)
        except (OSError, EOFError):
            number = given[0] if given else self._take()
            if number is not None:
                self._results[number].put(_dead(worker, self.parts[number]))

    def _talk(self, worker: Worker, given: deque[int]) -> None:
        number = self._take()  # before it answers: what it says of the rules must stand somewhere
        if number is None:
            return
        given.append(number)
        if worker.job:
            frames.tell(worker.said, self.job.as_json())
        said = False
        while given or not worker.said.closed:
            found = frames.answered(worker.out)
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
                worker.said.close()
            elif number == _FULL:
                frames.tell(worker.said, None)
            else:
                if number not in given:
                    given.append(number)
                frames.tell(worker.said, frames.part_as_json(number, self.parts[number]))

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


def _dead(worker: Worker, part: Part) -> HinomiError:
    code = worker.ended()
    why = signal.Signals(-code).name if code < 0 else str(code)
    first = part[0]
    place = f"{first.path}" + (f" ({first.start:,} –)" if first.start else "")
    return HinomiError(
        f"{place}: 調べる作業プロセスが途中で終わりました({why})。ここから先は調べていません。"
        "メモリが足りないときは --workers 1 を試してください。",
        f"{place}: a worker ended while it read this ({why}); nothing from here on was looked at. Where memory is short, "
        "try --workers 1.",
    )
