"""Windows events read narrowly: the kind of each event, and of the kinds that rules ask of the values asked.

Every text is what the full reading (`records`, `forms`, `meaning`) writes in the same `winlog.*` column;
a test holds the two against each other. Where an event is unusual (an object where a text is asked for, two
names for one thing that differ, an unnamed value) it is left to the full reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import polars as pl

from collectors.coded import Coded, Codes, Coding
from collectors.narrow import Asked, Constants, Kind, Narrowed
from collectors.windows.documents import text_of
from collectors.windows.forms import DATA, FLAT, FLAT_NOTHING
from collectors.windows.records import braced
from hinomi import ecs
from hinomi.collecting import no_collection

_CHUNK = 256
"""Documents held at a time: they die in the processor's cache."""
_WAITING = 4_096
"""Documents of all kinds held between blocks of lines: each takes some kilobytes."""
_HELD = 700
"""Bytes that a column of a kind takes with one event: 14 KB were measured of a kind of twenty columns."""
_LONG = 12_000
"""Bytes in which an object may have more keys than the full reading takes."""
_KINDS = ("winlog.channel", "winlog.event_id", "winlog.provider_name")
_STAR, _CARET = b"*^"  # as numbers they are found in half the time
_UNNAMED = {DATA + "Data", *(f"{DATA}param{number}" for number in range(1, 64))}
_DERIVED_DATA = "PowerShell"
"""The provider whose event data the full reading takes apart."""
_PLAIN = {str, type(None)}
_NO_TEXT = {dict, list}
_SYSTEM = {
    "winlog.event_id": "EventID",
    "winlog.version": "Version",
    "winlog.level": "Level",
    "winlog.task": "Task",
    "winlog.opcode": "Opcode",
    "winlog.keywords": "Keywords",
    "winlog.channel": "Channel",
    "winlog.computer_name": "Computer",
}
"""Columns of the EVTX form's `System` whose value is plain."""
_FLAT_NAMES: dict[str, tuple[str, ...]] = {}
for _raw, _column in FLAT.items():
    _FLAT_NAMES[_column] = (*_FLAT_NAMES.get(_column, ()), _raw)

_NOT_FLAT = frozenset({"Event", "winlog", "winlog.event_id", "properties", "Records", "records"})
"""Names of which the flat form has none at its top; `Records` may hold several events."""
_NUMBERS = frozenset({int, str})
"""Types of an event id. (1, True and 1.0 are one key of a dict.)"""

Event = tuple[dict[str, Any], dict[str, Any] | None]
"""What an event says of itself, and its data (None: the same object, as in the flat form)."""
_EVTX_KEY = 3
Key = tuple[Any, ...]
"""Event id, channel and up to three names of the provider: one in the EVTX form."""


@dataclass(slots=True)
class _Reading:
    """One column: where it is read, under which names."""

    column: str
    of_data: bool
    names: tuple[str, ...]
    texts: Coding = field(default_factory=Coding)


@dataclass(slots=True)
class _Kind:
    """Events of one kind, waiting to become columns."""

    constants: Constants
    readings: list[_Reading]
    unnamed: bool
    numbered: bool
    rows: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    data: list[dict[str, Any]] = field(default_factory=list)

    def flush(self, odd: list[int]) -> None:
        """The waiting events as texts; those that only the full reading understands are named in `odd`."""
        parts = self.said, self.data or self.said
        columns = [_cells(reading, parts[reading.of_data]) for reading in self.readings]
        strange = {place for _, places in columns for place in places}
        if self.unnamed:
            strange.update(
                place for place, data in enumerate(parts[1]) if _has_unnamed(data, numbered=self.numbered)
            )
        for reading, (cells, _) in zip(self.readings, columns, strict=True):
            reading.texts.add(cells if not strange else _without(cells, strange))
        self.rows += self.waiting if not strange else _without(self.waiting, strange)
        odd += [self.waiting[place] for place in strange]
        self.waiting, self.said, self.data = [], [], []

    def read(self) -> Kind:
        """All of them."""
        columns = {one.column: one.texts.coded() for one in self.readings}
        for name, (texts, codes) in columns.items():
            if any(ecs.BETWEEN in text for text in texts):
                texts, codes = columns[name] = _unparted(texts, codes)
            if name[-4:].lower() == "guid" and texts:
                held = pl.DataFrame([pl.Series(name, texts)]).select(braced(name))
                columns[name] = Coded(held.to_series().to_list(), codes)
        return Kind(self.constants, np.array(self.rows, np.int64), columns)


class WindowsNarrow:
    """Lines of the EVTX and the flat form; others are left to the full reading. Blank lines are no events."""

    def reading(self, asked: Asked) -> "WindowsReading":
        """See `collectors.narrow`."""
        return WindowsReading(asked)

    def constants(self, line: bytes) -> Constants | None:
        """See `collectors.narrow`."""
        key = _key(line)
        return None if key is None else _constants(key)


@dataclass(slots=True)
class WindowsReading:
    """See `collectors.narrow.Reading`."""

    asked: Asked
    weight: int = 0
    _kinds: dict[Key, _Kind | bool] = field(default_factory=dict)
    _whole: list[int] = field(default_factory=list)

    def add(self, first: int, lines: Sequence[bytes]) -> list[int]:
        """See `collectors.narrow.Reading`."""
        with no_collection():
            may = _read(first, lines, self._kinds, self._whole, self.asked)
            kinds = [kind for kind in self._kinds.values() if isinstance(kind, _Kind)]
            self.weight = _HELD * sum(1 + len(kind.readings) for kind in kinds)
            if sum(len(kind.waiting) for kind in kinds) > _WAITING:
                for kind in kinds:
                    kind.flush(self._whole)
        return may

    def finish(self) -> Narrowed:
        """See `collectors.narrow.Reading`."""
        found: list[Kind] = []
        with no_collection():
            for kind in self._kinds.values():
                if isinstance(kind, _Kind):
                    kind.flush(self._whole)
                    if kind.rows:
                        found.append(kind.read())
        return Narrowed(found, self._whole)


def _read(
    first: int, lines: Sequence[bytes], kinds: dict[Key, _Kind | bool], whole: list[int], asked: Asked
) -> list[int]:
    loads = orjson.loads
    waiting: list[int] = []
    odd: list[int] = []
    for row, line in enumerate(lines, first):
        try:
            document = loads(line)
            plain = document.keys().isdisjoint(_NOT_FLAT)
        except (orjson.JSONDecodeError, AttributeError):  # no JSON, no object
            if line.strip():
                odd.append(row)
            continue
        data = None
        if plain:  # as `_flat_key`, which a call a line would cost a tenth more
            get = document.get
            key: Key = (
                get("EventID"),
                get("Channel"),
                get("SourceName"),
                get("Provider_Name"),
                get("ProviderName"),
            )
            usual = type(key[0]) in _NUMBERS
        else:
            usual = (split := _evtx(document)) is not None
            if split is not None:
                key, (document, data) = split
        if not usual or ((_STAR in line or _CARET in line or len(line) > _LONG) and _unusual(line, document)):
            odd.append(row)
            continue
        try:
            kind = kinds[key]
        except KeyError:
            kind = kinds[key] = _kind(key, asked)
        except TypeError:  # an object where a name should be
            kind = True
        if kind is True:
            odd.append(row)
        elif kind is not False:
            waiting.append(row)
            kind.waiting.append(row)
            kind.said.append(document)
            if data is not None:
                kind.data.append(data)
            if len(kind.waiting) >= _CHUNK:
                kind.flush(whole)
    whole += odd
    return sorted(waiting + odd)


def _key(line: bytes) -> Key | None:
    """The kind of an event; None where it is not one of the usual forms."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(document) is not dict or _unusual(line, document):
        return None
    if not document.keys().isdisjoint(_NOT_FLAT):
        split = _evtx(document)
        return None if split is None else split[0]
    key = tuple(map(document.get, ("EventID", "Channel", "SourceName", "Provider_Name", "ProviderName")))
    return key if type(key[0]) in _NUMBERS else None


def _unusual(line: bytes, document: dict[str, Any]) -> bool:
    """Whether the full reading changes names of it, or leaves some out."""
    return ((_STAR in line or _CARET in line) and _renamed(document)) or (
        len(line) > _LONG and _wide(document)
    )


def _evtx(document: dict[str, Any]) -> tuple[Key, Event] | None:
    try:
        event = document["Event"]
        system, data, user = event["System"], event.get("EventData"), event.get("UserData")
        number = system["EventID"]
        number = number["#text"] if type(number) is dict else number
        provider = system["Provider"]["#attributes"]["Name"]
        channel = system["Channel"]
    except (KeyError, TypeError, AttributeError):
        return None
    if len(document) != 1 or "RenderingInfo" in event or type(number) not in _NUMBERS:
        return None
    held = data if user is None else _of_user(data, user)
    if held is None:
        held = {}
    if type(held) is not dict:
        return None
    return (number, channel, provider), (system, held)


def _of_user(data: Any, user: Any) -> Any:
    """The one object inside UserData; anything that is no object where there is not exactly one."""
    if data or type(user) is not dict:
        return False
    inner = [value for name, value in user.items() if name != "#attributes"]
    return inner[0] if len(inner) == 1 and type(inner[0]) is dict else False


def _renamed(document: Mapping[str, Any]) -> bool:
    """Whether any name, at any depth, holds a sign that the full reading takes out of names."""
    return any(
        "*" in name or "^" in name or (type(value) is dict and _renamed(value))
        for name, value in document.items()
    )


def _wide(document: dict[str, Any]) -> bool:
    return len(document) > 1_500 or any(type(value) is dict for value in document.values())


def _kind(key: Key, asked: Asked) -> _Kind | bool:
    """How to read a kind; False where no rule asks of it, True where only the full reading can tell."""
    constants = _constants(key)
    if constants is None:
        return True
    columns = asked(constants)
    if columns is None:
        return True
    if not columns:
        return False
    columns = frozenset(part for column in columns for part in column.split("|"))
    form = "evtx" if len(key) == _EVTX_KEY else "flat"
    readings = [_reading(form, column) for column in sorted(columns)]
    known = [one for one in readings if one is not None]
    if len(known) < len(readings):
        return True
    return _Kind(
        constants,
        [one for one in known if one.names],
        bool(_UNNAMED & columns),
        bool(_UNNAMED & columns - {DATA + "Data"}),
    )


def _constants(key: Key) -> Constants | None:
    number, channel, *names = key
    if not all(type(name) is str for name in (channel, *names) if name is not None) or channel is None:
        return None
    provider = {name for name in names if name is not None}
    if len(provider) != 1 or _DERIVED_DATA in provider:
        return None
    texts = channel, str(number), provider.pop()
    return None if any(ecs.BETWEEN in text for text in texts) else tuple(zip(_KINDS, texts, strict=True))


def _reading(form: str, column: str) -> _Reading | None:
    """Where a column is; without names where no event of this form has it, None where nobody can tell."""
    name = column.removeprefix(DATA)
    if column.startswith(DATA):
        taken = form == "flat" and (name in FLAT or name in FLAT_NOTHING)
        return None if "." in name or "#" in name else _Reading(column, True, () if taken else (name,))
    if column in ("message", "winlog.message"):  # an event that has one is left to the full reading
        return _Reading("message", False, ("Message",) if form == "flat" and column == "message" else ())
    names = _FLAT_NAMES.get(column) if form == "flat" else (_SYSTEM[column],) if column in _SYSTEM else None
    return None if names is None or not column.startswith("winlog.") else _Reading(column, False, names)


def _cells(reading: _Reading, parts: Sequence[dict[str, Any]]) -> tuple[list[str | None], list[int]]:
    """A column's texts, and the places of the events in which it is no text."""
    names = reading.names
    if reading.column == "message":
        return [None] * len(parts), [
            place for place, part in enumerate(parts) if part.get("Message") is not None
        ]
    strange: list[int] = []
    if len(names) == 1:
        name = names[0]
        cells = [part.get(name) for part in parts]
    else:
        said = [[value for name in names if (value := part.get(name)) is not None] for part in parts]
        cells = [values[0] if values else None for values in said]
        strange = [
            place for place, values in enumerate(said) if any(value != values[0] for value in values[1:])
        ]
    if set(map(type, cells)) <= _PLAIN:
        return cells, strange
    strange += [place for place, cell in enumerate(cells) if type(cell) in _NO_TEXT]
    return [None if type(cell) in _NO_TEXT else text_of(cell) for cell in cells], strange


def _unparted(texts: Sequence[str], codes: Codes) -> Coded:
    """A column with a blank for the sign that stands between several values: see `json_text.read`."""
    plain = [*(text.replace(ecs.BETWEEN, " ") for text in texts), None]
    coding = Coding()
    coding.add(plain[code] for code in codes.tolist())
    return coding.coded()


def _has_unnamed(data: Mapping[str, Any], *, numbered: bool) -> bool:
    """Whether values without a name, which the full reading numbers and joins, may stand behind what is asked."""
    if any(name.startswith("param") for name in data):
        return True
    return "Data" in data and (numbered or type(data["Data"]) not in _PLAIN)


def _without(values: list[Any], places: set[int]) -> list[Any]:
    return [value for place, value in enumerate(values) if place not in places]
