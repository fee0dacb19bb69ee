"""One worker of a hunt: `python -m ops.hunt_worker`, started by `ops.hunt_crew`.

It is given its job and then, whenever it asks, a part to read on standard input, a line of JSON each (null: tell what was
found so far), and answers on standard output in
frames: a letter, the length of what follows (8 bytes), and that. What it answers is JSON or lines of JSON, never anything that could run.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from collectors.hunt_parts import Part, Piece
from hinomi.errors import HinomiError
from ops.hunt_job import Job, Loaded
from ops.hunt_tally import Tally
from ops.supervisor import die_with_parent

LOADED, NEXT, FOUND, TALLY, FAILED = b"L", b"N", b"F", b"T", b"E"
LENGTH = 8


def send(out: IO[bytes], letter: bytes, body: bytes) -> None:
    """One frame, at once."""
    out.write(letter + len(body).to_bytes(LENGTH, "big"))
    out.write(body)
    out.flush()


def as_json(what: Any) -> bytes:
    """In ASCII, by the standard library: names of files need not be UTF-8, and only so does each come back as it was."""
    return json.dumps(what).encode("ascii")


def main() -> None:
    """Read, work, answer, until there is no part left. An error is answered in words, never as a trace."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the hunt itself is interrupted, and ends its workers
    die_with_parent()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed is no answer
    try:
        job = Job.from_json(json.loads(sys.stdin.buffer.readline()))
        for found in job.work(_parts(sys.stdin.buffer, out)):
            match found:
                case Loaded():
                    send(out, LOADED, as_json(found))
                case Tally():
                    send(out, TALLY, as_json(found.as_json()))
                case bytes():
                    send(out, FOUND, found)
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more
    except HinomiError as error:
        send(out, FAILED, as_json([str(error), error.exit_code]))
    except Exception as error:
        if os.environ.get("HINOMI_DEBUG"):
            raise
        said = f"予期しない誤りです: {type(error).__name__}: {error}\n(unexpected error in a worker; HINOMI_DEBUG=1 tells more)"
        send(out, FAILED, as_json([said, 70]))


def _parts(said: IO[bytes], out: IO[bytes]) -> Iterator[tuple[int, Part] | None]:
    while True:
        send(out, NEXT, b"")
        line = said.readline()
        if not line:
            return
        given = json.loads(line)
        if given is None:
            yield None
        else:
            number, pieces = given
            yield number, tuple(Piece(Path(path), *rest) for path, *rest in pieces)


if __name__ == "__main__":
    main()
