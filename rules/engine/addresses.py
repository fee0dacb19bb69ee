"""IPv6 addresses in rules: one address has many spellings, and a rule means the address.

Columns of ECS's type `ip` hold the short form (RFC 5952), event data of Windows whatever the program wrote
(`0:0:0:0:0:0:0:1`). A rule that names a whole address finds it in every spelling, in columns that hold addresses.
"""

import ipaddress
import re
from functools import lru_cache

from hinomi import ecs
from rules.engine.pattern import Pattern

_NAMES = re.compile(r"(?i)(?:ip|ips|ipv6|ip_?addr|ip_?address|address|addr)$")
"""How columns end that hold addresses: `DestinationIp`, `IpAddress`, `ClientAddress`, `SourceAddr`."""


def ipv6(wanted: Pattern) -> ipaddress.IPv6Address | None:
    """The address that a pattern without wildcards is."""
    match wanted:
        case (str(text),) if ":" in text and "%" not in text:
            try:
                return ipaddress.IPv6Address(text)
            except ValueError:
                return None
    return None


@lru_cache(4096)
def holds_addresses(column: str) -> bool:
    """Whether a column's texts are addresses: ECS says so, or its name does."""
    known = ecs.fields().get(column)
    return known.kind == "ip" if known is not None else _NAMES.search(column) is not None
