"""Microsoft Graph as its documents tell, as far as accounts and inbox rules go. Sources: the facts of `entra_graph`."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Graph:
    """A tenant with one user and two inbox rules, one of which forwards outside."""

    user: dict[str, Any] = field(
        default_factory=lambda: {
            "id": "u-1",
            "userPrincipalName": "t.yamada@city.example.jp",
            "accountEnabled": True,
            "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z",
        }
    )
    rules: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            "r1": {
                "id": "r1",
                "isEnabled": True,
                "actions": {"forwardTo": [{"emailAddress": {"address": "x@evil"}}]},
            },
            "r2": {"id": "r2", "isEnabled": True, "actions": {"moveToFolder": "f"}},
        }
    )
    busy: int = 0
    changes: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """The paths of the v1.0 API that we use."""
        rules = "/v1.0/users/{id}/mailFolders/inbox/messageRules"
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/v1.0/users", self._guard(self._all), methods=["GET"]),
                Route("/v1.0/users/{id}", self._guard(self._user), methods=["GET", "PATCH"]),
                Route("/v1.0/users/{id}/revokeSignInSessions", self._guard(self._revoke), methods=["POST"]),
                Route(rules, self._guard(self._rules), methods=["GET"]),
                Route(rules + "/{rule}", self._guard(self._rule), methods=["PATCH"]),
            ]
        )

    def _guard(self, inner: Any) -> Any:
        async def guarded(request: Request) -> Response:
            if request.headers.get("authorization") != "Bearer t0ken":
                return JSONResponse({"error": {"code": "InvalidAuthenticationToken"}}, status_code=401)
            if self.busy:
                self.busy -= 1
                return Response(status_code=429, headers={"Retry-After": "5"})
            answer: Response = await inner(request)
            return answer

        return guarded

    async def _token(self, request: Request) -> Response:
        form = (await request.body()).decode()
        good = "client_secret=s3cret" in form and "graph.microsoft.com%2F.default" in form
        return JSONResponse({"access_token": "t0ken"} if good else {}, status_code=200 if good else 401)

    async def _all(self, request: Request) -> Response:
        return JSONResponse({"value": [self.user]})

    async def _user(self, request: Request) -> Response:
        if request.path_params["id"] not in (self.user["id"], self.user["userPrincipalName"]):
            return JSONResponse({"error": {"code": "Request_ResourceNotFound"}}, status_code=404)
        if request.method == "GET":
            return JSONResponse(self.user)
        self.user |= json.loads(await request.body())
        self.changes.append("user")
        return Response(status_code=204)

    async def _revoke(self, request: Request) -> Response:
        self.user["signInSessionsValidFromDateTime"] = datetime.now(UTC).isoformat()
        self.changes.append("revoke")
        return JSONResponse({"value": True})

    async def _rules(self, request: Request) -> Response:
        return JSONResponse({"value": list(self.rules.values())})

    async def _rule(self, request: Request) -> Response:
        rule = self.rules.get(request.path_params["rule"])
        if rule is None:
            return JSONResponse({"error": {"code": "ErrorItemNotFound"}}, status_code=404)
        rule |= json.loads(await request.body())
        self.changes.append("rule")
        return JSONResponse(rule)

    def state(self) -> str:
        """What can be put back: whether the account may sign in, and the rules."""
        return json.dumps([self.user["accountEnabled"], self.rules], sort_keys=True)
