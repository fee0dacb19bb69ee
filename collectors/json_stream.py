"""The records of `{"Records": […]}` while it is being read: one at a time, each as it stands there.

For what arrives. Files that lie there are read by `collectors.file_records`, which parses a text whole, in memory, and
writes each record anew.
"""

import io
import json
import re
from collections.abc import Iterator
from typing import IO, Any

_OPENING = re.compile(r'\s*(?:\{\s*"[Rr]ecords"\s*:\s*)?\[')
_BETWEEN = re.compile(r"[\s,]*")
_PIECE = 1 << 16
_LONGEST = 16 << 20
OPENING = re.compile(rb"(?:\xef\xbb\xbf)?" + _OPENING.pattern.encode())
"""How such a text begins, in bytes."""


class Broken(Exception):
    """The text ends amid a record, or is no JSON from there on."""


def records(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """(text, value) of each record. Raises Broken, after what stands before the break was given."""
    decoder, reader = json.JSONDecoder(), io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
    held = reader.read(_PIECE)
    opening = _OPENING.match(held)
    if opening is None:
        raise Broken("no_records")
    held, at = held[opening.end() :], 0
    while True:
        at = _BETWEEN.match(held, at).end()  # type: ignore[union-attr]  # it matches nothing at least
        if held.startswith("]", at):
            return
        try:
            value, end = decoder.raw_decode(held, at)
        except (json.JSONDecodeError, RecursionError) as error:
            held, at = _more(reader, held[at:], error), 0
        else:
            yield held[at:end], value
            at = end


def _more(reader: io.TextIOWrapper, held: str, error: Exception) -> str:
    """At least as much again, so that a long record is not begun a hundred times."""
    piece = reader.read(max(_PIECE, len(held)))
    if not piece or len(held) > _LONGEST or isinstance(error, RecursionError):
        raise Broken("broken_json") from error
    return held + piece
