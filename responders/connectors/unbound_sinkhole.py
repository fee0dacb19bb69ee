"""Unbound: names that the resolver answers with NXDOMAIN, in a file that its configuration includes.

Facts: unbound.conf(5): `local-zone: "name." always_nxdomain` covers all names below; unbound-control(8): `reload_keep_cache`,
`reload`, which may return before the file is read. RFC 1035 for the question that verifies. It does not ask for recursion: seen
with Unbound 1.17.1, a local zone is answered with the authoritative bit, any other name is refused and not asked of anybody,
also one that is cached (`access-control: allow`) or answered from the cache without that bit (`allow_snoop`).
"""

import secrets
import socket
import struct
from pathlib import Path
from typing import Literal

from pydantic import Field

from hinomi.config import Section
from responders.connectors.listed import ListedNames
from responders.connectors.protocol import Kind

_NXDOMAIN, _TIMEOUT = 3, 1.0
_RECURSION, _AUTHORITATIVE = 0x0100, 0x0400


class Unbound(Section):
    """file: included under `server:`; reload: what makes it read the file; server, port: where it answers."""

    kind: Literal["unbound"]
    file: Path
    reload: list[str] = Field(default_factory=lambda: ["unbound-control", "reload"])
    server: str = "127.0.0.1"
    port: int = Field(default=53, ge=1, le=65535)


def sinkhole(settings: Unbound) -> ListedNames:
    """The connector."""
    return ListedNames(
        "DNS",
        settings.file,
        settings.reload,
        lambda name: f'local-zone: "{name}." always_nxdomain',
        lambda name: denied(settings.server, settings.port, name),
    )


def denied(server: str, port: int, name: str) -> bool:
    """Whether the server by itself says that there is no such name; nobody else is asked."""
    said = _reply(server, port, name, 1, 0)
    return said is not None and said[0] & 0xF == _NXDOMAIN and bool(said[0] & _AUTHORITATIVE)


def code(server: str, port: int, name: str) -> int | None:
    """The response code of a question for an A record; None without an answer."""
    said = asked(server, port, name)
    return said[0] if said else None


def asked(server: str, port: int, name: str, kind: int = 1) -> tuple[int, int] | None:
    """(response code, number of answers) of a question for a record of this kind; None without an answer."""
    said = _reply(server, port, name, kind, _RECURSION)
    return (said[0] & 0xF, said[1]) if said else None


def _reply(server: str, port: int, name: str, kind: int, flags: int) -> tuple[int, int] | None:
    """(flags, number of answers) of what is answered to a question with these flags; None without an answer."""
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = (
        struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
    )
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_TIMEOUT)
        try:
            asking.sendto(question, (server, port))
            answer = asking.recv(4096)
        except OSError:
            return None
    if len(answer) < 12 or struct.unpack_from(">H", answer)[0] != number:
        return None
    _, said, _, answers = struct.unpack_from(">HHHH", answer)
    return said, answers


KIND = Kind("unbound", Unbound, sinkhole, frozenset({"dns.sinkhole"}))
