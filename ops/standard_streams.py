"""Standard input, output and error as whoever started the command left them: closed, full, or unable to write Japanese."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hinomi.errors import HinomiError
from hinomi.named import why


class OutputError(HinomiError):
    """What was found could not be written."""

    exit_code = 74  # EX_IOERR of sysexits.h


def mend() -> None:
    """Called first. A stream that was closed is opened on nothing, or the next file would take its number and what is said would
    go there; standard output so that writing to it is an error. Signs that a stream's encoding lacks are written as escapes."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing() -> Iterator[None]:
    """Around writing results. Raises OutputError where they cannot be written, but for a reader that has left (BrokenPipeError)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"結果を書き出せません({why(error).ja})。途中までしか書かれていません。",
            f"results cannot be written ({error.strerror}); only a part of them is",
        ) from error


def leave() -> None:
    """Called last, where something went wrong: what is still held for standard output and cannot be written is given up."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
