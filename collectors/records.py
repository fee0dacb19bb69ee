"""JSON records as clouds write them: the shape, and how their values are read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from collectors import json_text
from hinomi.collecting import no_collection
from hinomi.ecs import column_type

Flat = dict[str, Any]
NOTHING = {"", "-", "<null>", "null", "Not Available", "N/A"}
"""Words for nothing, blanks around them aside."""
_SHORT = 40
_ADDRESS = 64
"""Characters beyond which a text is no common address, and not remembered."""
_MOST_KINDS = 64
_NANOSECONDS_UNTIL = 10**20
_SECONDS_FROM = 10**8  # 1973; less is a date without a time (`20261120`), a flag or a mere number
_SECONDS_UNTIL = 10**11  # more is a count of something smaller: seconds would be beyond the year 5000
_V4 = re.compile(r"^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?$")
_V6 = re.compile(r"^\[?([0-9A-Fa-f]*:[0-9A-Fa-f:.]+?)(?:%\w+)?(?:\](?::(\d{1,5}))?)?$")
_ISO = re.compile(r"^(\d{4})-(\d\d)-(\d\d)[T ](\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?$")
_PLAIN_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?\Z", re.ASCII)


_AROUND = "\ufeff\0, \t\r\n"
"""What stands around a record that was cut out of a file."""


@dataclass(frozen=True, slots=True)
class JsonRecords:
    """One JSON object a line as the column `document`. A wrapper around one record is taken off.

    kind: top-level names whose values tell the kinds of record apart; each kind gets its own frame, so
    that a frame has only the columns of its kind (the first 64 kinds that come, the rest share one).
    meant: an object of another form of the product as a record of the one that is read.
    """

    kind: tuple[str, ...] = ()
    meant: Callable[[Flat], Flat] = lambda document: document

    def read(self, intake: pl.DataFrame) -> Sequence[pl.DataFrame]:
        """`row` and `document` (Python objects) of the lines that hold a JSON object."""
        kinds: dict[tuple[str, ...], tuple[list[int], list[dict[str, Any]]]] = {}
        read = json_text.reader(intake["message"])
        with no_collection():
            for row, line in zip(intake["row"].to_list(), intake["message"].to_list(), strict=True):
                document = _object(line, read)
                if document is None:
                    continue
                document = self.meant(document)
                key = tuple([str(document.get(name)) for name in self.kind])
                if key not in kinds and len(kinds) >= _MOST_KINDS:
                    key = ()
                rows, documents = kinds.setdefault(key, ([], []))
                rows.append(row)
                documents.append(document)
        return [_frame(rows, documents) for rows, documents in kinds.values()]


def _frame(rows: list[int], documents: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        [pl.Series("row", rows, dtype=pl.UInt32), pl.Series("document", documents, dtype=pl.Object)]
    )


def _object(line: str | None, read: Callable[[str], Any]) -> dict[str, Any] | None:
    """read: `json_text.read`, or what does for all lines of the intake."""
    start = line.find("{", 0, 400) if line else -1
    if line is None or start < 0:
        return None
    try:
        document = read(line[start:] if start else line)
    except json_text.UnreadableError:
        document = _beside(line)
    return _unwrapped(document) if isinstance(document, dict) else None


def _loaded(written: str) -> Any:
    try:
        return json_text.read(written)
    except json_text.UnreadableError:
        return None


def _beside(line: str) -> Any:
    """The object of a line that holds more: a list of this one, JSON as text in JSON, a comma, a brace before it."""
    whole = _loaded(line.strip(_AROUND))
    if isinstance(whole, str):
        whole = _loaded(whole)
    if isinstance(whole, list) and len(whole) == 1:
        whole = whole[0]
    start = line.find('{"')
    return _loaded(line[start:].rstrip(_AROUND)) if whole is None and start >= 0 else whole


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """What an envelope of one record holds: of Azure, of AWS, of an OData answer."""
    inner = document.get("records") or document.get("Records")
    if (
        inner is None
        and "value" in document
        and all(name.startswith("@") for name in document if name != "value")
    ):
        inner = document["value"]
    return (
        inner[0] if isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], dict) else document
    )


def at(document: Any, *path: str) -> Any:
    """The value below these keys; None where there is none, or where it is a word for nothing."""
    for key in path:
        if type(document) is not dict:
            return None
        document = document.get(key)
    return None if type(document) is str and _says_nothing(document) else document


def text(document: Any, *path: str) -> str | None:
    """The same as text; objects and lists are none."""
    for key in path:
        if type(document) is not dict:
            return None
        document = document.get(key)
    if document is None:
        return None
    kind = type(document)
    if kind is str:
        # Called twenty times a record: the test for a word for nothing stands here, too.
        return None if len(document) < _SHORT and document.strip() in NOTHING else document
    if kind is dict or kind is list:
        return None
    return ("true" if document else "false") if kind is bool else str(document)


def _says_nothing(value: str) -> bool:
    """No word for nothing is longer than 13 letters; blanks are taken off only where they could hide one."""
    return len(value) < _SHORT and value.strip() in NOTHING


def items(document: Any, *path: str) -> list[Any]:
    """A list there, or an empty one."""
    value = at(document, *path)
    return value if isinstance(value, list) else []


def pairs(values: Any, name: str = "Name", value: str = "Value") -> dict[str, Any]:
    """`[{"Name": "x", "Value": "y"}]` as a mapping."""
    if not isinstance(values, list):
        return {}
    return {
        one[name]: one.get(value)
        for one in values
        if isinstance(one, dict) and isinstance(one.get(name), str)
    }


def embedded(value: Any) -> Any:
    """JSON written as text inside JSON; None where it is not."""
    if isinstance(value, (dict, list)):
        return value
    try:
        return json_text.read(value) if isinstance(value, str) and value[:1] in "{[" and value else None
    except json_text.UnreadableError:
        return None


def time(value: Any) -> datetime | None:
    """A time as Microsoft writes it: ISO 8601, UTC where no offset is given, or `3/24/2022 2:42:35 PM`."""
    if not isinstance(value, str):
        return None
    try:
        if _PLAIN_ISO.match(
            value
        ):  # Python's own reader takes a tenth of the time, but takes more than times
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        found = _ISO.match(value.strip())
        return _iso(found) if found else datetime.strptime(value, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return None


def _iso(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    micro = int((found[7] or "0").ljust(6, "0")[:6])
    zone = found[8]
    moment = datetime(year, month, day, hour, minute, second, micro, UTC)
    if zone in (None, "Z"):
        return moment
    return datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S.%f}{zone[:3]}:{zone[-2:]}").astimezone(UTC)


def epoch(value: Any) -> datetime | None:
    """A count since 1970 as a time; its size tells seconds, milli-, micro- and nanoseconds apart."""
    try:
        count = float(value)
        if isinstance(value, bool) or not _SECONDS_FROM <= count < _NANOSECONDS_UNTIL:
            return None
        while count >= _SECONDS_UNTIL:
            count /= 1000
        return datetime.fromtimestamp(round(count, 6), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def moment(*values: Any) -> datetime | None:
    """The first of these that is a time, as text or as a count since 1970: exporters of one product write either."""
    return next((found for value in values if (found := epoch(value) or time(value))), None)


def address(value: Any) -> tuple[str | None, int | None]:
    """(IP address in its short form, port) of `192.0.2.1:443`, `[2001:db8::1]:443`, `::ffff:192.0.2.1` …"""
    if not isinstance(value, str):
        return None, None
    return _address(value) if len(value) <= _ADDRESS else _address.__wrapped__(value)


@lru_cache(65_536)
def _address(text: str) -> tuple[str | None, int | None]:
    """The same addresses come again and again: reading one costs as much as all else of a small record."""
    bare = text.strip().removeprefix("::ffff:")
    found = _V4.match(bare) or _V6.match(bare)
    if found is None:
        return None, None
    try:
        return str(ip_address(found[1])), int(found[2]) if found[2] else None
    except ValueError:
        return None, None


def first_address(*values: Any) -> tuple[str | None, int | None]:
    """The first of these that is an address."""
    for value in values:
        if value and (found := address(value))[0]:
            return found
    return None, None


def url(value: Any, prefix: str = "url") -> Flat:
    """`url.*` of a web address; nothing of anything else."""
    if not isinstance(value, str) or not value.lower().startswith(("http://", "https://")):
        return {}
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        return {f"{prefix}.original": value}
    return {
        f"{prefix}.original": value,
        f"{prefix}.full": value,
        f"{prefix}.scheme": parts.scheme,
        f"{prefix}.domain": host,
        f"{prefix}.port": port,
        f"{prefix}.path": parts.path or None,
        f"{prefix}.query": parts.query or None,
    }


def kept(flat: Mapping[str, Any]) -> Flat:
    """Without what has no value; a text for an ECS text field."""
    return {
        name: value
        for name, value in flat.items()
        if value is not None and value != [] and not (value == "" and column_type(name) is not None)
    }
