"""Linux servers' own firewalls: an address, or the whole server, goes into a set that drop rules of the administrator's look at.

Facts: nft(8): sets, `add element`, `delete element`, type `nf_proto`, JSON output (`-j list set`, `-j list table`;
its form seen with Debian's nftables). The rules are the administrator's, set up once (docs/response.md); we add and take
away elements of three sets and nothing else.
"""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator

from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from hinomi.text import inert
from responders.connectors.commands import run
from responders.connectors.held import host_name, value_of, words_of
from responders.connectors.protocol import Done, Kind

_WHAT = "nftables"
_EVERYTHING = frozenset({"ipv4", "ipv6"})
_NAME = r"^[a-z][a-z0-9_]*$"


class Nftables(Section):
    """servers: how `nft` is run on each of them (`ssh -o BatchMode=yes -o ConnectTimeout=5 app01 sudo -n nft`), by the host name
    that the logs give it; isolated: the set that cuts a server off; admins: the set of machines, this one among them, that
    reach it all the same."""

    kind: Literal["nftables"]
    servers: dict[str, list[str]] = Field(min_length=1)
    family: Literal["inet"] = "inet"
    table: str = Field(default="hinomi", pattern=_NAME)
    set4: str = Field(default="blocked4", pattern=_NAME)
    set6: str = Field(default="blocked6", pattern=_NAME)
    isolated: str = Field(default="isolated", pattern=_NAME)
    admins: str = Field(default="admins", pattern=_NAME)

    @field_validator("servers")
    @classmethod
    def _told_apart(cls, servers: dict[str, list[str]]) -> dict[str, list[str]]:
        """Logs name a machine with its domain or without: so each key is a name, and no two have the same first part."""
        short: dict[str, str] = {}
        for name, command in servers.items():
            if not command:
                raise ValueError(f"「{name}」のコマンドが空です。|{name} has no command")
            if _parsed(name) is not None:
                raise ValueError(
                    f"「{name}」はアドレスです。ログに出るホスト名を書いてください。|{name} is an address: write the host name of the logs"
                )
            other = short.setdefault(name.split(".")[0].lower(), name)
            if other != name:
                raise ValueError(
                    f"「{other}」と「{name}」は、ドメインのない名前では区別できません。|{other} and {name} have one short name"
                )
        return servers


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

    def enforced(self) -> None:
        """Raises Refused unless the rules that docs/response.md tells to make drop what the set holds."""
        hooks = _dropping(self.settings, self.server, self.name)
        needed = {"output"} if self.name == self.settings.isolated else set[str]()
        if not (hooks & {"prerouting", "input"} and needed <= hooks):
            raise Refused(
                f"{self.server} には、集合 {self.name} を見て捨てる規則がありません。入れても何も止まりません(docs/response.md)。",
                f"no rule of {self.server} drops what set {self.name} holds: nothing would be cut (docs/response.md)",
            )

    def add(self) -> bool:
        """What is missing; whether anything was. Raises Refused where it would stop nothing."""
        self.enforced()
        return self.change("add", self.elements - self.there())

    def holds(self) -> bool:
        """Whether the kernel's set holds all, and its rules look at the set."""
        self.enforced()
        return self.there() == self.elements

    def change(self, verb: Literal["add", "delete"], elements: frozenset[str]) -> bool:
        """All of these in one transaction; whether there was anything to change."""
        if not elements:
            return False
        own, named = self.settings, ", ".join(sorted(elements))
        script = f"{verb} element {own.family} {own.table} {self.name} {{ {named} }}\n"
        run([*own.servers[self.server], "-f", "-"], what=_what(self.server), stdin=script)
        return True


@dataclass(frozen=True, slots=True)
class HostFirewall:
    """`host_firewall.block_address` {address}: one address, never a network, on every server; `host_firewall.isolate` {host}:
    one server, which then talks to the machines in `admins` alone."""

    settings: Nftables

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether it is so already. Refused, as `act`, where nobody could put it back."""
        self._reachable_after(action, values)
        value = value_of(action, values)
        if self.verify(action, values):
            return Done(f"{value} は既にそうなっています。", f"{value} is so already", changed=False)
        return Done(*words_of(action, value))

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """there: of each server that answers, what its set holds of it; unknown: those that do not. Raises where none does."""
        there = dict[str, list[str]]()

        def kept(place: _Place) -> bool:
            there[place.server] = sorted(place.there())
            return True

        places = list(self._places(action, values))
        try:
            _on_each(places, kept)
        except HinomiError:
            if not there:
                raise
        return {"there": there, "unknown": [one.server for one in places if one.server not in there]}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Add what is missing on each server that answers; those that do not are named once the others are changed."""
        self._reachable_after(action, values)
        changed = _on_each(self._places(action, values), _Place.add)
        ja, en = words_of(action, value_of(action, values))
        if not changed:
            return Done(f"既にそうなっていました: {ja}", f"so already: {en}", changed=False)
        return Done(f"行いました: {ja}", f"done: {en}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether every kernel's set holds it. Raises Refused where no rule looks at the set."""
        return all(place.holds() for place in self._places(action, values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take away what was not there before, and what stands on a server that did not say what was there. Refused, once the
        others are put back, where a server is no longer configured."""
        was: dict[str, list[str]] = {**{name: [] for name in before.get("unknown", [])}, **before["there"]}
        value = value_of(action, values)
        _on_each(
            (place for place in self._places(action, values) if place.server in was),
            lambda place: place.change("delete", place.there().difference(was[place.server])),
        )
        if gone := sorted(set(was) - set(self.settings.servers)):
            named = ", ".join(gone)
            raise Refused(
                f"{named} は設定の servers にないため、{value} を元に戻せません。人が確かめてください。",
                f"{named} is no longer under servers: {value} cannot be put back there, a person must look",
            )
        return Done(f"{value} を元に戻しました。", f"{value} is as it was")

    def health(self) -> str:
        """Reads every set of every server, and whether its rules look at them."""
        own = self.settings
        try:
            for server in own.servers:
                for name in (own.set4, own.set6, own.isolated):
                    place = _Place(own, server, name, frozenset())
                    place.there()
                    place.enforced()
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


def _on_each(places: Iterable[_Place], change: Callable[[_Place], bool]) -> bool:
    """Whether any was changed. One that fails holds up none of the others. Raises DependencyDown, or Refused
    where all that failed refused, naming them."""
    changed, failed = False, list[HinomiError]()
    for place in places:
        try:
            changed |= change(place)
        except HinomiError as error:
            failed.append(error)
    if failed:
        kind = Refused if all(isinstance(one, Refused) for one in failed) else DependencyDown
        raise kind(" ".join(one.ja for one in failed), "; ".join(one.en for one in failed))
    return changed


def members(settings: Nftables, server: str, name: str) -> set[str]:
    """The elements of a set, networks as `address/length`. Raises DependencyDown, and Refused where there is no such set."""
    return _listed(settings, server, ["set", settings.family, settings.table, name], _members)


def _members(parts: list[Any]) -> set[str]:
    found = next(one["set"] for one in parts if "set" in one)
    return {_written(one) for one in found.get("elem", [])}


def _dropping(settings: Nftables, server: str, name: str) -> set[str]:
    """The hooks (`prerouting`, `output` …) at which a rule of our table drops what the set holds. Raises as `members`."""

    def read(parts: list[Any]) -> set[str]:
        chains = {one["chain"]["name"]: one["chain"].get("hook", "") for one in parts if "chain" in one}
        rules = [one["rule"] for one in parts if "rule" in one]
        return {chains[one["chain"]] for one in rules if _drops(one["expr"], f"@{name}")}

    return _listed(settings, server, ["table", settings.family, settings.table], read)


def _drops(expressions: list[Any], named: str) -> bool:
    matched = any(
        one["match"]["op"] == "==" and one["match"]["right"] == named for one in expressions if "match" in one
    )
    return matched and any("drop" in one for one in expressions)


def _listed(
    settings: Nftables, server: str, what: list[str], read: Callable[[list[Any]], set[str]]
) -> set[str]:
    try:
        said = run([*settings.servers[server], "-j", "list", *what], what=_what(server))
        return read(orjson.loads(said)["nftables"])
    except (ValueError, KeyError, TypeError, StopIteration):
        raise DependencyDown(
            f"{_what(server)}の応答を読めません。", f"{_what(server)} answered something else"
        ) from None


def _written(element: Any) -> str:
    if isinstance(element, str):
        return str(_parsed(element) or element)
    if "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(element)


def _server(settings: Nftables, host: str) -> str:
    """The one configured server of this name; where both names have a domain it must be the same. Raises Refused."""
    found = [name for name in settings.servers if _parsed(host) is None and _one_machine(name, host)]
    if len(found) != 1:
        raise Refused(
            f"「{inert(host, 60)}」は、防火壁を操作できるサーバー({'、'.join(settings.servers)})の1台ではありません。",
            f'"{inert(host, 60)}" is not one of the servers whose firewall is ours to change: {", ".join(settings.servers)}',
        )
    return found[0]


def _one_machine(configured: str, given: str) -> bool:
    one, other = configured.lower().rstrip("."), given.strip().lower().rstrip(".")
    if "." in one and "." in other:
        return one == other
    return host_name(one) == host_name(other)


def _address(values: Mapping[str, str]) -> str:
    """As the kernel sees it: `::ffff:203.0.113.5` is IPv4. Raises Refused for what is no address of one machine's own."""
    given = _parsed(values["address"])
    if given is None:
        said = inert(values["address"], 60)
        raise Refused(f"「{said}」は IP アドレスではありません。", f'"{said}" is not an address')
    return str(given)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for anything else, an address with a zone (`fe80::1%eth0`) among it: what a zone may hold is without bounds."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    return None if found.scope_id is not None else found.ipv4_mapped or found


def _what(server: str) -> str:
    return f"{server} の {_WHAT}"


KIND = Kind(
    "nftables", Nftables, HostFirewall, frozenset({"host_firewall.block_address", "host_firewall.isolate"})
)
