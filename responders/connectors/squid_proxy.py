"""Squid: names that the proxy denies, in a file that an ACL of the administrator's reads.

Facts: Squid's configuration guide: `acl hinomi_deny dstdomain "/etc/squid/hinomi-deny.txt"`, `http_access deny hinomi_deny`;
`squid -k reconfigure` sends a signal and returns before the file is read; a leading dot matches all names below. A denied
request is answered 403, one `only-if-cached` never goes out (RFC 9111, 5.2.1.7): asking never
touches the attacker's server.
"""

from pathlib import Path
from typing import Literal

import httpx
from pydantic import Field

from hinomi.config import Section
from responders.connectors.listed import ListedNames
from responders.connectors.protocol import Kind


class Squid(Section):
    """file: the list; reload: what makes Squid read it; probe: the proxy's own address, to see that it denies."""

    kind: Literal["squid"]
    file: Path
    reload: list[str] = Field(default_factory=lambda: ["squid", "-k", "reconfigure"])
    probe: str = ""


def proxy(settings: Squid) -> ListedNames:
    """The connector."""
    asks = (lambda name: denied(settings.probe, name)) if settings.probe else None
    return ListedNames("プロキシ", settings.file, settings.reload, lambda name: f".{name}", asks)


def denied(address: str, name: str) -> bool:
    """Whether the proxy answers 403 for the name; a proxy that is just reading its files does not answer."""
    try:
        with httpx.Client(proxy=address, timeout=10.0, trust_env=False) as client:
            said = client.get(f"http://{name}/", headers={"Cache-Control": "only-if-cached"})
    except httpx.HTTPError:
        return False
    return said.status_code == 403


KIND = Kind("squid", Squid, proxy, frozenset({"proxy.deny"}))
