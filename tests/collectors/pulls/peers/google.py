"""Google's token endpoint, the Reports API and Pub/Sub's pull.

Source: Google, "Using OAuth 2.0 for Server to Server Applications", "Reports API: Activities: list" (newest first),
"Pub/Sub REST: subscriptions.pull / acknowledge" (what is not acknowledged comes again under another ackId; a pull without
returnImmediately waits until there is a message).
"""

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.collectors.pulls.peers.manners import Manners, claims, page_of

ADMINISTRATOR = "admin@city.example.jp"
SUBSCRIPTION = "projects/city/subscriptions/audit"


@dataclass(slots=True)
class Google:
    """activities: application → records; messages: id → text that waits on the subscription; holds: seconds for which a pull
    stays open where there is none."""

    key: RSAPublicKey
    token_url: str = ""
    activities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    page: int = 2
    holds: float = 0.0
    manners: Manners = field(default_factory=Manners)
    _pulls: int = 0

    def app(self) -> Starlette:
        """All endpoints."""
        guard = self.manners.guarded
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/admin/reports/v1/activity/users/all/applications/{name}", guard(self._activities)),
                Route(f"/v1/{SUBSCRIPTION}:pull", guard(self._pull), methods=["POST"]),
                Route(f"/v1/{SUBSCRIPTION}:acknowledge", guard(self._acknowledge), methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        try:
            said = claims(str(form["assertion"]), self.key)
        except (InvalidSignature, ValueError, KeyError):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if said["aud"] != str(request.url) or said["exp"] - said["iat"] > 3600:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        if "admin.reports" in said["scope"] and said.get("sub") != ADMINISTRATOR:
            return JSONResponse({"error": "unauthorized_client"}, status_code=401)
        return self.manners.token()

    async def _activities(self, request: Request) -> Response:
        asked = request.query_params
        start, end = (datetime.fromisoformat(asked[name]) for name in ("startTime", "endTime"))
        own = [
            one
            for one in self.activities.get(request.path_params["name"], [])
            if start <= datetime.fromisoformat(one["id"]["time"]) <= end
        ]
        own.sort(key=lambda one: str(one["id"]["time"]), reverse=True)
        part, after = page_of(own, int(asked.get("pageToken", "0")), self.page)
        more = {"nextPageToken": str(after)} if after is not None else {}
        return JSONResponse({"kind": "admin#reports#activities", "items": part, **more})

    async def _pull(self, request: Request) -> Response:
        self._pulls += 1
        most = (await request.json())["maxMessages"]
        if not self.messages:
            await asyncio.sleep(self.holds)
        given = list(self.messages.items())[: min(most, self.page)]
        received = [
            {
                "ackId": f"{self._pulls}:{identity}",
                "message": {"messageId": identity, "data": base64.b64encode(text.encode()).decode()},
            }
            for identity, text in given
        ]
        return JSONResponse({"receivedMessages": received} if received else {})

    async def _acknowledge(self, request: Request) -> Response:
        for one in (await request.json())["ackIds"]:
            self.messages.pop(one.partition(":")[2], None)
        return JSONResponse({})
