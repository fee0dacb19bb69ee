"""Ranges of IPv4 addresses as a pattern over their text, which DuckDB and Elasticsearch read alike."""

import ipaddress

_ANY = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_MAPPED = "(::[fF][fF][fF][fF]:)?"
"""As a machine that speaks IPv6 too writes an IPv4 address."""


def pattern(network: ipaddress.IPv4Network) -> str:
    """A regular expression that fits the whole text of each address of the network and no other text."""
    whole, bits = divmod(network.prefixlen, 8)
    octets = str(network.network_address).split(".")
    known = octets[:whole]
    if bits:
        first = int(octets[whole])
        known.append("(" + "|".join(str(first + n) for n in range(1 << (8 - bits))) + ")")
    return _MAPPED + r"\.".join([*known, *[_ANY] * (4 - len(known))])
