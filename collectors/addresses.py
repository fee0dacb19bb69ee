"""Whether a text is an address."""

import ipaddress


def is_address(text: str) -> bool:
    """Whether it is an IP address of either version."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
