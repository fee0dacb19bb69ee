"""Cutting a syslog byte stream into messages: octet counting and newline framing (RFC 6587).

Nothing that a sender sent is thrown away: what is cut or has a wrong count is still given out, counted.
"""

import re
from dataclasses import dataclass, field

from collectors.settings import Framing

_COUNTED = re.compile(rb"[1-9]\d{0,8} <\d{1,3}>")
_MAY_BECOME_COUNTED = re.compile(rb"[1-9]\d{0,8}(?: (?:<\d{0,3})?)?")
_FRAME_START = re.compile(rb"\n|[1-9]\d{0,8} <\d{1,3}>")
_COUNT = re.compile(rb"\d{1,9} ")
_LONGEST_COUNT = 10
_RESUME_WITHIN = 64 << 10  # a wrong count is searched for the next frame in pieces of this size


@dataclass(slots=True)
class Framer:
    """One connection's state. `feed` gives whole messages; `flush` what is left at its end.

    limit: bytes of one message; truncated, bad, empty: counts since `take_counts`.
    """

    limit: int
    mode: Framing = Framing.AUTO
    truncated: int = 0
    bad: int = 0
    empty: int = 0
    held: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _need: int = 0
    _skip: int = 0
    _skip_line: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete, without their framing."""
        self._parts.append(data)
        self.held += len(data)
        if self.mode == Framing.NEWLINE:
            return self._lines(data)
        if self.held < self._need:
            return []
        buffer = self._join()
        if self.mode == Framing.AUTO and not self._decide(buffer):
            self._keep(buffer)
            return []
        return self._frames(buffer) if self.mode == Framing.OCTET else self._split(buffer)

    def flush(self) -> list[bytes]:
        """What the stream ended in. A line without its newline is whole; a counted frame is not."""
        rest = self._join()
        skipped = self._skip_line
        self._skip_line, self._skip, self._need = False, 0, 0
        if not rest or skipped:
            return []
        if self.mode == Framing.OCTET:
            self.bad += 1
            rest = rest[match.end() :] if (match := _COUNT.match(rest)) else rest
        return self._clean([rest])

    def take_counts(self) -> tuple[int, int, int]:
        """(truncated, bad, empty) since the last call."""
        counts = self.truncated, self.bad, self.empty
        self.truncated = self.bad = self.empty = 0
        return counts

    def _decide(self, buffer: bytes) -> bool:
        if _COUNTED.match(buffer):
            self.mode = Framing.OCTET
        elif _MAY_BECOME_COUNTED.fullmatch(buffer):
            return False
        else:
            self.mode = Framing.NEWLINE
        return True

    def _lines(self, data: bytes) -> list[bytes]:
        if b"\n" not in data:
            return self._too_long() if self.held > self.limit or self._skip_line else []
        return self._split(self._join())

    def _split(self, buffer: bytes) -> list[bytes]:
        lines = buffer.split(b"\n")
        rest = lines.pop()
        if self._skip_line and lines:
            del lines[0]
            self._skip_line = False
        self._keep(rest)
        cut = self._too_long() if len(rest) > self.limit or self._skip_line else []
        return self._clean(lines) + cut

    def _too_long(self) -> list[bytes]:
        """Give out the start of a line that has no end yet; the rest up to its newline is skipped."""
        buffer = self._join()
        if self._skip_line:
            return []
        self._skip_line = True
        return self._clean([buffer])

    def _frames(self, buffer: bytes) -> list[bytes]:
        found: list[bytes] = []
        at, end = 0, len(buffer)
        if self._skip:
            at = min(self._skip, end)
            self._skip -= at
        while at < end:
            space = buffer.find(b" ", at, at + _LONGEST_COUNT)
            digits = buffer[at:space] if space > 0 else buffer[at : at + _LONGEST_COUNT]
            if not digits.isdigit() or digits[0] == 48 or (space < 0 and len(digits) == _LONGEST_COUNT):
                after = self._resume(buffer, at, found)
            elif space < 0:
                after = at
            else:
                after = self._counted(buffer, at, space + 1, int(digits), found)
            if after == at:
                self._keep(buffer[at:])
                break
            at = after
        return self._clean(found)

    def _counted(self, buffer: bytes, at: int, start: int, length: int, found: list[bytes]) -> int:
        """Take one counted message; where the next begins, or `at` while it is not whole."""
        stop = start + length
        if stop <= len(buffer):
            found.append(buffer[start:stop])
            return stop
        if length > self.limit and len(buffer) - start > self.limit:
            found.append(buffer[start:])
            self._skip = stop - len(buffer)
            return len(buffer)
        self._need = min(stop, start + self.limit + 1) - at
        return at

    def _resume(self, buffer: bytes, at: int, found: list[bytes]) -> int:
        """After a wrong count: give out what lies before the next newline or frame; `at` to wait for it."""
        if buffer[at : at + 1] in (b"\n", b"\r", b"\0"):  # some senders end counted frames so
            return at + 1
        within = min(at + _RESUME_WITHIN, len(buffer))
        start = _FRAME_START.search(buffer, at + 1, within)
        if start is None and within == len(buffer) and within - at < _RESUME_WITHIN:
            return at
        stop = start.start() if start else within
        self.bad += 1
        found.append(buffer[at:stop])
        return stop

    def _clean(self, messages: list[bytes]) -> list[bytes]:
        kept = []
        for message in messages:
            text = message.rstrip(b"\r\n\0")
            if len(text) > self.limit:
                self.truncated += 1
                text = text[: self.limit]
            if text:
                kept.append(text)
        self.empty += len(messages) - len(kept)
        return kept

    def _join(self) -> bytes:
        buffer = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self.held = self._need = 0
        return buffer

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._parts.append(rest)
            self.held = len(rest)
