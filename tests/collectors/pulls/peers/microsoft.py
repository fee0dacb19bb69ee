"""Microsoft's token endpoint, the Management Activity API and Graph's audit logs.

Source: Microsoft Learn, "Office 365 Management Activity API reference", "List signIns", "List directoryAudits",
"List alerts_v2", "Paging Microsoft Graph data", "OAuth 2.0 client credentials flow".
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.collectors.pulls.peers.manners import Manners, page_of

TENANT = "city.example.jp"
_TYPED = re.compile(r" and signInEventTypes/any\(t: t eq '(\w+)'\)")


def no_content(code: str, status: int) -> Response:
    """The Management Activity API's answer for a blob that it does not have."""
    return JSONResponse({"error": {"code": code, "message": "Content is not there."}}, status_code=status)


@dataclass(slots=True)
class Microsoft:
    """blobs: content type → (when it became available, records); expired: numbers of blobs that are listed and gone;
    gone: what is answered for them; named: whether listed blobs have an id;
    sign_ins: records with createdDateTime, those of programs with `signInEventTypes`; alerts: with lastUpdateDateTime."""

    secret: str
    now: datetime
    blobs: dict[str, list[tuple[datetime, list[dict[str, Any]]]]] = field(default_factory=dict)
    sign_ins: list[dict[str, Any]] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    expired: set[int] = field(default_factory=set)
    gone: Response = field(default_factory=lambda: no_content("AF20051", 400))
    named: bool = True
    page: int = 2
    started: set[str] = field(default_factory=set)
    manners: Manners = field(default_factory=Manners)

    def app(self) -> Starlette:
        """All endpoints."""
        feed = f"/api/v1.0/{TENANT}/activity/feed"
        guard = self.manners.guarded
        return Starlette(
            routes=[
                Route(f"/{TENANT}/oauth2/v2.0/token", self._token, methods=["POST"]),
                Route(f"{feed}/subscriptions/start", guard(self._start), methods=["POST"]),
                Route(f"{feed}/subscriptions/content", guard(self._content)),
                Route(f"{feed}/audit/{{type}}/{{number}}", guard(self._blob)),
                Route("/v1.0/auditLogs/signIns", guard(self._sign_ins)),
                Route("/beta/auditLogs/signIns", guard(self._sign_ins)),
                Route("/v1.0/auditLogs/directoryAudits", guard(self._audits)),
                Route("/v1.0/security/alerts_v2", guard(self._alerts)),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        if form.get("grant_type") != "client_credentials" or form.get("client_secret") != self.secret:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return self.manners.token()

    async def _start(self, request: Request) -> Response:
        kind = request.query_params["contentType"]
        if kind in self.started:
            error = {"code": "AF20024", "message": "The subscription is already enabled."}
            return JSONResponse({"error": error}, status_code=400)
        self.started.add(kind)
        return JSONResponse({"contentType": kind, "status": "enabled"})

    async def _content(self, request: Request) -> Response:
        asked = request.query_params
        if asked["contentType"] not in self.started:
            return JSONResponse({"error": {"code": "AF20022"}}, status_code=400)
        start, end = (
            datetime.fromisoformat(asked[name]).replace(tzinfo=UTC) for name in ("startTime", "endTime")
        )
        if end - start > timedelta(hours=24) or start < self.now - timedelta(days=7):
            return JSONResponse({"error": {"code": "AF20030"}}, status_code=400)
        own = self.blobs.get(asked["contentType"], [])
        listed = [
            {
                "contentType": asked["contentType"],
                "contentId": f"{asked['contentType']}${n}" if self.named else "",
                "contentUri": f"{_base(request)}/audit/{asked['contentType']}/{n}",
                "contentCreated": made.isoformat(),
            }
            for n, (made, _) in enumerate(own)
            if start <= made < end
        ]
        part, after = page_of(listed, int(asked.get("nextPage", "0")), self.page)
        more = request.url.include_query_params(nextPage=after)
        return JSONResponse(part, headers={"NextPageUri": str(more)} if after is not None else {})

    async def _blob(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        if number in self.expired:
            return self.gone
        return JSONResponse(self.blobs[request.path_params["type"]][number][1])

    async def _sign_ins(self, request: Request) -> Response:
        """Interactive ones, where no type is asked for."""
        typed = _TYPED.search(request.query_params["$filter"])
        kind = typed.group(1) if typed else "interactiveUser"
        own = [one for one in self.sign_ins if kind in one.get("signInEventTypes", ["interactiveUser"])]
        return self._filtered(request, own, "createdDateTime")

    async def _audits(self, request: Request) -> Response:
        return self._filtered(request, self.audits, "activityDateTime")

    async def _alerts(self, request: Request) -> Response:
        return self._filtered(request, self.alerts, "lastUpdateDateTime")

    def _filtered(self, request: Request, records: list[dict[str, Any]], time: str) -> Response:
        """By time; no other parameter than Microsoft names is taken."""
        asked = request.query_params
        wanted = _TYPED.sub("", asked["$filter"])
        found = re.fullmatch(rf"{time} ge (\S+Z) and {time} lt (\S+Z)", wanted)
        if found is None or set(asked) - {"$filter", "$top", "$skiptoken"}:
            return JSONResponse({"error": {"code": "BadRequest"}}, status_code=400)
        start, end = (datetime.fromisoformat(text) for text in found.groups())
        own = sorted(
            (one for one in records if start <= datetime.fromisoformat(one[time]) < end),
            key=lambda one: str(one[time]),
        )
        part, after = page_of(own, int(asked.get("$skiptoken", "0")), self.page)
        more = {"@odata.nextLink": str(request.url.include_query_params(**{"$skiptoken": after}))}
        return JSONResponse({"value": part, **(more if after is not None else {})})


def _base(request: Request) -> str:
    return str(request.url.replace(query="")).removesuffix("/subscriptions/content")
