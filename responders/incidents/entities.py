"""Which people, machines and addresses an alert is about, in one spelling."""

import ipaddress
import re
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
_SUBSCRIPTION = re.compile(r"/(?:subscriptions|tenants)/[^/]*")  # Azure: everything of the city, no one thing
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
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # SHA-256 of nothing: of every empty file
}


def is_machines(account: str) -> bool:
    """Whether an account is a machine's own (`PC-1$`), which is nobody's."""
    return account.rstrip().endswith("$")


def machine(name: str) -> str:
    """`DC01.city.example.jp` and `dc01` are one machine; a machine that goes by its address keeps all of it."""
    text = name.strip().lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text.split(".", 1)[0].rstrip("$")


def _resource(name: str) -> str:
    """Azure spells its paths in capitals or not, as it likes; one that is a whole subscription's is nobody's."""
    text = name.strip()
    if not text.startswith("/"):
        return text
    path = text.lower().rstrip("/")
    return "" if _SUBSCRIPTION.fullmatch(path) else path


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "user": account,
    "host": machine,
    "address": str.strip,
    "file": lambda value: value.strip().lower(),
    "cloud": _resource,
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
            if text in _NOBODY or text in skip or (kind == "user" and is_machines(value)):
                continue
            found.add(f"{kind}:{text}")
    return found
