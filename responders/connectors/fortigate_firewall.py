"""FortiGate: an address is blocked through the group of a deny policy; SSL-VPN and IPsec dial-up sessions of a person are ended.

Facts: FortiOS REST API (Fortinet Developer Network): /api/v2/cmdb/firewall/address, …/addrgrp, bearer token;
404 for an unknown object, 200 with {"status": "success"} for a change; GET /api/v2/monitor/vpn/ssl (`index`, `user_name`,
`subsessions`), POST /api/v2/monitor/vpn/ssl/delete {"type": "websession", "index": n} (the tunnel ends with it).
FortiOS 7.6.3 has no SSL-VPN tunnels any more, so IPsec dial-up ones are ended as well: GET /api/v2/monitor/vpn/ipsec (`type`
"dialup", `name` of the one dialled in, `username`, `proxyid` with `p2name`, `p2serial`, `status`), POST
/api/v2/monitor/vpn/ipsec/tunnel_down {"p1name", "p2name", "p2serial"}. Parameters: "FortiOS REST API reference", monitor,
vpn/ipsec and vpn/ssl, as Fortinet's Ansible collection (fortios_monitor, selectors `tunnel_down.vpn.ipsec` and
`delete.vpn.ssl`) lists them. A client whose key is still good may dial in anew: block its account, too.

What tells a session from one that is opened anew, in published answers (fortigate_exporter's test data, FortiOS 6.0 and 6.2;
others of 7.x): SSL: `last_login_timestamp`, seconds since 1970, beside the `index`, which is given out again. IPsec: `name` ends
in a number that is given out again, `p2serial` is 1 for everybody, `rgwy` the client's address, and `creation_time` how many
seconds ago it was dialled (54 a minute after it; 200 of a key of 43,200 s that expires in 42,990). Who dialled is in `user` with
EAP, where `username` is only what the client calls itself, in `xauth_user` with XAuth, else in `username`.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hinomi import identity
from hinomi.errors import DependencyDown, Refused
from responders.connectors.found import Divided, Found
from responders.connectors.protocol import Done, Kind
from responders.connectors.settings import FortiGate
from responders.connectors.vpn_sessions import END, Momentary, account_of
from responders.connectors.web_api import WebApi, opened

_BLOCK = "firewall.block_address"
_INEXACT = 60
"""Seconds by which two answers may differ on when a tunnel was dialled: they tell how long ago that was."""


@dataclass(frozen=True, slots=True)
class Session:
    """path: that ends it, with which body; where: from where the person came; since: when it was opened, as far as the firewall
    tells; dialled: the same in periods of `_INEXACT` seconds, where it only tells how long ago."""

    path: str
    body: Mapping[str, Any]
    where: str
    since: str = ""
    dialled: int | None = None


@dataclass(frozen=True, slots=True)
class Firewall:
    """`firewall.block_address` with {address}: one global address, never a network."""

    settings: FortiGate

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """Says whether the address is in the group already."""
        address = _address(values)
        if self.verify(action, values):
            return Done(f"{address} は既に遮断しています。", f"{address} is blocked already", changed=False)
        group = self.settings.group
        return Done(
            f"{address} をグループ {group} に入れて遮断します。", f"block {address} through group {group}"
        )

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """Whether the object exists and is in the group."""
        name = _object(_address(values))
        with self._api() as api:
            exists = self._exists(api, name)
            return {"name": name, "existed": exists, "member": name in self._members(api)}

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Make the address object, then add it to the group."""
        address = _address(values)
        name = _object(address)
        with self._api() as api:
            members = self._members(api)
            if name in members:
                return Done(
                    f"{address} は既に遮断していました。", f"{address} was blocked already", changed=False
                )
            self._make(api, name, address)
            self._set_members(api, [*members, name])
        return Done(f"{address} を遮断しました。", f"blocked {address}")

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the address is in the group."""
        with self._api() as api:
            return _object(_address(values)) in self._members(api)

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Take the address out of the group, and the object away if it was not there before."""
        name, address = str(before["name"]), _address(values)
        if before.get("member"):
            return Done(
                f"{address} はもともと遮断していました。", f"{address} had been blocked before", changed=False
            )
        with self._api() as api:
            members = self._members(api)
            if name in members:
                self._set_members(api, [member for member in members if member != name])
            if not before.get("existed"):
                self._call(api, "DELETE", f"cmdb/firewall/address/{quote(name, safe='')}", missing_ok=True)
        return Done(f"{address} の遮断を解きました。", f"unblocked {address}")

    def health(self) -> str:
        """Reads the group."""
        try:
            with self._api() as api:
                self._members(api)
        except (DependencyDown, Refused) as error:
            return error.ja
        return ""

    def _members(self, api: WebApi) -> list[str]:
        answer = self._call(api, "GET", f"cmdb/firewall/addrgrp/{quote(self.settings.group, safe='')}")
        return [str(member["name"]) for member in answer["results"][0]["member"]]

    def _set_members(self, api: WebApi, names: list[str]) -> None:
        body = {"member": [{"name": name} for name in names]}
        self._call(api, "PUT", f"cmdb/firewall/addrgrp/{quote(self.settings.group, safe='')}", body)

    def _exists(self, api: WebApi, name: str) -> bool:
        return bool(self._call(api, "GET", f"cmdb/firewall/address/{quote(name, safe='')}", missing_ok=True))

    def _make(self, api: WebApi, name: str, address: str) -> None:
        if not self._exists(api, name):
            self._call(
                api, "POST", "cmdb/firewall/address", {"name": name, "subnet": f"{address} 255.255.255.255"}
            )

    def _call(self, api: WebApi, method: str, path: str, *arguments: Any, **more: Any) -> dict[str, Any]:
        return _call(self.settings, api, method, path, *arguments, **more)

    def _api(self) -> AbstractContextManager[WebApi]:
        return _opened(self.settings)


@dataclass(frozen=True, slots=True)
class Sessions(Momentary):
    """`firewall.end_vpn_session` with {account}. See `found.Search`."""

    settings: FortiGate

    def opened(self) -> AbstractContextManager[WebApi]:
        """With the token."""
        return _opened(self.settings)

    def find(self, api: WebApi, value: str) -> list[Session]:
        """The account's sessions. A firewall without the one kind of VPN answers 404 for it."""
        account = account_of(value)
        ssl, ipsec = (
            _call(self.settings, api, "GET", path, missing_ok=True).get("results") or []
            for path in ("monitor/vpn/ssl", "monitor/vpn/ipsec")
        )
        web = [_web(one) for one in ssl if identity.account(str(one.get("user_name") or "")) == account]
        tunnels = [
            tunnel
            for one in ipsec
            if one.get("type") == "dialup" and identity.account(_dialler(one)) == account
            for tunnel in _tunnels(one)
        ]
        return [*web, *tunnels]

    def names(self, thing: Session) -> tuple[str, ...]:
        """What ends it, from where and since when: the firewall's numbers are given out again. A tunnel that was dialled less than two
        minutes before another of the same number and address is not told from it."""
        body = (f"{key}={value}" for key, value in sorted(thing.body.items()))
        fixed = (thing.path, *body, thing.where, thing.since)
        if thing.dialled is None:
            return (identity.digest(*fixed),)
        periods = (thing.dialled, thing.dialled - 1, thing.dialled + 1)
        return tuple(identity.digest(*fixed, str(period)) for period in periods)

    def take(self, api: WebApi, things: Sequence[Session]) -> None:
        """End each."""
        for one in things:
            _call(self.settings, api, "POST", one.path, one.body, missing_ok=True)

    def healthy(self, api: WebApi) -> None:
        """Reads who is connected."""
        _call(self.settings, api, "GET", "monitor/vpn/ssl", missing_ok=True)


def _web(one: Mapping[str, Any]) -> Session:
    """Of an entry of monitor/vpn/ssl."""
    return Session(
        "monitor/vpn/ssl/delete",
        {"type": "websession", "index": int(one["index"])},
        str(one.get("remote_host") or ""),
        str(one.get("last_login_timestamp") or one.get("last_login_time") or ""),
    )


def _tunnels(one: Mapping[str, Any]) -> list[Session]:
    """Of an entry of monitor/vpn/ipsec: each part of it that is up."""
    age = one.get("creation_time")
    dialled = None if age is None else int(datetime.now(UTC).timestamp() - int(age)) // _INEXACT
    return [
        Session(
            "monitor/vpn/ipsec/tunnel_down",
            {"p1name": one["name"], "p2name": part["p2name"], "p2serial": part["p2serial"]},
            str(one.get("rgwy") or ""),
            dialled=dialled,
        )
        for part in one.get("proxyid", [])
        if part.get("status") == "up"
    ]


def _dialler(one: Mapping[str, Any]) -> str:
    """Who signed in; a client may call itself anything where it signs in besides."""
    return str(one.get("user") or one.get("xauth_user") or one.get("username") or "")


def _call(
    own: FortiGate, api: WebApi, method: str, path: str, body: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The answer's JSON. path: below /api/v2, such as cmdb/firewall/address."""
    return api.call(method, f"/api/v2/{path}", json=body, params={"vdom": own.vdom}, **more)


def _opened(own: FortiGate) -> AbstractContextManager[WebApi]:
    return opened("FortiGate", own.url, own.ca, {"Authorization": f"Bearer {own.token.reveal()}"})


def _object(address: str) -> str:
    return f"hinomi-{address}"


def _address(values: Mapping[str, str]) -> str:
    """One IPv4 address of the outside. Raises Refused for anything else."""
    try:
        address = ipaddress.IPv4Address(values["address"])
    except ValueError:
        raise Refused("IPv4 アドレスではありません。", "not an IPv4 address") from None
    inside = address in ipaddress.ip_network("10.0.0.0/8") or address in ipaddress.ip_network(
        "192.168.0.0/16"
    )
    if (
        inside
        or address in ipaddress.ip_network("172.16.0.0/12")
        or address.is_loopback
        or address.is_multicast
    ):
        raise Refused(
            f"{address} は庁内のアドレスです。遮断しません。",
            f"{address} is an inside address and is not blocked",
        )
    return str(address)


def _make(settings: FortiGate) -> Divided:
    return Divided({_BLOCK: Firewall(settings), END: Found(Sessions(settings))})


KIND = Kind("fortigate", FortiGate, _make, frozenset({_BLOCK, END}))
