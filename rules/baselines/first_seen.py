"""A value never seen before with this entity, once the entity has been known for a while.

Options: field (the value's), warm_up_days (14): an entity younger than that learns silently.
"""

from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding
from rules.correlation.entry import Entry

_DAY = 86_400 * 1_000_000_000
_MOST_VALUES = 500


class Type(Baseline):
    """Keeps for each entity when it was first seen, and its values."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.field = declared.text("field", "source.geo.country_iso_code")
        self.warm_up = int(declared.number("warm_up_days", 14) * _DAY)
        self.known: dict[str, dict[str, Any]] = {}

    def look(self, entry: Entry) -> list[Finding]:
        """A finding for a new value of a known entity."""
        value = entry.value(self.field)
        if not value:
            return []
        who = str(entry.who(self.entity)).lower()
        held = self.known.setdefault(who, {"since": entry.time, "values": []})
        held["since"] = min(held["since"], entry.time)
        if value in held["values"] or len(held["values"]) >= _MOST_VALUES:
            return []
        held["values"].append(value)
        days = (entry.time - held["since"]) // _DAY
        if entry.time - held["since"] < self.warm_up:
            return []
        return [
            Finding(
                key=f"{who}|{value}",
                entries=[entry],
                ja=f"{days}日間で初めての値「{value}」",
                en=f'"{value}" for the first time in {days} days',
                fields={self.entity: who, self.field: value},
            )
        ]

    def dump(self) -> Any:
        """Entity → since, values."""
        return self.known

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.known = state
