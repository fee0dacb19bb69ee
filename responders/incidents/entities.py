"""Which people, machines and addresses an alert is about, in one spelling."""

import ipaddress
from collections.abc import Callable, Iterable

from hinomi.alert import Alert
from hinomi.identity import account

FIELDS = {
    "user.name": "user",
    "user.email": "user",
    "user.target.name": "user",
    "host.name": "host",
    "source.ip": "address",
    "client.ip": "address",
    "destination.ip": "address",
    "file.hash.sha256": "file",
    "cloud.instance.id": "cloud",
    "cloud.resource.id": "cloud",
}
_NOBODY = {
    "",
    "-",
    "system",
    "anonymous",
    "anonymous logon",
    "local service",
    "network service",
    "root",
    "127.0.0.1",
    "::1",
}


def machine(name: str) -> str:
    """`DC01.city.example.jp` and `dc01` are one machine; a machine that goes by its address keeps all of it."""
    text = name.strip().lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.split(".", 1)[0].rstrip("$")


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "user": account,
    "host": machine,
    "address": str.strip,
    "file": lambda value: value.strip().lower(),
    "cloud": str.strip,
}


def same(field: str, one: str, other: str) -> bool:
    """Whether two values of an ECS field name one person, machine or thing."""
    spelled = _SPELLINGS.get(FIELDS.get(field, ""), str)
    return spelled(one) == spelled(other)


def entities(alert: Alert, common: Iterable[str] = ()) -> set[str]:
    """`user:…`, `host:…`, `address:…`, `file:…` (its SHA-256), `cloud:…` of an alert, without what everybody shares."""
    skip, found = set(common), set()
    for field, kind in FIELDS.items():
        for value in alert.entities.get(field, []):
            text = _SPELLINGS[kind](value)
            if text in _NOBODY or text in skip or (kind == "user" and value.rstrip().endswith("$")):
                continue
            found.add(f"{kind}:{text}")
    return found
