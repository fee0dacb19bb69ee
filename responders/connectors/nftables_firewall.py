"""Linux servers' own firewalls: an address, or the whole server, goes into a set that drop rules of the administrator's look at.

Facts: nft(8): sets, `add element`, `delete element`, type `nf_proto`, JSON output (`-j list set`). The rules are the
administrator's, set up once (docs/response.md); we add and take away elements of three sets and nothing else.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from responders.connectors.actions import ACTIONS
from responders.connectors.commands import run
from responders.connectors.held import host_name
from responders.connectors.protocol import Done, Kind

_WHAT = "nftables"
_EVERYTHING = frozenset({"ipv4", "ipv6"})
_NAME = r"^[a-z][a-z0-9_]*$"


class Nftables(Section):
    """servers: how `nft` is run on each of them (`ssh app01 sudo -n nft`), by the host name that the logs give it; isolated:
    the set that cuts a server off; admins: the set of machines, this one among them, that reach it all the same."""

    kind: Literal["nftables"]
    servers: dict[str, list[str]] = Field(min_length=1)
    family: Literal["inet"] = "inet"
    table: str = Field(default="hinomi", pattern=_NAME)
    set4: str = Field(default="blocked4", pattern=_NAME)
    set6: str = Field(default="blocked6", pattern=_NAME)
    isolated: str = Field(default="isolated", pattern=_NAME)
    admins: str = Field(default="admins", pattern=_NAME)


@dataclass(frozen=True, slots=True)
class _Place:
    """Elements of a set on one server, there or not."""

    settings: Nftables
    server: str
    name: str
    elements: frozenset[str]

    def there(self) -> frozenset[str]:
        """Which of them the kernel's set holds."""
        return self.elements & members(self.settings, self.server, self.name)

    def change(self, verb: Literal["add", "delete"], elements: frozenset[str]) -> None:
        """All of these in one transaction."""
        own, named = self.settings, ", ".join(sorted(elements))
        script = f"{verb} element {own.family} {own.table} {self.name} {{ {named} }}\n"
        run([*own.servers[self.server], "-f", "-"], what=_what(self.server), stdin=script)


@dataclass(frozen=True, slots=True)
class HostFirewall:
    """`host_firewall.block_address` {address}: one address, never a network, on every server; `host_firewall.isolate` {host}:
    one server, which then talks to the machines in `admins` alone."""

    settings: Nftables

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether it is so already. Refused, as `act`, where nobody could put it back."""
        self._reachable_after(action, values)
        if self.verify(action, values):
            value = _value(action, values)
            return Done(f"{value} は既にそうなっています。", f"{value} is so already", changed=False)
        return Done(*_words(action, values))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Of each server, what its set holds of it."""
        return {"there": {place.server: sorted(place.there()) for place in self._places(action, values)}}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Add what is missing; every server is asked before the first is changed."""
        self._reachable_after(action, values)
        missing = [(place, place.elements - place.there()) for place in self._places(action, values)]
        for place, elements in missing:
            if elements:
                place.change("add", elements)
        ja, en = _words(action, values)
        if not any(elements for _, elements in missing):
            return Done(f"既にそうなっていました: {ja}", f"so already: {en}", changed=False)
        return Done(f"行いました: {ja}", f"done: {en}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether every kernel's set holds it."""
        return all(place.there() == place.elements for place in self._places(action, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take away what was not there before."""
        was, value = before["there"], _value(action, values)
        for place in self._places(action, values):
            added = place.there().difference(was.get(place.server, []))
            if added:
                place.change("delete", added)
        return Done(f"{value} を元に戻しました。", f"{value} is as it was")

    def health(self) -> str:
        """Reads every set of every server."""
        own = self.settings
        try:
            for server in own.servers:
                for name in (own.set4, own.set6, own.isolated):
                    members(own, server, name)
                self._with_admins(server)
        except HinomiError as error:
            return error.ja
        return ""

    def _reachable_after(self, action: str, values: Mapping[str, str]) -> None:
        if action == "host_firewall.isolate":
            self._with_admins(_server(self.settings, values["host"]))

    def _with_admins(self, server: str) -> None:
        name = self.settings.admins
        if not members(self.settings, server, name):
            raise Refused(
                f"{server} の集合 {name} が空です。切り離すと火の見からも元に戻せません。",
                f"set {name} of {server} is empty: once cut off, nobody could put it back",
            )

    def _places(self, action: str, values: Mapping[str, str]) -> Iterator[_Place]:
        own = self.settings
        if action == "host_firewall.isolate":
            yield _Place(own, _server(own, values["host"]), own.isolated, _EVERYTHING)
            return
        address = _address(values)
        name = own.set4 if "." in address else own.set6
        yield from (_Place(own, server, name, frozenset({address})) for server in own.servers)


def members(settings: Nftables, server: str, name: str) -> set[str]:
    """The elements of a set, networks as `address/length`. Raises DependencyDown, and Refused where there is no such set."""
    own = settings
    command = [*own.servers[server], "-j", "list", "set", own.family, own.table, name]
    try:
        parts = orjson.loads(run(command, what=_what(server)))["nftables"]
        found = next(one["set"] for one in parts if "set" in one)
        return {_written(one) for one in found.get("elem", [])}
    except (ValueError, KeyError, TypeError, StopIteration):
        raise DependencyDown(
            f"{_what(server)}の応答を読めません。", f"{_what(server)} answered something else"
        ) from None


def _written(element: Any) -> str:
    if isinstance(element, str):
        return element
    if "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(element)


def _server(settings: Nftables, host: str) -> str:
    """The configured server of this name. Raises Refused for any other."""
    wanted = host_name(host)
    server = next((name for name in settings.servers if host_name(name) == wanted), None)
    if server is None:
        raise Refused(
            f"「{wanted}」は、防火壁を操作できるサーバー({'、'.join(settings.servers)})ではありません。",
            f'"{wanted}" is none of the servers whose firewall is ours to change: {", ".join(settings.servers)}',
        )
    return server


def _address(values: Mapping[str, str]) -> str:
    try:
        return str(ipaddress.ip_address(values["address"]))
    except ValueError:
        raise Refused(
            f"「{values['address']}」は IP アドレスではありません。",
            f'"{values["address"]}" is not an address',
        ) from None


def _what(server: str) -> str:
    return f"{server} の {_WHAT}"


def _value(action: str, values: Mapping[str, str]) -> str:
    return values[ACTIONS[action].value]


def _words(action: str, values: Mapping[str, str]) -> tuple[str, str]:
    known, value = ACTIONS[action], _value(action, values)
    return known.ja.format(v=value), known.en.format(v=value)


KIND = Kind(
    "nftables", Nftables, HostFirewall, frozenset({"host_firewall.block_address", "host_firewall.isolate"})
)
