"""Squid: names that the proxy denies, in a file that an ACL of the administrator's reads.

Facts: Squid's configuration guide: `acl hinomi_deny dstdomain "/etc/squid/hinomi-deny.txt"`, `http_access deny hinomi_deny`;
`squid -k reconfigure` sends a signal and returns before the file is read; a leading dot matches all names below. A denied
request is answered 403, one `only-if-cached` never goes out (RFC 9111, 5.2.1.7): asking never
touches the attacker's server. A proxy that refuses the tower itself answers 403 for every name, so a name that nobody can have
(`.invalid`, RFC 6761) is asked for, too.
"""

import secrets
from pathlib import Path
from typing import Literal

import httpx
from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown
from responders.connectors.listed import ListedNames
from responders.connectors.protocol import Kind

_FORBIDDEN, _TIMEOUT = 403, 1.0


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
    """Whether the proxy answers 403 for the name and not for any; one that is just reading its files does not answer. Raises
    DependencyDown where it refuses whatever the tower asks for."""
    if _status(address, name) != _FORBIDDEN:
        return False
    control = _status(address, f"hinomi-{secrets.token_hex(8)}.invalid")
    if control == _FORBIDDEN:
        raise DependencyDown(
            "プロキシは塔からの問い合わせをすべて断っています(この名前を拒否しているかは確かめられません)。",
            "the proxy refuses whatever the tower asks for, so nothing shows whether it denies this name",
        )
    return control is not None


def _status(address: str, name: str) -> int | None:
    """What the proxy answers to a request that it does not pass on; None without an answer."""
    try:
        with httpx.Client(proxy=address, timeout=_TIMEOUT, trust_env=False) as client:
            return client.get(f"http://{name}/", headers={"Cache-Control": "only-if-cached"}).status_code
    except httpx.HTTPError:
        return None


KIND = Kind("squid", Squid, proxy, frozenset({"proxy.deny"}))
