"""RELP, rsyslog's reliable protocol: each message is answered once it is durable.

A frame is `TXNR SP COMMAND SP DATALEN [SP DATA] LF`; answers are `TXNR SP rsp SP DATALEN SP 200 OK LF`, in
the order of the messages. Source: https://github.com/rsyslog/librelp/blob/master/doc/relp.html
"""

import re
from dataclasses import dataclass, field

from collectors.transports.connection import Acknowledged, Open
from collectors.transports.inlet import Inlet

_HEAD = re.compile(rb"(\d{1,9}) ([a-z]{1,32}) (\d{1,9})(?: |(?=\n))")
_LONGEST_HEAD = 64
_OFFER = b"200 OK\nrelp_version=0\nrelp_software=hinomi,1\ncommands=syslog"


@dataclass(frozen=True, slots=True)
class Frame:
    """One RELP frame."""

    number: int
    command: bytes
    data: bytes


class NotRelp(Exception):
    """The bytes are no RELP frame; there is no way to find the next one."""


@dataclass(slots=True)
class RelpFramer:
    """Cuts a byte stream into RELP frames. Raises NotRelp."""

    limit: int
    held: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _need: int = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete."""
        self._parts.append(data)
        self.held += len(data)
        if self.held < self._need:
            return []
        buffer = b"".join(self._parts)
        frames: list[Frame] = []
        at = self._need = 0
        while (after := self._frame(buffer, at, frames)) > at:
            at = after
        self._parts = [buffer[at:]]
        self.held = len(buffer) - at
        return frames

    def _frame(self, buffer: bytes, at: int, frames: list[Frame]) -> int:
        head = _HEAD.match(buffer, at)
        if head is None:
            if len(buffer) - at > _LONGEST_HEAD or b"\n" in buffer[at:]:
                raise NotRelp
            return at
        stop = head.end() + int(head[3])
        if int(head[3]) > self.limit:
            raise NotRelp
        if len(buffer) <= stop:
            self._need = stop + 1 - at
            return at
        if buffer[stop] != 10:
            raise NotRelp
        frames.append(Frame(int(head[1]), head[2], buffer[head.end() : stop]))
        return stop + 1


class RelpConnection(Acknowledged):
    """One RELP sender."""

    def __init__(self, inlet: Inlet, others: Open, framer: RelpFramer) -> None:
        super().__init__(inlet, others)
        self.framer = framer
        self._closing: int | None = None

    def cut(self, data: bytes) -> list[bytes]:
        """Messages of the complete `syslog` frames; sessions are opened and closed on the way."""
        try:
            frames = self.framer.feed(data)
        except NotRelp:
            self.inlet.health.errors["not_relp"] += 1
            self.transport.close()
            return []
        return [frame.data for frame in frames if self._is_message(frame)]

    def rest(self) -> list[bytes]:
        """Nothing: an unfinished frame was never acknowledged, the sender sends it again."""
        self.framer = RelpFramer(self.framer.limit)
        return []

    def half(self) -> int:
        """Bytes held of a frame that is not whole yet."""
        return self.framer.held

    def spooled(self, messages: list[bytes]) -> None:
        """Answer these messages, and a close that waited for them."""
        numbers = self.taken(messages)
        if not self.transport.is_closing():
            self.transport.write(b"".join(b"%d rsp 6 200 OK\n" % number for number in numbers))
        self._close_if_done()

    def _is_message(self, frame: Frame) -> bool:
        if frame.command == b"syslog":
            self.numbers.append(frame.number)
            return True
        if frame.command == b"open":
            self._answer(frame.number, _OFFER)
        elif frame.command == b"close":
            self._closing = frame.number
            self._close_if_done()
        else:
            self._answer(frame.number, b"500 unknown command")
        return False

    def _close_if_done(self) -> None:
        if self._closing is not None and not self.numbers and not self.transport.is_closing():
            self._answer(self._closing, b"")
            self.transport.write(b"0 serverclose 0\n")
            self.transport.close()

    def _answer(self, number: int, data: bytes) -> None:
        self.transport.write(b"%d rsp %d%s%s\n" % (number, len(data), b" " if data else b"", data))
