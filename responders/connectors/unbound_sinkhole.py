"""Unbound: names that the resolver answers with NXDOMAIN, in a file that its configuration includes.

Facts: unbound.conf(5): `local-zone: "name." always_nxdomain` covers all names below; unbound-control(8): `reload_keep_cache`,
`reload`, which may return before the file is read. The question that verifies does not ask for recursion: seen with Unbound
1.17.1, a local zone is answered with the authoritative bit, any other name is refused and not asked of anybody, also one that is
cached (`access-control: allow`) or answered from the cache without that bit (`allow_snoop`). A zone that Unbound serves
itself (`auth-zone`, for one a copy of the root) has the bit, too, and its SOA beside it, which `always_nxdomain` has not.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from hinomi.config import Section
from responders.connectors.dns_question import NO_SUCH_NAME, asked
from responders.connectors.listed import ListedNames
from responders.connectors.protocol import Kind


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
    """Whether the server by its own list says that there is no such name; nobody else is asked."""
    said = asked(server, port, name, recursion=False)
    return said is not None and said.code == NO_SUCH_NAME and said.authoritative and not said.authorities


KIND = Kind("unbound", Unbound, sinkhole, frozenset({"dns.sinkhole"}))
