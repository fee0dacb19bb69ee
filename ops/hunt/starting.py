"""How a worker of a hunt starts: as a copy of this process, which has loaded the rules, or anew.

A copy costs milliseconds and shares the rules' memory; a process of its own imports everything and loads the rules again, for about
a second of processor. Yet only what holds no threads can be copied: those of a library would be missing in the copy, and a lock that
one of them held would stay locked for ever. So a copy is made only before Polars has started its threads.
"""

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

from hinomi.collecting import stay
from ops.hunt import worker

_IDLE = {"jemalloc_bg_thd", "polars-ooc-clea"}
"""Threads that importing Polars and Arrow leaves: they wait, and their libraries expect a fork (jemalloc's `pthread_atfork`), or a
worker has no use for them (Polars' cleaner of what it put on disk). OpenBLAS's, named like the process, likewise expects one."""
_ONE_THREAD = {"POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, what it is told and what it answers; job: whether it waits for its job, and loads the rules itself."""

    pid: int
    said: IO[bytes]
    out: IO[bytes]
    job: bool

    def ended(self) -> int:
        """How it ended: its exit code, or the number of the signal that killed it, negative. Waits for that, and leaves its
        number taken, so that nobody else is killed in its place."""
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:  # whoever started the hunt has children waited for by the kernel
            return 0
        if found is None or found.si_code == os.CLD_EXITED:
            return 0 if found is None else found.si_status
        return -found.si_status

    def kill(self) -> None:
        """It holds nothing that could be lost, idle, busy or dead already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Wait for its end; nothing is said or heard any more."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            self.said.close()
        self.out.close()


def can_fork() -> bool:
    """Whether this process has only threads that may be missing in a copy."""
    own = Path("/proc/self/comm").read_text(encoding="ascii", errors="replace")
    names = (task / "comm" for task in Path("/proc/self/task").iterdir())
    found = {name.read_text(encoding="ascii", errors="replace") for name in names}
    return threading.active_count() == 1 and {name.strip() for name in found - {own}} <= _IDLE


def forked(work: worker.Work, count: int) -> list[Worker]:
    """Copies of this process that do the work. Only where it `can_fork`."""
    stay()  # what a copy does not collect, it does not copy
    sys.stdout.flush()
    sys.stderr.flush()
    return _started(partial(_forked, work), count)


def anew(count: int) -> list[Worker]:
    """Processes of their own, which wait for their job."""
    return _started(_anew, count)


def _started(start: Callable[[Sequence[Worker]], Worker], count: int) -> list[Worker]:
    """As many as may be started: fewer do the same, later. Raises OSError where it is none."""
    workers: list[Worker] = []
    for _ in range(count):
        try:
            workers.append(start(workers))
        except OSError:  # no more processes, files or memory
            if not workers:
                raise
            break
    return workers


def _forked(work: worker.Work, others: Sequence[Worker]) -> Worker:
    told, said = os.pipe()
    out, answers = os.pipe()
    parent = os.getpid()
    with _uninterrupted(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on: threads; see `can_fork`
        pid = os.fork()
        if not pid:
            for file in (said, out, *(pipe.fileno() for one in others for pipe in (one.said, one.out))):
                os.close(file)
            _work(work, told, answers, parent)
    os.close(told)
    os.close(answers)
    return Worker(pid, os.fdopen(said, "wb"), os.fdopen(out, "rb"), job=False)


def _work(work: worker.Work, told: int, answers: int, parent: int) -> NoReturn:
    """The whole life of a copy: it never returns into what it was copied from."""
    code = 1
    try:
        worker.settle(parent)
        os.environ.update(_ONE_THREAD)
        worker.serve(work, os.fdopen(told, "rb"), os.fdopen(answers, "wb"))
        code = 0
    except Exception:
        sys.excepthook(*sys.exc_info())  # asked for by HINOMI_DEBUG
    finally:
        os._exit(code)


def _anew(_: Sequence[Worker]) -> Worker:
    told, said = os.pipe()
    out, answers = os.pipe()
    argv = [sys.executable, "-m", worker.__name__, str(os.getpid())]
    pid = os.posix_spawn(
        sys.executable,
        argv,
        {**os.environ, **_ONE_THREAD},
        file_actions=[(os.POSIX_SPAWN_DUP2, told, 0), (os.POSIX_SPAWN_DUP2, answers, 1)],
        setsigmask=[signal.SIGINT],
    )
    os.close(told)
    os.close(answers)
    return Worker(pid, os.fdopen(said, "wb"), os.fdopen(out, "rb"), job=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until a copy is made, which starts with that signal held back and never meets it half started."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
