"""What every baseline is: signals of some rules in, findings with their reason in words out, a state that lasts."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hinomi.errors import ContentError, Where
from hinomi.identity import digest
from rules.baselines.days import day_of
from rules.baselines.evidence import Evidence
from rules.baselines.recent import ROOM
from rules.entry import Entry
from rules.meta import Meta

_MEANING = ("entity", "field", "role", "looks_for")
_LONG = 200  # signs of a name that is kept as it is
_MOST = 1_000_000_000  # of an option that is a number: in days or hours that still is a time in ns


@dataclass(frozen=True, slots=True)
class Declared:
    """The YAML: what it says of itself, ids of the rules whose signals it takes, its options, its file."""

    meta: Meta
    takes: tuple[str, ...]
    options: Mapping[str, Any]
    path: Path

    def number(self, name: str, default: float, least: float = 0) -> float:
        """An option that is a number, no less than that. Raises ContentError naming file and key."""
        value = self.options.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= _MOST:
            raise ContentError(
                f"「{value}」は {least:g} から {_MOST:,} までの数ではありません。",
                f'"{value}" is not a number from {least:g} to {_MOST:,}',
                where=Where(self.path, None, f"baseline.{name}"),
            )
        return float(value)

    def text(self, name: str, default: str) -> str:
        """An option that is text. Raises ContentError naming file and key."""
        value = self.options.get(name)
        if not isinstance(value, str | None):
            raise ContentError(
                f"「{value}」は文字ではありません。",
                f'"{value}" is not text',
                where=Where(self.path, None, f"baseline.{name}"),
            )
        return default if value is None else value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something out of the ordinary: key makes its alert's id; entries: the events that it consists of; why, in words.

    n, first, last: how many events there were, and from when to when (ns), where that is more than the entries show.
    """

    key: str
    entries: list[Entry]
    ja: str
    en: str
    fields: dict[str, Any] = field(default_factory=dict)
    n: int = 0
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, key: str, evidence: Evidence, ja: str, en: str, fields: dict[str, Any]) -> "Finding":
        """A finding that consists of this evidence."""
        entries, first, last = list(evidence.entries), evidence.first, evidence.last
        return cls(key, entries, ja, en, fields, evidence.n, first, last)

    def span(self) -> tuple[int, int]:
        """Event time of its first and last event (ns)."""
        times = [entry.time for entry in self.entries]
        times += [one for one in (self.first, self.last) if one is not None]
        return min(times), max(times)


def short(text: str) -> str:
    """A name or value as it is kept: the same text for the same, however much a sender writes."""
    return text if len(text) <= _LONG else f"{text[:_LONG]}…{digest(text)}"


def amount(entry: Entry, field: str) -> float:
    """What an entry adds: a field's number, or one event; text that is no sensible number adds nothing."""
    if not field:
        return 1.0
    try:
        number = float(entry.value(field) or 0)
    except ValueError:
        return 0.0
    return number if 0 <= number < 1e12 else 0.0


class Baseline(ABC):
    """One baseline rule. newest: how far event time has come, as the correlator knows it (ns)."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.meta = declared.meta
        self.entity = declared.text("entity", "user.name")
        self.room = int(declared.number("memory_mb", ROOM >> 20, 1)) << 20
        self.newest = 0

    def feed(self, entries: Iterable[Entry], newest: int) -> list[Finding]:
        """Findings among signals of the rules that it takes, each as it stands at the end."""
        self.newest = newest
        own = [entry for entry in entries if entry.rule in self.declared.takes and entry.who(self.entity)]
        found = {finding.key: finding for entry in own for finding in self.look(entry)}
        return list(found.values())

    def person(self, entry: Entry) -> str:
        """Whom the entry is about, in one spelling."""
        return short(str(entry.who(self.entity)).lower())

    def day(self, entry: Entry) -> str:
        """The day in Japan of its event time; of a clock that runs ahead, the day until which time has come."""
        return day_of(min(entry.time, self.newest))

    @property
    def meaning(self) -> str:
        """What its knowledge is about: its type and the options that name whom and what. A state of another meaning says
        nothing here; limits and spans may change, and what was learnt stays true."""
        named = {name: getattr(self, name, "") for name in _MEANING}
        return json.dumps([type(self).__name__, named])

    @abstractmethod
    def look(self, entry: Entry) -> list[Finding]:
        """What one entry shows."""

    @abstractmethod
    def take_forgotten(self) -> int:
        """How much was given up for want of room since the last call."""

    @abstractmethod
    def dump(self) -> Any:
        """The state as JSON."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take up a state that `dump` gave."""
