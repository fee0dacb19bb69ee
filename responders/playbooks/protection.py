"""What no playbook touches: single values, patterns, networks, by group (domain controllers, the LGWAN gateway …)."""

import ipaddress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from hinomi.identity import account
from responders.incidents.entities import machine
from responders.playbooks.settings import PlaybookSettings


@dataclass(frozen=True)
class Protection:
    """Compares in one spelling: `CITY\\Mayor`, `mayor@city…` and `mayor` are one account, `DC01.city…` is `dc01`."""

    settings: PlaybookSettings
    inside: tuple[str, ...] = ()

    @cached_property
    def _listed(self) -> list[str]:
        groups = [value for values in self.settings.protected_groups.values() for value in values]
        return [*self.settings.protected, *groups, *self.inside]

    @cached_property
    def _names(self) -> list[str]:
        return [value.strip().lower() for value in self._listed if _network(value) is None]

    @cached_property
    def _networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        return [network for value in self._listed if (network := _network(value)) is not None]

    def covers(self, value: str) -> bool:
        """Whether a person must decide on this account, host, address or name."""
        address = _network(value)
        if address is not None:
            return any(
                one.version == address.version and (address.subnet_of(one) or one.subnet_of(address))  # type: ignore[arg-type]
                for one in self._networks
            )
        spelled = {value.strip().lower(), account(value), machine(value)}
        return any(fnmatchcase(one, name) for one in spelled for name in self._names)


def _network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return None
