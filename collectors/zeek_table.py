r"""Zeek's tab-separated logs as the JSON records that Zeek would have written: a line alone does not name its columns.

Source: Zeek, "Log Files" (docs.zeek.org, ASCII writer): `#separator`, `#set_separator`, `#empty_field`, `#unset_field`,
`#path`, `#fields`, `#types`, then a row a line; bytes are escaped as `\xNN`. Files that were joined have several heads.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import orjson

_HEAD = b"#separator"
_ESCAPED = re.compile(r"\\x([0-9A-Fa-f]{2})")
Value = str | int | float | bool | list["Value"] | None
Reader = Callable[[str], Value]


def is_table(head: bytes) -> bool:
    """Whether a file begins as a tab-separated Zeek log."""
    return head.startswith(_HEAD)


def rows(lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """(byte offset, JSON object) of each row; a row that does not fit its head comes as it is."""
    offset, table = 0, _Table()
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff")
        if line.startswith("#"):
            table.head(line)
        elif line:
            yield offset, table.row(line)
        offset += len(raw)


@dataclass(slots=True)
class _Table:
    """What the lines of the head said last."""

    separator: str = "\t"
    sets: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: list[str] = field(default_factory=list)
    readers: list[tuple[bool, Reader]] = field(
        default_factory=list
    )  # a column: whether it is a list, how a value is read

    def head(self, line: str) -> None:
        """Take one line that begins with `#`."""
        if line.startswith(_HEAD.decode()):
            self.separator = _unescaped(line.partition(" ")[2]) or "\t"
            return
        name, _, rest = line[1:].partition(self.separator)
        match name:
            case "set_separator":
                self.sets = rest or ","
            case "empty_field":
                self.empty = rest
            case "unset_field":
                self.unset = rest
            case "path":
                self.path = rest
            case "fields":
                self.fields = rest.split(self.separator)
            case "types":
                self.readers = [_reader(kind) for kind in rest.split(self.separator)]

    def row(self, line: str) -> str:
        """One row as JSON."""
        cells = line.split(self.separator)
        if not self.fields or not len(cells) == len(self.fields) == len(self.readers):
            return line
        said = {
            name: self._value(cell, *reader)
            for name, reader, cell in zip(self.fields, self.readers, cells, strict=True)
            if cell != self.unset
        }
        return orjson.dumps({"_path": self.path, **said}).decode()

    def _value(self, cell: str, is_list: bool, read: Reader) -> Value:
        if is_list:
            each = [] if cell == self.empty else cell.split(self.sets)
            return [_plain(one, read) for one in each if one != self.unset]
        return "" if cell == self.empty else _plain(cell, read)


def _reader(kind: str) -> tuple[bool, Reader]:
    inner = re.fullmatch(r"(?:set|vector)\[(\w+)\]", kind)
    return inner is not None, _READ.get(inner[1] if inner else kind, _unescaped)


def _plain(cell: str, read: Reader) -> Value:
    try:
        return read(cell)
    except ValueError:
        return cell


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


_READ: dict[str, Reader] = {
    "count": int,
    "int": int,
    "port": int,
    "time": float,
    "interval": float,
    "double": float,
    "bool": "T".__eq__,
}
