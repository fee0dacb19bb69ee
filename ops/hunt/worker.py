"""What one worker of a hunt does, whether it was forked or started anew (`python -m ops.hunt.worker`; see `ops.hunt.starting`).

Whenever it asks, it is told a part to read (null: answer what was found so far), until it is told nothing any more.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from collectors.hunt_parts import Part
from hinomi.errors import HinomiError
from ops.hunt import frames
from ops.hunt.frames import Found
from ops.hunt.job import Job, Parts
from ops.supervisor import die_with_parent

_UNEXPECTED = 70

Work = Callable[[Parts], Iterable[Found]]


def main() -> None:
    """A worker that was started anew: it is told its job first."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    settle(int(sys.argv[1]))
    said = sys.stdin.buffer
    job = frames.told(said)
    if job is not None:
        serve(Job.from_json(job[0]).work, said, out)


def settle(parent: int) -> None:
    """Whoever interrupts, interrupts the hunt, which ends its workers. What is printed here is no answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent)
    try:
        os.dup2(2, 1)
    except OSError:  # there is no standard error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def serve(work: Work, said: IO[bytes], out: IO[bytes]) -> None:
    """Read, work, answer, until there is no part left. An error is answered in words, never as a trace."""
    try:
        for found in work(_parts(said, out)):
            frames.answer(out, found)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more
    except HinomiError as error:
        frames.answer(out, error)
    except Exception as error:
        if os.environ.get("HINOMI_DEBUG"):
            raise
        about = f"予期しない誤りです: {type(error).__name__}: {error}\n(unexpected error in a worker; HINOMI_DEBUG=1 tells more)"
        frames.answer(out, frames.Told(about, _UNEXPECTED))


def _parts(said: IO[bytes], out: IO[bytes]) -> Iterator[tuple[int, Part] | None]:
    while True:
        frames.answer(out, None)
        given = frames.told(said)
        if given is None:
            return
        yield None if given[0] is None else frames.part_from_json(given[0])


if __name__ == "__main__":
    main()
