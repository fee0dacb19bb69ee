"""Two sign-ins of one person, too far apart to travel between: great-circle distance over time.

Options: max_kmh (900, an airliner), min_km (500: geolocation of addresses is coarse), window_hours (12).
"""

from bisect import insort
from math import asin, cos, radians, sin, sqrt
from typing import Any

from rules.baselines.baseline import Baseline, Declared, Finding
from rules.correlation.entry import Entry

_EARTH_KM = 6371.0
_HOUR = 3600 * 1_000_000_000
_KEPT = 200


class Type(Baseline):
    """Keeps each person's located sign-ins of the window, in event time."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.fastest = declared.number("max_kmh", 900)
        self.least = declared.number("min_km", 500)
        self.window = int(declared.number("window_hours", 12) * _HOUR)
        self.seen: dict[str, list[Entry]] = {}

    def look(self, entry: Entry) -> list[Finding]:
        """Compare with the sign-in before and the one after it in time: a late one is no exception."""
        if _place(entry) is None:
            return []
        person = str(entry.who(self.entity)).lower()
        kept = self.seen.setdefault(person, [])
        if any(one.id == entry.id for one in kept):
            return []
        insort(kept, entry, key=lambda one: one[:2])
        at = kept.index(entry)
        pairs = [(kept[at - 1], entry)] if at else []
        pairs += [(entry, kept[at + 1])] if at + 1 < len(kept) else []
        findings = [found for first, second in pairs if (found := self._pair(person, first, second))]
        self.seen[person] = kept[-_KEPT:]  # by number, not by age: a source that was cut off comes days later
        return findings

    def _pair(self, person: str, first: Entry, second: Entry) -> Finding | None:
        here, there = _place(first), _place(second)
        if here is None or there is None or second.time - first.time > self.window:
            return None
        distance, hours = _distance(here, there), max((second.time - first.time) / _HOUR, 1 / 3600)
        if distance < self.least or distance / hours <= self.fastest:
            return None
        return Finding(
            key=f"{person}|{first.id}|{second.id}",
            entries=[first, second],
            ja=f"{_country(first)}の{_minutes(hours)}後に{_country(second)}(約{distance:.0f}km、移動はあり得ない速さ)",
            en=f"{_country(second)} {_minutes(hours, 'en')} after {_country(first)}, about {distance:.0f} km apart",
            fields={self.entity: person, "distance_km": round(distance), "hours": round(hours, 2)},
        )

    def dump(self) -> Any:
        """Person → entries."""
        return {person: [list(entry) for entry in kept] for person, kept in self.seen.items()}

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.seen = {person: [Entry(*entry) for entry in kept] for person, kept in state.items()}


def _place(entry: Entry) -> tuple[float, float] | None:
    text = entry.value("source.geo.location")
    try:
        latitude, longitude = (float(part) for part in (text or "").split(","))
    except ValueError:
        return None
    return latitude, longitude


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres along the great circle (haversine)."""
    lat1, lon1, lat2, lon2 = map(radians, (*one, *other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))


def _country(entry: Entry) -> str:
    return entry.value("source.geo.country_iso_code") or "?"


def _minutes(hours: float, language: str = "ja") -> str:
    minutes = round(hours * 60)
    return f"{minutes}分" if language == "ja" else f"{minutes} minutes"
