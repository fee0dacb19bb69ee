"""A Linux server's own firewall: an address goes into a set that a drop rule of the administrator's looks at.

Facts: nft(8): sets, `add element`, `delete element`, JSON output (`-j list set`). The rules are the administrator's, set up
once (docs/response.md); we add and take away elements of two sets and nothing else.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import Field

from hinomi.config import Section
from hinomi.errors import DependencyDown, HinomiError, Refused
from responders.connectors.commands import run
from responders.connectors.protocol import Done, Kind

_WHAT = "nftables"


class Nftables(Section):
    """command: how `nft` is run (with `sudo -n` or `ip netns exec …` before it); its rights: the sets of one table."""

    kind: Literal["nftables"]
    command: list[str] = Field(default_factory=lambda: ["nft"])
    family: Literal["inet"] = "inet"
    table: str = Field(default="hinomi", pattern=r"^[a-z][a-z0-9_]*$")
    set4: str = Field(default="blocked4", pattern=r"^[a-z][a-z0-9_]*$")
    set6: str = Field(default="blocked6", pattern=r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True, slots=True)
class HostFirewall:
    """`host_firewall.block_address` with values {address}: one address, never a network."""

    settings: Nftables

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether the address is in the set already."""
        address = _address(values)
        if self._blocked(address):
            return Done(f"{address} は既に遮断しています。", f"{address} is blocked already", changed=False)
        return Done(f"{address} を集合に入れて遮断します。", f"block {address}")

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Whether the address is in the set."""
        return {"blocked": self._blocked(_address(values))}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Add the element; adding what is there changes nothing (nft itself says so)."""
        address = _address(values)
        if self._blocked(address):
            return Done(
                f"{address} は既に遮断していました。", f"{address} was blocked already", changed=False
            )
        self._element("add", address)
        return Done(f"{address} を遮断しました。", f"blocked {address}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the kernel's set holds the address."""
        return self._blocked(_address(values))

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take the element away, unless it was there before."""
        address = _address(values)
        if before.get("blocked"):
            return Done(
                f"{address} はもともと遮断していました。", f"{address} had been blocked", changed=False
            )
        if self._blocked(address):
            self._element("delete", address)
        return Done(f"{address} の遮断を解きました。", f"unblocked {address}")

    def health(self) -> str:
        """Reads both sets."""
        try:
            self._members(self.settings.set4)
            self._members(self.settings.set6)
        except HinomiError as error:
            return error.ja
        return ""

    def _set(self, address: str) -> str:
        return self.settings.set4 if "." in address else self.settings.set6

    def _element(self, verb: str, address: str) -> None:
        own = self.settings
        script = f"{verb} element {own.family} {own.table} {self._set(address)} {{ {address} }}\n"
        run([*own.command, "-f", "-"], what=_WHAT, stdin=script)

    def _blocked(self, address: str) -> bool:
        return address in self._members(self._set(address))

    def _members(self, name: str) -> set[str]:
        own = self.settings
        said = run([*own.command, "-j", "list", "set", own.family, own.table, name], what=_WHAT)
        try:
            found = next(one["set"] for one in orjson.loads(said)["nftables"] if "set" in one)
        except (ValueError, KeyError, StopIteration):
            raise DependencyDown("nftables の応答を読めません。", "nft answered something else") from None
        return {str(one) for one in found.get("elem", []) if isinstance(one, str)}


def _address(values: Mapping[str, str]) -> str:
    try:
        return str(ipaddress.ip_address(values["address"]))
    except ValueError:
        raise Refused(
            f"「{values['address']}」は IP アドレスではありません。",
            f'"{values["address"]}" is not an address',
        ) from None


KIND = Kind("nftables", Nftables, HostFirewall, frozenset({"host_firewall.block_address"}))
