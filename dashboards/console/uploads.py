"""Forms that carry a file (multipart/form-data, RFC 7578), read from bytes that are in memory and known to be few."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from hinomi.errors import InputError

_MOST_PARTS, _LONGEST_VALUE = 40, 64 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the browser named it; its name is as hostile as its bytes."""

    name: str
    content: bytes


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    key: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    body: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Reading:
    """What python-multipart calls as it goes through the bytes."""

    parts: list[_Part] = field(default_factory=list)

    def begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            raise FormParserError("too many parts")
        self.parts.append(_Part())

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].key += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].value += data[start:end]

    def header_end(self) -> None:
        part = self.parts[-1]
        part.headers[bytes(part.key).lower()] = bytes(part.value)
        part.key.clear()
        part.value.clear()

    def data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].body += data[start:end]


def is_multipart(content_type: str) -> bool:
    """Whether the form came so that it can carry a file."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def read(content_type: str, raw: bytes) -> tuple[dict[str, list[str]], Mapping[str, Upload]]:
    """Values and files of a form by name. Raises InputError for what is no such form."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    reading = _Reading()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reading.begin,
                "on_header_field": reading.header_field,
                "on_header_value": reading.header_value,
                "on_header_end": reading.header_end,
                "on_part_data": reading.data,
            },
        )
        parser.write(raw)
        parser.finalize()
        return _sorted(reading.parts)
    except FormParserError as error:
        raise InputError("送られたフォームを読めません。", "the form cannot be read") from error


def _sorted(parts: list[_Part]) -> tuple[dict[str, list[str]], Mapping[str, Upload]]:
    values: dict[str, list[str]] = {}
    files: dict[str, Upload] = {}
    for part in parts:
        options = parse_options_header(part.headers.get(b"content-disposition", b""))[1]
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            files[name] = Upload(options[b"filename"].decode("utf-8", "replace"), bytes(part.body))
        elif len(part.body) > _LONGEST_VALUE:
            raise FormParserError("a value is too long")
        else:
            values.setdefault(name, []).append(part.body.decode("utf-8", "replace"))
    return values, files
