"""What a connection by VPN is, asked of the store: the table `rules/logsources/vpn.yml` in the language of search."""

from functools import cache

from hinomi.query import quoted
from rules.engine import logsource
from rules.engine.routes import Route


@cache
def asked(service: str) -> str:
    """The query for `connected` or `refused`: the records that a rule of this log source gets."""
    routes = logsource.read().routes({"product": "vpn", "service": service})
    return " or ".join(f"({_where(route)})" for route in routes)


def _where(route: Route) -> str:
    parts = [f"event.dataset: {quoted(route.dataset)}"]
    parts += [f"{column}: ({' or '.join(map(quoted, values))})" for column, values in route.where]
    return " and ".join(parts)
