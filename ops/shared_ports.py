"""Two parts of one configuration that want the same port: the second would be refused when it starts, and tried again for ever."""

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.settings import Settings

_DATAGRAMS = {"udp", "flow"}


def wanted_twice(settings: "Settings") -> Iterator[tuple[str, str, int]]:
    """(key of the later port, key of the part that has it already, port). Ports of chance (0) are nobody's."""
    seen: list[tuple[str, str, int, bool]] = []
    for part, address, port, datagrams in _ports(settings):
        for other, at, number, kind in seen:
            if (port, datagrams) == (number, kind) and (address == at or _every(address) or _every(at)):
                yield f"{part}.port", other, port
                break
        seen.append((part, address, port, datagrams))


def _ports(settings: "Settings") -> Iterator[tuple[str, str, int, bool]]:
    for name, one in settings.listen.items():
        if port := getattr(one, "port", 0):
            yield f"listen.{name}", getattr(one, "address", ""), port, str(one.kind) in _DATAGRAMS
    for part, server in (("console", settings.console), ("metrics", settings.metrics)):
        if server.port:
            yield part, server.address, server.port, False


def _every(address: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:  # a name
        return address == ""
