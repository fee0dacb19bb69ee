"""Two parts of one configuration that want the same port: the second would be refused when it starts, and tried again for ever."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Protocol

from collectors.settings import Listening

_DATAGRAMS = {"udp", "flow"}


class Server(Protocol):
    """A part that listens at one port."""

    @property
    def address(self) -> str:
        """Of this machine, or its name; empty: all."""
        ...

    @property
    def port(self) -> int:
        """0: any that is free."""
        ...


def wanted_twice(
    listen: Mapping[str, Listening], servers: Mapping[str, Server]
) -> Iterator[tuple[str, str, int]]:
    """Of listeners and other servers by their keys: (key of the later port, key of the part that has it already, port).

    Ports of chance (0) are nobody's.
    """
    seen: list[tuple[str, str, int, bool]] = []
    for part, address, port, datagrams in _ports(listen, servers):
        for other, at, number, kind in seen:
            if (port, datagrams) == (number, kind) and (address == at or _every(address) or _every(at)):
                yield f"{part}.port", other, port
                break
        seen.append((part, address, port, datagrams))


def _ports(
    listen: Mapping[str, Listening], servers: Mapping[str, Server]
) -> Iterator[tuple[str, str, int, bool]]:
    for name, one in listen.items():
        if port := getattr(one, "port", 0):
            yield f"listen.{name}", getattr(one, "address", ""), port, str(one.kind) in _DATAGRAMS
    for part, server in servers.items():
        if server.port:
            yield part, server.address, server.port, False


def _every(address: str) -> bool:
    """Whether it stands for all addresses of the machine."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:  # a name
        return address == ""
