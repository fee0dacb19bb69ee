"""Squid: names that the proxy denies, in a file that an ACL of the administrator's reads.

Facts: Squid's configuration guide: `acl hinomi_deny dstdomain "/etc/squid/hinomi-deny.txt"`, `http_access deny hinomi_deny`;
`squid -k reconfigure` reads it again; a leading dot matches all names below. A denied request is answered 403.
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
    asks = (lambda name: _denied(settings.probe, name)) if settings.probe else None
    return ListedNames("プロキシ", settings.file, settings.reload, lambda name: f".{name}", asks)


def _denied(address: str, name: str) -> bool:
    """Whether the proxy answers 403 for the name; a proxy that is just reading its files is not yet sure."""
    try:
        with httpx.Client(proxy=address, timeout=10.0, trust_env=False) as client:
            return client.get(f"http://{name}/").status_code == 403
    except httpx.HTTPError:
        return False


KIND = Kind("squid", Squid, proxy, frozenset({"proxy.deny"}))
