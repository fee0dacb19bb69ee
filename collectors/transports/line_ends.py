"""Where the lines of a followed file end: after a byte, or, in the UTF-16 that Windows programs write, after two.

UTF-16 is told by its mark at the file's beginning (Unicode 15, 23.8): without one a file is text of bytes.
"""

from dataclasses import dataclass

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True, slots=True)
class LineEnds:
    """codec: of UTF-16, "" for text of bytes; mark: what ends a line."""

    codec: str = ""
    mark: bytes = b"\n"

    def whole(self, data: bytes) -> int:
        """How many of the bytes are whole lines; the data begin where a character does."""
        end = data.rfind(self.mark)
        while end % len(self.mark) and end > 0:  # the halves of two characters
            end = data.rfind(self.mark, 0, end + len(self.mark) - 1)
        return end + len(self.mark) if end >= 0 and not end % len(self.mark) else 0

    def split(self, data: bytes) -> list[bytes]:
        """The lines of whole lines, without their ends, as they stand in the file."""
        if not self.codec:
            return data[: -len(self.mark)].split(self.mark)
        found, start, at = [], 0, data.find(self.mark)
        while at >= 0:
            if at % len(self.mark):
                at = data.find(self.mark, at + 1)
                continue
            found.append(data[start:at])
            start = at + len(self.mark)
            at = data.find(self.mark, start)
        return found

    def text(self, line: bytes) -> bytes:
        """A line as it is spooled: UTF-16 as UTF-8, without the file's mark and what Windows puts before a line's end."""
        if self.codec:
            text = line.decode(self.codec, "backslashreplace").removeprefix("\ufeff")
            line = text.encode("utf-8", "backslashreplace")
        return line.rstrip(b"\r\0")


def of(start: bytes) -> LineEnds:
    """Of a file that begins so."""
    codec = _MARKS.get(start[:2])
    return LineEnds(codec, "\n".encode(codec)) if codec else LineEnds()
