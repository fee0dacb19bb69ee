"""How a hunt and its workers speak over two pipes: JSON and lines of JSON, never anything that could run.

A worker is told something in a line of JSON. It answers in frames: a letter, the length of what follows (8 bytes), and that.
"""

import json
from pathlib import Path
from typing import IO, Any

from collectors.hunt_parts import Part, Piece
from hinomi.errors import HinomiError
from ops.hunt.fed import Fed
from ops.hunt.job import Loaded
from ops.hunt.tally import Tally

_LOADED, _NEXT, _FOUND, _FED, _TALLY, _FAILED = b"L", b"N", b"F", b"S", b"T", b"E"
_LENGTH = 8

Found = Loaded | bytes | Tally | Fed


class Told(HinomiError):
    """An error as a worker put it in words."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text, text)
        self.text, self.exit_code = text, exit_code

    def __str__(self) -> str:
        return self.text


def answer(out: IO[bytes], found: Found | HinomiError | None) -> None:
    """A worker's answer, at once; None asks for the next part."""
    match found:
        case None:
            _send(out, _NEXT, b"")
        case Loaded():
            _send(out, _LOADED, _as_json(found))
        case Fed():
            _send(out, _FED, found.signals.to_bytes(_LENGTH, "big") + found.arrow)
        case Tally():
            _send(out, _TALLY, _as_json(found.as_json()))
        case HinomiError():
            _send(out, _FAILED, _as_json([str(found), found.exit_code]))
        case bytes():
            _send(out, _FOUND, found)


def answered(out: IO[bytes]) -> Found | HinomiError | None:
    """The next answer; None: it asks for a part. Raises EOFError where the worker ended instead."""
    letter = _exactly(out, 1)
    body = _exactly(out, int.from_bytes(_exactly(out, _LENGTH), "big"))
    match letter:
        case _ if letter == _NEXT:
            return None
        case _ if letter == _FOUND:
            return body
        case _ if letter == _FED:
            return Fed(int.from_bytes(body[:_LENGTH], "big"), body[_LENGTH:])
        case _ if letter == _TALLY:
            return Tally.from_json(json.loads(body))
        case _ if letter == _LOADED:
            return Loaded(*json.loads(body))
        case _ if letter == _FAILED:
            return Told(*json.loads(body))
    raise EOFError


def tell(said: IO[bytes], what: Any) -> None:
    """Tell a worker something, at once."""
    said.write(_as_json(what) + b"\n")
    said.flush()


def told(said: IO[bytes]) -> tuple[Any] | None:
    """What a worker is told next, as the one thing in a tuple; None where there is nothing any more."""
    line = said.readline()
    return (json.loads(line),) if line else None


def part_as_json(number: int, part: Part) -> list[Any]:
    """Plain JSON values."""
    return [number, [[str(piece.path), *piece[1:]] for piece in part]]


def part_from_json(said: list[Any]) -> tuple[int, Part]:
    """The number and part of `part_as_json`'s values."""
    number, pieces = said
    return number, tuple(Piece(Path(path), *rest) for path, *rest in pieces)


def _as_json(what: Any) -> bytes:
    """In ASCII, by the standard library: names of files need not be UTF-8, and only so does each come back as it was."""
    return json.dumps(what).encode("ascii")


def _send(out: IO[bytes], letter: bytes, body: bytes) -> None:
    out.write(letter + len(body).to_bytes(_LENGTH, "big"))
    out.write(body)
    out.flush()


def _exactly(out: IO[bytes], size: int) -> bytes:
    body = out.read(size)
    if len(body) < size:
        raise EOFError
    return body
