"""The records of one message: itself, or what Azure puts into `{"records": […]}`.

Facts: Microsoft Learn, "Azure Monitor: stream monitoring data to an event hub" (events with an array `records`).
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import orjson

from collectors import json_stream

_LINE_ENDS = re.compile(rb"[\r\n]+")


def one_line(payload: bytes) -> bytes:
    """A message as one line of log."""
    return _LINE_ENDS.sub(b" ", payload.strip())


def records(payload: bytes) -> Iterator[tuple[bytes, Any]]:
    """(line, value) of each record, as it stands there; a message that is no envelope is one record, value None where it
    is no JSON."""
    if json_stream.OPENING.match(payload):
        try:
            found = list(json_stream.records(io.BytesIO(payload)))
        except json_stream.Broken:
            found = []  # kept whole: the source says what is wrong with it
        if found:
            yield from ((one_line(text.encode()), value) for text, value in found)
            return
    try:
        yield one_line(payload), orjson.loads(payload)
    except orjson.JSONDecodeError:
        yield one_line(payload), None
