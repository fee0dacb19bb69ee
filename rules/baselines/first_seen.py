"""A value never seen before with this entity, once the entity has been known for a while.

Options: field (the value's), warm_up_days (14): an entity younger than that learns silently; memory_mb (32).
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from hinomi.countries import country
from hinomi.words import Words
from rules.baselines.baseline import Baseline, Declared, Finding, short
from rules.baselines.recent import Recent
from rules.entry import Entry

_DAY = 86_400 * 1_000_000_000
_MOST_VALUES = 500
_OF_VALUE = 60  # bytes beside its signs
_NOUNS = {
    "source.geo.country_iso_code": ("国・地域", "country"),
    "source.ip": ("送信元アドレス", "source address"),
    "host.name": ("端末", "machine"),
}


@dataclass(slots=True)
class _Known:
    """since: time of the entity's first event; values: each that it had, the first _MOST_VALUES."""

    since: int | None = None
    values: list[str] = field(default_factory=list)

    def weigh(self) -> int:
        """The bytes of the values."""
        return sum(_OF_VALUE + len(value) for value in self.values)


class Type(Baseline):
    """Keeps for each entity when it was first seen, and its values."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("field", "source.geo.country_iso_code")
        self.warm_up = int(declared.number("warm_up_days", 14) * _DAY)
        self.known = Recent(_Known, _Known.weigh, room=self.room)
        self.full = 0

    def look(self, entry: Entry) -> list[Finding]:
        """A finding for a new value of a known entity."""
        value = entry.who(self.field)
        if not value:
            return []
        who, value = self.person(entry), short(value)
        held = self.known.of(who, self.newest)
        held.since = entry.time if held.since is None else min(held.since, entry.time)
        if value in held.values:
            return []
        if len(held.values) >= _MOST_VALUES:  # so changing a value is nothing to speak of any more
            self.full += 1
            return []
        held.values.append(value)
        self.known.grew(who, _OF_VALUE + len(value))
        age = entry.time - held.since
        return [self._finding(entry, who, value, age // _DAY)] if age >= self.warm_up else []

    def _finding(self, entry: Entry, who: str, value: str, days: int) -> Finding:
        ja, en = _NOUNS.get(self.field, ("値", "value"))
        said = country(value) if self.field.endswith(".country_iso_code") else Words(value, value)
        return Finding(
            key=f"{who}|{value}",
            entries=[entry],
            ja=f"{days}日間の記録で初めての{ja}「{said.ja}」",
            en=f'{en} "{said.en}" for the first time in {days} days of records',
            fields={self.entity: who, self.field: value},
        )

    def take_forgotten(self) -> int:
        """Entities given up, and values that were too many to keep."""
        full, self.full = self.full, 0
        return full + self.known.take_lost()

    def dump(self) -> Any:
        """Entity, its mark, since and values."""
        return self.known.dump(asdict)

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.known.load(state, lambda body: _Known(**body))
