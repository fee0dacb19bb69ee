"""Microsoft's token endpoint and Defender for Endpoint's machine API as their documents tell.

Source: Microsoft Learn, "OAuth 2.0 client credentials flow", "Isolate machine API", "Release device from isolation API",
"List machines API", "List machine actions API": 401 without a good token, 400 ActiveRequestAlreadyExists while an action
of the kind is pending, 201 with a machine action, 429 with Retry-After over the quota.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Defender:
    """Machines by id → DNS name, and the actions asked for, newest last. fail: answers to give instead."""

    secret: str
    machines: dict[str, str] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    fail: list[int] = field(default_factory=list)
    signed: int = 0

    def app(self) -> Starlette:
        """Both endpoints."""
        return Starlette(
            routes=[
                Route("/tenant/oauth2/v2.0/token", self._token, methods=["POST"]),
                Route("/api/machines", self._machines),
                Route("/api/machineactions", self._actions),
                Route("/api/machines/{id}/isolate", self._isolate, methods=["POST"]),
                Route("/api/machines/{id}/unisolate", self._release, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        right = form.get("client_secret") == self.secret and str(form.get("scope", "")).endswith("/.default")
        if form.get("grant_type") != "client_credentials" or not right:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        self.signed += 1
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": f"t{self.signed}"})

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer t{self.signed}":
            return JSONResponse({"error": {"code": "Unauthorized"}}, status_code=401)
        if self.fail:
            return JSONResponse({"error": {}}, status_code=self.fail.pop(0), headers={"Retry-After": "7"})
        return None

    async def _machines(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        found = re.search(r"startswith\(computerDnsName,'([^']*)'\)", request.query_params.get("$filter", ""))
        head = found[1].lower() if found else ""
        value = [
            {"id": one, "computerDnsName": name}
            for one, name in self.machines.items()
            if name.startswith(head)
        ]
        return JSONResponse({"value": value})

    async def _actions(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        found = re.search(r"machineId eq '([^']*)'", request.query_params["$filter"])
        assert found is not None
        own = [one for one in reversed(self.actions) if one["machineId"] == found[1]]
        return JSONResponse({"value": own})

    async def _isolate(self, request: Request) -> Response:
        return await self._act(request, "Isolate")

    async def _release(self, request: Request) -> Response:
        return await self._act(request, "Unisolate")

    async def _act(self, request: Request, kind: str) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        machine, body = request.path_params["id"], await request.json()
        if not body.get("Comment") or (
            kind == "Isolate" and body.get("IsolationType") not in {"Full", "Selective"}
        ):
            return JSONResponse({"error": {"code": "InvalidInput"}}, status_code=400)
        if any(one["machineId"] == machine and one["status"] == "Pending" for one in self.actions):
            return JSONResponse({"error": {"code": "ActiveRequestAlreadyExists"}}, status_code=400)
        action = {"id": f"a{len(self.actions)}", "machineId": machine, "type": kind, "status": "Pending"}
        self.actions.append(action)
        return JSONResponse(action, status_code=201)
