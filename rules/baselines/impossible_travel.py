"""Two sign-ins of one person, too far apart to travel between: great-circle distance over time.

Options: max_kmh (900, an airliner), min_km (500: geolocation of addresses is coarse), window_hours (12),
ignore_addresses (CIDR list: addresses that say nothing of where a person is, such as the city's own way out), carriers
(parts of names of mobile carriers: their addresses come out far from the telephone) read from the field carrier
(source.as.organization.name), memory_mb (32).

The name of a network's owner is in few logs (Okta, Slack, GuardDuty, OCSF): those of VPN gateways and of Entra have none, and the
tables that enrich places hold none. For them the carriers' networks belong in ignore_addresses.
"""

from bisect import insort
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any

from hinomi.countries import country
from hinomi.errors import ContentError, Where
from hinomi.words import Words
from rules.baselines.baseline import Baseline, Declared, Finding
from rules.baselines.recent import Recent
from rules.entry import Entry

_EARTH_KM = 6371.0
_HOUR = 3600 * 1_000_000_000
_KEPT = 200
_OF_TOLD = 900  # bytes of what was told once
_QUIET_HOURS = 14 * 24
"""A person without sign-ins for so long is forgotten."""


@dataclass(slots=True)
class _Told:
    """A run of impossible journeys of one person: one alert. Words and figures are its first journey's."""

    key: str
    first: int
    last: int
    ja: str
    en: str
    fields: dict[str, Any]


@dataclass(slots=True)
class _Person:
    """Located sign-ins in order of event time, and what was told of them."""

    entries: list[Entry] = field(default_factory=list)
    told: list[_Told] = field(default_factory=list)

    def weigh(self) -> int:
        """The bytes of both."""
        return sum(entry.weight for entry in self.entries) + _OF_TOLD * len(self.told)


class Type(Baseline):
    """Keeps each person's latest located sign-ins, in event time: a late one is no exception."""

    def __init__(self, declared: Declared) -> None:
        super().__init__(declared)
        self.fastest = declared.number("max_kmh", 900)
        self.least = declared.number("min_km", 500)
        self.window = int(declared.number("window_hours", 12) * _HOUR)
        self.ignored = _networks(declared)
        self.carrier = declared.text("carrier", "source.as.organization.name")
        written = declared.options.get("carriers") or []
        self.carriers = [str(name).lower() for name in written] if isinstance(written, list) else []
        self.seen = Recent(_Person, _Person.weigh, room=self.room)

    def look(self, entry: Entry) -> list[Finding]:
        """Compare with the sign-in before and the one after it in time."""
        if _place(entry) is None or self._says_nothing(entry):
            return []
        self.seen.forget(self.newest - max(self.window, _QUIET_HOURS * _HOUR))
        who = self.person(entry)
        person = self.seen.of(who, self.newest)
        if any(one[:3] == entry[:3] for one in person.entries):
            return []
        told, weight = len(person.told), entry.weight
        insort(person.entries, entry, key=lambda one: one[:2])
        at = person.entries.index(entry)
        pairs = [(person.entries[at - 1], entry)] if at else []
        pairs += [(entry, person.entries[at + 1])] if at + 1 < len(person.entries) else []
        found = [self._found(who, person, *pair) for pair in pairs if self._is_impossible(*pair)]
        for gone in person.entries[:-_KEPT]:
            weight -= gone.weight
        del person.entries[:-_KEPT]
        self.seen.grew(who, weight + _OF_TOLD * (len(person.told) - told))
        return found

    def _says_nothing(self, entry: Entry) -> bool:
        who = (entry.value(self.carrier) or "").lower()
        if who and any(name in who for name in self.carriers):
            return True
        try:
            address = ip_address(entry.value("source.ip") or "")
        except ValueError:
            return False
        return any(address in network for network in self.ignored)

    def _is_impossible(self, first: Entry, second: Entry) -> bool:
        if second.time - first.time > self.window:
            return False
        distance, hours = _journey(first, second)
        return distance >= self.least and distance / hours > self.fastest

    def _found(self, who: str, person: _Person, first: Entry, second: Entry) -> Finding:
        """Journeys no further apart than the window are one alert, which grows."""
        told = next((one for one in person.told if self._continues(one, first, second)), None)
        if told is None:
            told = self._told(who, first, second)
            person.told.append(told)
        told.first, told.last = min(told.first, first.time), max(told.last, second.time)
        person.told = person.told[-_KEPT:]
        entries = [one for one in person.entries if told.first <= one.time <= told.last]
        return Finding(told.key, entries, told.ja, told.en, told.fields)

    def _continues(self, told: _Told, first: Entry, second: Entry) -> bool:
        return told.first <= second.time + self.window and first.time <= told.last + self.window

    def _told(self, who: str, first: Entry, second: Entry) -> _Told:
        distance, hours = _journey(first, second)
        here, there, minutes = _country(first), _country(second), round(hours * 60)
        return _Told(
            key=f"{who}|{second.event}",
            first=first.time,
            last=second.time,
            ja=f"{here.ja}でのサインインの{minutes}分後に{there.ja}(約{distance:,.0f}km、移動はあり得ない速さ)",
            en=f"{there.en} {minutes} minutes after {here.en}, about {distance:,.0f} km apart",
            fields={self.entity: who, "distance_km": round(distance), "hours": round(hours, 2)},
        )

    def take_forgotten(self) -> int:
        """People given up."""
        return self.seen.take_lost()

    def dump(self) -> Any:
        """Person, mark, entries and what was told."""
        return self.seen.dump(
            lambda one: [[list(entry) for entry in one.entries], [asdict(told) for told in one.told]]
        )

    def load(self, state: Any) -> None:
        """See `dump`."""
        self.seen.load(
            state, lambda body: _Person([Entry(*one) for one in body[0]], [_Told(**one) for one in body[1]])
        )


def _networks(declared: Declared) -> list[IPv4Network | IPv6Network]:
    found = []
    written = declared.options.get("ignore_addresses") or []
    for text in written if isinstance(written, list) else [f"{written} (list)"]:
        try:
            found.append(ip_network(str(text)))
        except ValueError:
            raise ContentError(
                f"「{text}」はネットワーク(例 198.51.100.0/24)ではありません。",
                f'"{text}" is not a network such as 198.51.100.0/24',
                where=Where(declared.path, None, "baseline.ignore_addresses"),
            ) from None
    return found


def _place(entry: Entry) -> tuple[float, float] | None:
    text = entry.value("source.geo.location")
    try:
        latitude, longitude = (float(part) for part in (text or "").split(","))
    except ValueError:
        return None
    return (latitude, longitude) if isfinite(latitude) and isfinite(longitude) else None


def _journey(first: Entry, second: Entry) -> tuple[float, float]:
    """Kilometres along the great circle (haversine), and hours, at least a second."""
    here, there = _place(first), _place(second)
    if here is None or there is None:
        return 0.0, 1.0
    lat1, lon1, lat2, lon2 = map(radians, (*here, *there))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    distance = 2 * _EARTH_KM * asin(sqrt(min(1.0, half)))
    return distance, max((second.time - first.time) / _HOUR, 1 / 3600)


def _country(entry: Entry) -> Words:
    return country(entry.value("source.geo.country_iso_code") or entry.value("source.ip") or "?")
