"""Vendors' web APIs as their documents tell, each small, with its sign-in and its refusals. Sources: the facts at the top of
each connector. `calls` notes every change that was asked for; `busy` answers 429 so often."""

import json
import xml.etree.ElementTree as ET
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]
SECRET = "s3cret"  # of servers that live for one test


@dataclass(slots=True)
class Cloud:
    """What all have in common. header: that a signed-in request carries."""

    calls: list[str] = field(default_factory=list)
    busy: int = 0
    header: tuple[str, str] = ("authorization", "Bearer t0ken")

    def guard(self, inner: Handler) -> Handler:
        """Only signed in, and not when busy."""

        async def guarded(request: Request) -> Response:
            if request.headers.get(self.header[0]) != self.header[1]:
                return JSONResponse({"error": "unauthorized"}, status_code=401)
            if self.busy:
                self.busy -= 1
                return Response(status_code=429, headers={"Retry-After": "5"})
            return await inner(request)

        return guarded


async def _form(request: Request) -> dict[str, str]:
    return {key: str(value) for key, value in (await request.form()).items()}


@dataclass(slots=True)
class Falcon(Cloud):
    """CrowdStrike: two devices whose names begin alike; a containment is pending first and stands at the next look."""

    status: dict[str, str] = field(default_factory=lambda: {"d1": "normal", "d2": "normal"})
    names: dict[str, str] = field(default_factory=lambda: {"d1": "PC-114", "d2": "PC-1140"})

    def app(self) -> Starlette:
        """Four paths."""
        return Starlette(
            routes=[
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/devices/queries/devices/v1", self.guard(self._query)),
                Route("/devices/entities/devices/v2", self.guard(self._devices)),
                Route("/devices/entities/devices-actions/v2", self.guard(self._act), methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        good = (await _form(request)).get("client_secret") == SECRET
        return JSONResponse(
            {"access_token": "t0ken"} if good else {"errors": [{}]}, status_code=201 if good else 403
        )

    async def _query(self, request: Request) -> Response:
        wanted = request.query_params.get("filter", "hostname:''").split("'")[1]
        return JSONResponse({"resources": [one for one in self.names if wanted in self.names[one].lower()]})

    async def _devices(self, request: Request) -> Response:
        one = request.query_params["ids"]
        said = {"device_id": one, "hostname": self.names[one], "status": self.status[one]}
        self.status[one] = {"containment_pending": "contained", "lift_containment_pending": "normal"}.get(
            self.status[one], self.status[one]
        )
        return JSONResponse({"resources": [said]})

    async def _act(self, request: Request) -> Response:
        name, [one] = request.query_params["action_name"], (await request.json())["ids"]
        self.status[one] = {"contain": "containment_pending", "lift_containment": "lift_containment_pending"}[
            name
        ]
        self.calls.append(f"{name} {one}")
        return JSONResponse({"resources": [{"id": one}]}, status_code=202)

    def state(self) -> str:
        """Settled."""
        short = {"containment_pending": "contained", "lift_containment_pending": "normal"}
        return str({one: short.get(said, said) for one, said in self.status.items()})


@dataclass(slots=True)
class Sentinel(Cloud):
    """SentinelOne: two agents whose names begin alike."""

    header: tuple[str, str] = ("authorization", f"ApiToken {SECRET}")
    agents: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            "1": {"id": "1", "computerName": "PC-114", "networkStatus": "connected"},
            "2": {"id": "2", "computerName": "pc-1140", "networkStatus": "connected"},
        }
    )

    def app(self) -> Starlette:
        """Two paths."""
        return Starlette(
            routes=[
                Route("/web/api/v2.1/agents", self.guard(self._agents)),
                Route("/web/api/v2.1/agents/actions/{name}", self.guard(self._act), methods=["POST"]),
            ]
        )

    async def _agents(self, request: Request) -> Response:
        asked = request.query_params
        ids, whole, part = asked.get("ids"), asked.get("computerName"), asked.get("computerName__like", "")
        found = [
            one
            for one in self.agents.values()
            if (ids is None or one["id"] == ids)
            and (whole is None or one["computerName"] == whole)
            and part.lower() in one["computerName"].lower()
        ][: int(asked.get("limit", "10"))]
        return JSONResponse({"data": found, "pagination": {"totalItems": len(found)}})

    async def _act(self, request: Request) -> Response:
        ids = (await request.json())["filter"]["ids"]
        state = {"disconnect": "disconnecting", "connect": "connected"}[request.path_params["name"]]
        for one in ids:
            self.agents[one]["networkStatus"] = state
            self.calls.append(f"{request.path_params['name']} {one}")
        return JSONResponse({"data": {"affected": len(ids)}})

    def state(self) -> str:
        """All of it."""
        return json.dumps(self.agents, sort_keys=True)


@dataclass(slots=True)
class WazuhServer(Cloud):
    """Wazuh: two agents, their groups, and the scripts that ran on them; errors come with 200."""

    groups: dict[str, list[str]] = field(default_factory=lambda: {"001": ["default"], "002": ["default"]})
    ran: list[str] = field(default_factory=list)
    refuses: bool = False

    def app(self) -> Starlette:
        """Four paths."""
        return Starlette(
            routes=[
                Route("/security/user/authenticate", self._token, methods=["POST"]),
                Route("/agents", self.guard(self._agents)),
                Route("/active-response", self.guard(self._run), methods=["PUT"]),
                Route("/agents/{id}/group/{group}", self.guard(self._group), methods=["PUT", "DELETE"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        given = b64decode(request.headers.get("authorization", "Basic ").removeprefix("Basic ")).decode()
        good = given == f"hinomi:{SECRET}"
        return JSONResponse({"data": {"token": "t0ken"}} if good else {}, status_code=200 if good else 401)

    async def _agents(self, request: Request) -> Response:
        names = {"001": "pc-114", "002": "pc-1140"}
        only, name = request.query_params.get("agents_list"), request.query_params.get("name", "")
        found = [
            {"id": one, "name": own, "status": "active", "group": self.groups[one]}
            for one, own in names.items()
            if (only is None or one == only) and name in own
        ]
        return JSONResponse({"data": {"affected_items": found}, "error": 0})

    async def _run(self, request: Request) -> Response:
        body = await request.json()
        if self.refuses:
            return JSONResponse({"data": {"failed_items": [{"error": {"code": 1652}}]}, "error": 1})
        self.ran.append(f"{request.query_params['agents_list']} {body['command']} {body['arguments'][0]}")
        return JSONResponse({"data": {"affected_items": [1]}, "error": 0})

    async def _group(self, request: Request) -> Response:
        own, group = self.groups[request.path_params["id"]], request.path_params["group"]
        (own.append if request.method == "PUT" else own.remove)(group)
        self.calls.append(f"{request.method} {group}")
        return JSONResponse({"data": {}, "error": 0})

    def state(self) -> str:
        """Who is isolated."""
        return str(self.groups)


@dataclass(slots=True)
class Google(Cloud):
    """The Directory API: one user; the assertion must name the administrator and just the two scopes."""

    user: dict[str, Any] = field(
        default_factory=lambda: {"id": "117", "primaryEmail": "t.yamada@city.example.jp", "suspended": False}
    )

    def app(self) -> Starlette:
        """Four paths."""
        users = "/admin/directory/v1/users"
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route(users, self.guard(self._all)),
                Route(users + "/{key}", self.guard(self._user), methods=["GET", "PATCH"]),
                Route(users + "/{key}/signOut", self.guard(self._sign_out), methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        claims = (await _form(request)).get("assertion", "..").split(".")[1]
        said = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)) or b"{}")
        scopes = str(said.get("scope", "")).split()
        good = (
            said.get("sub") == "admin@city.example.jp" and len(scopes) == 2 and said.get("iss") == "robot@p"
        )
        return JSONResponse({"access_token": "t0ken"} if good else {}, status_code=200 if good else 401)

    async def _all(self, request: Request) -> Response:
        return JSONResponse({"users": [self.user]})

    async def _user(self, request: Request) -> Response:
        if request.path_params["key"] not in (self.user["id"], self.user["primaryEmail"]):
            return JSONResponse({"error": {"code": 404}}, status_code=404)
        if request.method == "PATCH":
            self.user |= await request.json()
            self.calls.append("patch")
        return JSONResponse(self.user)

    async def _sign_out(self, request: Request) -> Response:
        self.calls.append("signOut")
        return Response(status_code=204)

    def state(self) -> str:
        """The user."""
        return json.dumps(self.user, sort_keys=True)


@dataclass(slots=True)
class Panos(Cloud):
    """PAN-OS: registered addresses and GlobalProtect sessions, by the XML API."""

    header: tuple[str, str] = ("x-pan-key", SECRET)
    tags: dict[str, list[str]] = field(default_factory=lambda: {"198.51.100.9": ["other"]})
    sessions: list[tuple[str, str, str]] = field(  # domain, user, computer
        default_factory=lambda: [
            ("", "city\\t.yamada", "NOTE-1"),
            ("city", "t.yamada", "PHONE"),
            ("", "t.yamada2", "NOTE-2"),
        ]
    )
    since: dict[str, int] = field(default_factory=dict)  # by computer, where it is not long ago

    def app(self) -> Starlette:
        """One path."""
        return Starlette(routes=[Route("/api/", self.guard(self._api), methods=["POST"])])

    async def _api(self, request: Request) -> Response:
        form = await _form(request)
        command = ET.fromstring(form["cmd"])
        if form["type"] == "user-id":
            return self._register(command)
        if (asked := command.find("object/registered-ip/ip")) is not None:
            tags = self.tags.get(asked.text or "", [])
            members = "".join(f"<member>{tag}</member>" for tag in tags)
            entry = (
                f'<entry ip="{asked.text}" from_agent="0" persistent="1"><tag>{members}</tag></entry>'
                if tags
                else ""
            )
            return self._said(f"{entry}<count>{len(tags)}</count>")
        if (out := command.find("global-protect-gateway/client-logout")) is not None:
            one = (out.findtext("domain", ""), out.findtext("user", ""), out.findtext("computer", ""))
            known = one in self.sessions and out.findtext("gateway") == "gw1-N"
            if known:
                self.sessions.remove(one)
                self.calls.append("logout")
            return self._said(f'<response status="{"success" if known else "error"}"/>')
        rows = "".join(
            f"<entry><domain>{domain}</domain><islocal>yes</islocal><username>{user}</username>"
            f"<computer>{computer}</computer>"
            f"<login-time-utc>{self.since.get(computer, 1_700_000_000)}</login-time-utc></entry>"
            for domain, user, computer in self.sessions
        )
        return self._said(rows)

    def _register(self, command: ET.Element) -> Response:
        for what in ("register", "unregister"):
            for entry in command.findall(f"payload/{what}/entry"):
                tags = self.tags.setdefault(entry.get("ip", ""), [])
                for member in entry.iter("member"):
                    (tags.append if what == "register" else tags.remove)(member.text or "")
                if not tags:
                    del self.tags[entry.get("ip", "")]
                self.calls.append(what)
        return self._said("")

    def _said(self, inner: str) -> Response:
        return Response(
            f'<response status="success"><result>{inner}</result></response>', media_type="application/xml"
        )

    def state(self) -> str:
        """Both."""
        return f"{self.tags} {self.sessions}"


@dataclass(slots=True)
class Mailboxes(Cloud):
    """Graph: 45 people in two pages, the message in three mailboxes and two folders; one person has no mailbox."""

    folders: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"u3": {"m1": "inbox"}, "u20": {"m2": "inbox"}, "u44": {"m3": "archive"}}
    )
    wanted: str = "<1@example.net>"

    def app(self) -> Starlette:
        """Three paths."""
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/v1.0/groups/{id}/transitiveMembers/microsoft.graph.user", self.guard(self._people)),
                Route("/v1.0/$batch", self.guard(self._batch), methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        good = (await _form(request)).get("client_secret") == SECRET
        return JSONResponse({"access_token": "t0ken"} if good else {}, status_code=200 if good else 401)

    async def _people(self, request: Request) -> Response:
        second = "skip" in request.query_params
        people = [{"id": f"u{n}"} for n in (range(30, 45) if second else range(30))]
        more = {} if second else {"@odata.nextLink": f"https://graph.example{request.url.path}?skip=30"}
        return JSONResponse({"value": people, **more})

    async def _batch(self, request: Request) -> Response:
        asked = (await request.json())["requests"]
        if len(asked) > 20:
            return JSONResponse({}, status_code=400)
        answers = [{"id": one["id"], **self._one(one)} for one in asked]
        return JSONResponse({"responses": answers[::-1]})  # in any order

    def _one(self, asked: dict[str, Any]) -> dict[str, Any]:
        parts = asked["url"].split("?")[0].split("/")
        if asked["headers"]["Prefer"] != 'IdType="ImmutableId"':
            return {"status": 400}
        if asked["method"] == "GET":
            if parts[2] == "u7":
                return {"status": 404}
            own = self.folders.get(parts[2], {})
            seen = [
                {"id": one, "parentFolderId": at}
                for one, at in own.items()
                if at != "recoverableitemsdeletions"
            ]
            return {"status": 200, "body": {"value": seen if "1%40example.net" in asked["url"] else []}}
        self.folders[parts[2]][parts[4]] = asked["body"]["destinationId"]
        self.calls.append("move")
        return {"status": 201, "body": {}}

    def state(self) -> str:
        """Where each copy lies."""
        return json.dumps(self.folders, sort_keys=True)
