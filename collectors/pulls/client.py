"""The HTTP client of a pull: whom it trusts, through which proxy."""

import httpx

from collectors.way_out import WayOut
from hinomi.trust import context

_TIMEOUT = httpx.Timeout(60.0, connect=15.0)


def client(url: str, way: WayOut) -> httpx.AsyncClient:
    """A client of one service. Raises ConfigError or InputError."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=_TIMEOUT,
        verify=context(way.ca),
        proxy=None if way.proxy is None else httpx.Proxy(way.proxy, auth=way.proxy_user()),
        trust_env=False,
        headers={"User-Agent": "Hinomi", "Accept": "application/json"},
    )
