"""Where an address is: its zone in the city's network, its country, its coordinates."""

import csv
import ipaddress
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from collectors.enrich.settings import Zone
from collectors.enrich.table_text import table_text
from hinomi.errors import ConfigError, Where

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")


def read_address(text: str) -> Address | None:
    """The address of a text, without the interface behind it; one of IPv4 written as IPv6 is one of IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class Place(NamedTuple):
    """ISO 3166-1 alpha-2 country and coordinates as `lat,lon`; None where not known."""

    country: str | None = None
    location: str | None = None


NOWHERE = Place()


class Geography(Protocol):
    """Something that knows where public addresses are."""

    def place(self, address: Address) -> Place:
        """The place of an address, NOWHERE when not known."""
        ...


class NoGeography:
    """Knows nothing."""

    def place(self, address: Address) -> Place:
        """Nowhere."""
        return NOWHERE


NO_GEOGRAPHY = NoGeography()


class Prefixes(Generic[T]):
    """Longest-prefix match over networks, by one dictionary a prefix length."""

    def __init__(self, entries: Sequence[tuple[Network, T]]) -> None:
        self._tables: dict[tuple[int, int], dict[int, T]] = {}
        for network, value in entries:
            key = (network.version, network.prefixlen)
            self._tables.setdefault(key, {})[int(network.network_address)] = value
        self._order = sorted(self._tables, reverse=True)

    def find(self, address: Address) -> T | None:
        """The value of the smallest network that holds the address."""
        number, bits = int(address), address.max_prefixlen
        for version, length in self._order:
            if version == address.version:
                start = number >> (bits - length) << (bits - length)
                found = self._tables[version, length].get(start)
                if found is not None:
                    return found
        return None


class ZoneMap:
    """The city's networks by zone; every other address is `external`."""

    def __init__(self, zones: Mapping[Zone, Sequence[Network]]) -> None:
        self._prefixes = Prefixes(
            [(network, zone) for zone, networks in zones.items() for network in networks]
        )

    def zone(self, address: Address) -> Zone | None:
        """The zone; None for addresses that are on no network (loopback, multicast, unlisted private)."""
        found = self._prefixes.find(address)
        if found is not None:
            return found
        if address.is_loopback or address.is_multicast or address.is_link_local or address.is_unspecified:
            return None
        return Zone.EXTERNAL if not _is_private(address) else None


def _is_private(address: Address) -> bool:
    """RFC 1918 and unique-local addresses; documentation networks count as public."""
    return any(address in network for network in _PRIVATE if network.version == address.version)


_PRIVATE: list[Network] = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


@dataclass(frozen=True, slots=True)
class PackagedCountries:
    """The country table that installs with the package geoip2fast (MaxMind GeoLite2, CC BY-SA 4.0)."""

    table: Any

    @classmethod
    def load(cls) -> "PackagedCountries":
        """Read the table (IPv4 and IPv6), about 0.1 s."""
        kept = dict(os.environ)
        with warnings.catch_warnings():  # the package's source has escapes that Python 3.12 warns of
            warnings.simplefilter("ignore")
            from geoip2fast import GeoIP2Fast  # sets PYTHONWARNINGS on import, which is not its to set

        os.environ.clear()
        os.environ.update(kept)
        return cls(GeoIP2Fast(geoip2fast_data_file="geoip2fast-ipv6.dat.gz"))

    def place(self, address: Address) -> Place:
        """Country only; the table has no coordinates."""
        code = str(self.table.lookup(str(address)).country_code)
        return Place(code) if len(code) == 2 and code.isalpha() else NOWHERE


@dataclass(frozen=True, slots=True)
class MaxMind:
    """A MaxMind database file (Country or City) that the city provides."""

    reader: Any

    @classmethod
    def load(cls, path: Path) -> "MaxMind":
        """Open the file. Raises ConfigError when it is none."""
        import maxminddb

        try:
            return cls(maxminddb.open_database(str(path)))
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise ConfigError(
                "MaxMind データベースとして開けません。",
                f"not a MaxMind database: {error}",
                where=Where(path),
            ) from error

    def place(self, address: Address) -> Place:
        """Country, and coordinates where the database has them."""
        found = self.reader.get(str(address)) or {}
        location = found.get("location") or {}
        country = (found.get("country") or found.get("registered_country") or {}).get("iso_code")
        if "latitude" in location and "longitude" in location:
            return Place(country, f"{location['latitude']},{location['longitude']}")
        return Place(country)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The city's own table in front of another geography: CSV cidr,country_iso_code,lat,lon."""

    prefixes: Prefixes[Place]
    behind: Geography

    @classmethod
    def load(cls, path: Path, behind: Geography) -> "Overrides":
        """Read the CSV. Raises ConfigError naming file and line."""
        try:
            rows = list(csv.DictReader(table_text(path).splitlines()))
        except csv.Error as error:
            raise ConfigError(
                "CSV として読めません。", f"cannot be read as CSV: {error}", where=Where(path)
            ) from error
        return cls(Prefixes(list(cls._entries(path, rows))), behind)

    @staticmethod
    def _entries(path: Path, rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[Network, Place]]:
        for line, row in enumerate(rows, start=2):
            try:
                network = ipaddress.ip_network(row["cidr"].strip())
                country = row["country_iso_code"].strip().upper()
                location = f"{float(row['lat'])},{float(row['lon'])}" if row.get("lat") else None
            except (KeyError, ValueError, AttributeError) as error:
                raise ConfigError(
                    "列 cidr, country_iso_code, lat, lon を正しく書いてください。",
                    f"expected columns cidr, country_iso_code, lat, lon: {error}",
                    where=Where(path, line),
                ) from error
            yield network, Place(country, location)

    def place(self, address: Address) -> Place:
        """The override, else what lies behind."""
        return self.prefixes.find(address) or self.behind.place(address)
