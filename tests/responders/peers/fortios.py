"""FortiOS' REST API as its documents tell: bearer token, vdom, address objects, address groups, SSL-VPN and IPsec sessions.

Source: Fortinet Developer Network, FortiOS 7.x "CMDB API": 401 for a wrong token, 404 with http_status for an unknown
object, 500 with error -5 for a name that is taken, 500 with -3 for a member that does not exist, 500 with -23 for an
object that is still in use. Sessions: fortigate_exporter's test data (FortiOS 6.0), and published answers of 7.6.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_LONG_AGO = 1_700_000_000


@dataclass(slots=True)
class FortiOs:
    """The firewall's configuration. fail: answers to give instead, first come first; calls: what was asked."""

    token: str
    addresses: dict[str, str] = field(default_factory=dict)
    group: list[str] = field(default_factory=list)
    fail: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sessions: dict[int, str] = field(default_factory=dict)
    tunnels: dict[str, str] = field(default_factory=dict)  # dialled in: name → user
    has_ssl: bool = True  # not from FortiOS 7.6.3 on
    since: dict[int | str, float] = field(
        default_factory=dict
    )  # seconds since 1970, where it is not long ago
    signed_in: str = "user"  # EAP in 7.6; xauth_user: XAuth in 6.0; username: by its certificate or key alone
    calls_itself: str = "192.168.50.10"

    def app(self) -> Starlette:
        """The API."""
        base = "/api/v2/cmdb/firewall"
        return Starlette(
            routes=[
                Route(f"{base}/addrgrp/{{name}}", self._group, methods=["GET", "PUT"]),
                Route(f"{base}/address", self._make, methods=["POST"]),
                Route(f"{base}/address/{{name}}", self._address, methods=["GET", "DELETE"]),
                Route("/api/v2/monitor/vpn/ssl", self._vpn, methods=["GET"]),
                Route("/api/v2/monitor/vpn/ssl/delete", self._end, methods=["POST"]),
                Route("/api/v2/monitor/vpn/ipsec", self._ipsec, methods=["GET"]),
                Route("/api/v2/monitor/vpn/ipsec/tunnel_down", self._down, methods=["POST"]),
            ]
        )

    def state(self) -> str:
        """What can be put back: address objects and the group."""
        return json.dumps([self.addresses, self.group], sort_keys=True)

    def _refusal(self, request: Request) -> Response | None:
        self.calls.append(f"{request.method} {request.url.path.rpartition('/firewall/')[2]}")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(status_code=401)
        if request.query_params.get("vdom") != "root":
            return _said(424, error=-651)
        if self.fail:
            return _said(self.fail.pop(0))
        return None

    async def _group(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if request.path_params["name"] != "hinomi-block":
            return _said(404)
        if request.method == "GET":
            return _said(
                200, results=[{"name": "hinomi-block", "member": [{"name": name} for name in self.group]}]
            )
        wanted = [member["name"] for member in (await request.json())["member"]]
        if not set(wanted) <= {*self.addresses, "none"}:
            return _said(500, error=-3)
        self.group = wanted
        return _said(200)

    async def _vpn(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if not self.has_ssl:
            return _said(404)
        found = [
            {
                "index": n,
                "user_name": user,
                "remote_host": "203.0.113.9",
                "last_login_timestamp": int(self.since.get(n, _LONG_AGO)),
                "subsessions": [{"index": n + 1, "parent_index": n, "mode": "Tunnel"}],
            }
            for n, user in self.sessions.items()
        ]
        return _said(200, results=found)

    async def _end(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if body["type"] != "websession" or self.sessions.pop(body["index"], None) is None:
            return _said(404)
        return _said(200)

    async def _ipsec(self, request: Request) -> Response:
        """The template that everybody dials, and one entry for each who did; a site's tunnel beside them."""
        if (refusal := self._refusal(request)) is not None:
            return refusal

        def part(status: str) -> dict[str, Any]:
            return {"p2name": "staff-p2", "p2serial": 1, "status": status}

        dialled = [
            {
                "name": name,
                "parent": "staff",
                "type": "dialup",
                "username": self.calls_itself,
                self.signed_in: user,
                "proxyid": [part("up")],
                "creation_time": int(time.time() - self.since.get(name, _LONG_AGO)),
                "rgwy": "203.0.113.9",
            }
            for name, user in self.tunnels.items()
        ]
        template = {"name": "staff", "type": "", "proxyid": []}
        site = {"name": "branch", "type": "automatic", "username": "t.yamada", "proxyid": [part("up")]}
        return _said(200, results=[template, site, *dialled])

    async def _down(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if (body.get("p2name"), body.get("p2serial")) != ("staff-p2", 1):
            return _said(500)
        return _said(200 if self.tunnels.pop(body["p1name"], None) else 404)

    async def _make(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if body["name"] in self.addresses:
            return _said(500, error=-5)
        self.addresses[body["name"]] = body["subnet"]
        return _said(200)

    async def _address(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        name = request.path_params["name"]
        if name not in self.addresses:
            return _said(404)
        if request.method == "GET":
            return _said(200, results=[{"name": name, "subnet": self.addresses[name]}])
        if name in self.group:
            return _said(500, error=-23)
        del self.addresses[name]
        return _said(200)


def _said(status: int, **more: Any) -> JSONResponse:
    word = "success" if status == 200 else "error"
    return JSONResponse({"http_status": status, "status": word, "vdom": "root", **more}, status_code=status)
