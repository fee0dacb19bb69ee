"""One indicator, in one spelling, or the reason why it is none that a tower may look for."""

import ipaddress
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What an indicator's value is."""

    ADDRESS = "address"
    NETWORK = "network"
    DOMAIN = "domain"
    URL = "url"
    FILE = "file"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Indicator:
    """value: in one spelling (`made`); source: who warns; confidence: 0 to 100; expires: None is never; about: in words.

    feed: the list that it came with; reference, modified: the object of that list that states it (STIX id, MISP event), and
    which version of it; empty where the list has none.
    """

    kind: Kind
    value: str
    source: str
    confidence: int
    since: datetime
    expires: datetime | None = None
    about: str = ""
    feed: str = ""
    reference: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """That a document says all that an object of its list stands for, in this version: what an older version said and this
    one does not (other values, or none since it is revoked or over) holds no more."""

    reference: str
    modified: datetime


_HASH = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})\Z")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+\Z")
_LEAST = {4: 8, 6: 19}  # bits of a network: wider ones are half the Internet


class Refused(ValueError):
    """A value that must not be looked for; `reason` is a short stable key for the counts."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def made(one: Indicator) -> Indicator:
    """The indicator with its value in the spelling that events have. Raises Refused."""
    text = one.value.strip().replace("[.]", ".").replace("hxxp", "http", 1)
    match one.kind:
        case Kind.ADDRESS | Kind.NETWORK:
            return _of_network(one, text)
        case Kind.DOMAIN:
            return replace(one, value=_domain(text))
        case Kind.URL:
            return replace(one, value=_url(text))
        case Kind.FILE:
            return replace(one, value=_checked(_HASH, text.lower(), "no_hash"))
        case Kind.EMAIL:
            return replace(
                one, value=_checked(re.compile(r"[^@\s]+@[^@\s]+\Z"), text.lower(), "no_mail_address")
            )


def _of_network(one: Indicator, text: str) -> Indicator:
    try:
        network = ipaddress.ip_network(text.split("%", 1)[0], strict=False)
    except ValueError:
        raise Refused("no_address") from None
    if network.prefixlen < _LEAST[network.version]:
        raise Refused("too_wide")
    inside = network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified
    if inside or any(network.version == own.version and network.overlaps(own) for own in _OWN):
        raise Refused("own_network")
    if network.num_addresses == 1:
        return replace(one, kind=Kind.ADDRESS, value=str(network.network_address))
    return replace(one, kind=Kind.NETWORK, value=str(network))


_OWN = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


def _domain(text: str) -> str:
    name = text.lower().rstrip(".").removeprefix("*.")
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        raise Refused("no_name") from None
    return _checked(_NAME, ascii_name, "no_name")


def _url(text: str) -> str:
    scheme, slashes, rest = text.partition("://")
    if not slashes or not rest:
        raise Refused("no_link")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}".partition("#")[0].removesuffix("/")


def _checked(pattern: re.Pattern[str], text: str, reason: str) -> str:
    if not pattern.match(text):
        raise Refused(reason)
    return text
