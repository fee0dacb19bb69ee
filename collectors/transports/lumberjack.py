"""Lumberjack version 2, the protocol of Beats: events are answered once they are durable.

A frame is `2` and a letter: `W` window size, `J` sequence number, length, one JSON document; `C` length, zlib-packed
frames; the answer is `2A` with the number of the last event that is safe. Numbers are big-endian, of 32 bits.
Source: https://github.com/elastic/go-lumber/blob/main/protocol/v2/protocol.go, and its reader and writer
"""

import struct
import zlib
from dataclasses import dataclass, field

import orjson

from collectors.transports.connection import Acknowledged, Open
from collectors.transports.inlet import Inlet
from hinomi.identity import digest

_NUMBER = struct.Struct(">I")
_EVENT = struct.Struct(">II")
_HEAD = 2


class NotLumberjack(Exception):
    """The bytes are no frame of version 2; there is no way to find the next one."""


@dataclass(slots=True)
class LumberjackFramer:
    """Cuts a byte stream into (number, document). limit: bytes of one document; packed: bytes of one packed frame,
    before and after unpacking. Raises NotLumberjack."""

    limit: int
    packed: int
    held: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _need: int = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The events that these bytes complete."""
        self._parts.append(data)
        self.held += len(data)
        if self.held < self._need:
            return []
        buffer = b"".join(self._parts)
        events: list[tuple[int, bytes]] = []
        at, self._need = self._frames(buffer, events, inner=False)
        self._parts, self.held = [buffer[at:]], len(buffer) - at
        return events

    def _frames(self, buffer: bytes, events: list[tuple[int, bytes]], *, inner: bool) -> tuple[int, int]:
        """Take whole frames; where the first one that is not whole begins, and how many bytes it has."""
        at = 0
        while len(buffer) - at >= _HEAD + _NUMBER.size:
            if buffer[at : at + 1] != b"2":
                raise NotLumberjack
            kind, start = buffer[at + 1 : at + 2], at + _HEAD
            size = self._size(kind, buffer, start, inner=inner)
            if size is None or len(buffer) < start + size:
                return at, _HEAD + (size or _EVENT.size)
            if kind == b"J":
                number, _ = _EVENT.unpack_from(buffer, start)
                events.append((number, buffer[start + _EVENT.size : start + size]))
            elif kind == b"C":
                self._unpack(buffer[start + _NUMBER.size : start + size], events)
            at = start + size
        return at, _HEAD + _NUMBER.size

    def _size(self, kind: bytes, buffer: bytes, start: int, *, inner: bool) -> int | None:
        """Bytes of the frame after its head; None where not even that can be read yet."""
        if kind == b"W":
            return _NUMBER.size
        if kind == b"J":
            if len(buffer) < start + _EVENT.size:
                return None
            return _EVENT.size + _within(_EVENT.unpack_from(buffer, start)[1], self.limit)
        if kind == b"C" and not inner:
            return _NUMBER.size + _within(_NUMBER.unpack_from(buffer, start)[0], self.packed)
        raise NotLumberjack

    def _unpack(self, body: bytes, events: list[tuple[int, bytes]]) -> None:
        unpacker = zlib.decompressobj()
        try:
            frames = unpacker.decompress(body, self.packed)
        except zlib.error:
            raise NotLumberjack from None
        if not unpacker.eof:  # longer than allowed, or cut off
            raise NotLumberjack
        at, _ = self._frames(frames, events, inner=True)
        if at != len(frames):
            raise NotLumberjack


def _within(size: int, limit: int) -> int:
    if size > limit:
        raise NotLumberjack
    return size


def event_id(document: bytes) -> str:
    """The identity of an event that is sent again after a lost answer: the sender's own, else of a line or record
    that names its place; "" where nothing tells an event from another like it."""
    try:
        event = orjson.loads(document)
        given = (event.get("@metadata") or {}).get("_id")
        placed = "offset" in (event.get("log") or {}) or "record_id" in (event.get("winlog") or {})
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return ""
    if isinstance(given, str) and given:
        return given
    return digest("lumberjack", document.decode("utf-8", "replace")) if placed else ""


class LumberjackConnection(Acknowledged):
    """One Beat."""

    def __init__(self, inlet: Inlet, others: Open, framer: LumberjackFramer) -> None:
        super().__init__(inlet, others)
        self.framer = framer

    def cut(self, data: bytes) -> list[bytes]:
        """Documents of the complete frames."""
        try:
            events = self.framer.feed(data)
        except NotLumberjack:
            self.inlet.health.errors["not_lumberjack"] += 1
            self.transport.abort()
            return []
        self.numbers += [number for number, _ in events]
        return [document for _, document in events]

    def ids(self, messages: list[bytes]) -> list[str]:
        """See `event_id`."""
        return [event_id(document) for document in messages]

    def rest(self) -> list[bytes]:
        """Nothing: half a frame was never answered, the sender sends it again."""
        self.framer = LumberjackFramer(self.framer.limit, self.framer.packed)
        return []

    def half(self) -> int:
        """Bytes held of a frame that is not whole yet."""
        return self.framer.held

    def spooled(self, messages: list[bytes]) -> None:
        """Answer the last event of each window among these: numbers begin anew with every window."""
        numbers = self.taken(messages)
        ends = [one for one, after in zip(numbers, [*numbers[1:], 0], strict=True) if after <= one]
        if not self.transport.is_closing():
            self.transport.write(b"".join(b"2A" + _NUMBER.pack(number) for number in ends))
