"""Syslog over TCP and TLS (RFC 6587, RFC 5425)."""

from collectors.transports.connection import Connection, Open
from collectors.transports.framing import Framer
from collectors.transports.inlet import Inlet


class SyslogConnection(Connection):
    """One sender. There is no acknowledgement in these protocols: TCP itself slows the sender down."""

    def __init__(self, inlet: Inlet, others: Open, framer: Framer) -> None:
        super().__init__(inlet, others)
        self.framer = framer

    def cut(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete."""
        messages = self.framer.feed(data)
        self._count()
        return messages

    def rest(self) -> list[bytes]:
        """An unfinished last message."""
        messages = self.framer.flush()
        self._count()
        return messages

    def half(self) -> int:
        """Bytes held of a message that is not whole yet."""
        return self.framer.held

    def stalled(self) -> None:
        """Take the half for a message of its own and close: what follows could not be understood."""
        messages = self.rest()
        self.inlet.damaged(max(1, len(messages)), "half_message")
        self._watch_half()
        self.take(messages)
        self.transport.close()

    def _count(self) -> None:
        truncated, bad, empty = self.framer.take_counts()
        if truncated:
            self.inlet.damaged(truncated, "longer_than_max_message")
        if bad:
            self.inlet.damaged(bad, "bad_frame")
        if empty:
            self.inlet.lost(empty, "empty_line")
