"""Configuration of enrichment: the city's networks, its staff and asset lists, and where addresses are."""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from hinomi.config import Section
from hinomi.words import Words


class Zone(StrEnum):
    """Network zones of the national guideline's layered model, plus what lies around them."""

    MYNUMBER = "mynumber"
    LGWAN = "lgwan"
    INTERNET = "internet"
    DMZ = "dmz"
    TELEWORK = "telework"
    CLOUD = "cloud"
    EXTERNAL = "external"


ZONE_WORDS = {
    Zone.MYNUMBER: Words("マイナンバー利用事務系", "My Number segment"),
    Zone.LGWAN: Words("LGWAN接続系", "LGWAN segment"),
    Zone.INTERNET: Words("インターネット接続系", "Internet segment"),
    Zone.DMZ: Words("DMZ", "DMZ"),
    Zone.TELEWORK: Words("テレワーク", "telework"),
    Zone.CLOUD: Words("ガバメントクラウド", "government cloud"),
    Zone.EXTERNAL: Words("庁外", "outside"),
}


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            f"「{value}」はネットワーク(例: 10.20.0.0/16)ではありません。"
            f'|"{value}" is not a network such as 10.20.0.0/16'
        ) from None


Network = Annotated[ipaddress.IPv4Network | ipaddress.IPv6Network, BeforeValidator(_network)]


class EnrichSettings(Section):
    """`enrich:` of the configuration.

    zones: zone → its networks; staff, assets: CSV files; geo_override: CSV cidr,country_iso_code,lat,lon;
    mmdb: a MaxMind database used instead of the country table that comes with Hinomi.
    """

    zones: dict[Zone, list[Network]] = Field(default_factory=dict)
    staff: Path | None = None
    assets: Path | None = None
    geo_override: Path | None = None
    mmdb: Path | None = None
