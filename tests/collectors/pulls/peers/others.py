"""Okta, GitHub, Box, Slack and Zoom.

Source: Okta "System Log API"; GitHub Docs "Get the audit log for an organization"; Box Developer "Get events"; Slack
"Audit Logs API"; Zoom "Get operation logs report", "Server-to-Server OAuth".
"""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.collectors.pulls.peers.manners import Manners, page_of


def _linked(request: Request, part: list[Any], after: int | None, name: str) -> Response:
    more = request.url.include_query_params(**{name: after})
    return JSONResponse(part, headers={"Link": f'<{more}>; rel="next"'} if after is not None else {})


@dataclass(slots=True)
class Okta:
    """events: records with `published`."""

    events: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    manners: Manners = field(default_factory=lambda: Manners("SSWS", "okta-token"))

    def app(self) -> Starlette:
        """The System Log."""
        return Starlette(routes=[Route("/api/v1/logs", self.manners.guarded(self._logs))])

    async def _logs(self, request: Request) -> Response:
        asked = request.query_params
        start, end = (datetime.fromisoformat(asked[name]) for name in ("since", "until"))
        own = [one for one in self.events if start <= datetime.fromisoformat(one["published"]) < end]
        own.sort(key=lambda one: str(one["published"]), reverse=asked["sortOrder"] != "ASCENDING")
        return _linked(request, *page_of(own, int(asked.get("after", "0")), self.page), "after")


@dataclass(slots=True)
class GitHub:
    """events: records with `@timestamp` in milliseconds."""

    events: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    manners: Manners = field(default_factory=lambda: Manners("Bearer", "gh-token"))

    def app(self) -> Starlette:
        """The audit log of the organisation `city`."""
        return Starlette(routes=[Route("/orgs/city/audit-log", self.manners.guarded(self._log))])

    async def _log(self, request: Request) -> Response:
        asked = request.query_params
        start, end = asked["phrase"].removeprefix("created:").split("..")
        low, high = (datetime.fromisoformat(text).timestamp() * 1000 for text in (start, end))
        own = [one for one in self.events if low <= one["@timestamp"] <= high]
        return _linked(request, *page_of(own, int(asked.get("after", "0")), self.page), "after")


@dataclass(slots=True)
class Box:
    """events in the order of the stream. An event in `again` is given twice."""

    secret: str
    events: list[dict[str, Any]] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    page: int = 2
    manners: Manners = field(default_factory=Manners)

    def app(self) -> Starlette:
        """Token and events."""
        return Starlette(
            routes=[
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/2.0/events", self.manners.guarded(self._events)),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        right = form.get("box_subject_type") == "enterprise" and form.get("box_subject_id") == "4711"
        if not right or form.get("client_secret") != self.secret:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return self.manners.token()

    async def _events(self, request: Request) -> Response:
        position = int(request.query_params["stream_position"])
        part = self.events[position : position + self.page]
        entries = [one for one in part for _ in range(2 if one["event_id"] in self.again else 1)]
        after = position + len(part)
        return JSONResponse({"chunk_size": len(entries), "next_stream_position": after, "entries": entries})


@dataclass(slots=True)
class Slack:
    """entries: records with `date_create` in seconds."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    manners: Manners = field(default_factory=lambda: Manners("Bearer", "xoxp-1"))

    def app(self) -> Starlette:
        """The Audit Logs API."""
        return Starlette(routes=[Route("/audit/v1/logs", self.manners.guarded(self._logs))])

    async def _logs(self, request: Request) -> Response:
        asked = request.query_params
        low, high = int(asked["oldest"]), int(asked["latest"])
        own = [one for one in self.entries if low <= one["date_create"] <= high]
        own.sort(key=lambda one: int(one["date_create"]), reverse=True)
        part, after = page_of(own, int(asked.get("cursor", "0")), self.page)
        follows = {"next_cursor": str(after) if after is not None else ""}
        return JSONResponse({"entries": part, "response_metadata": follows})


@dataclass(slots=True)
class Zoom:
    """operations, activities: records with `time`; they have no identity."""

    secret: str
    operations: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    manners: Manners = field(default_factory=Manners)

    def app(self) -> Starlette:
        """Token and reports."""
        return Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/v2/report/operationlogs", self.manners.guarded(self._operations)),
                Route("/v2/report/activities", self.manners.guarded(self._activities)),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        right = "Basic " + base64.b64encode(f"app:{self.secret}".encode()).decode()
        if request.headers.get("authorization") != right or form.get("account_id") != "acc":
            return JSONResponse({"error": "invalid_client"}, status_code=400)
        return self.manners.token()

    async def _operations(self, request: Request) -> Response:
        return self._report(request, "operation_logs", self.operations)

    async def _activities(self, request: Request) -> Response:
        return self._report(request, "activity_logs", self.activities)

    def _report(self, request: Request, key: str, records: list[dict[str, Any]]) -> Response:
        asked = request.query_params
        own = [one for one in records if asked["from"] <= _day(one["time"]) <= asked["to"]]
        part, after = page_of(own, int(asked.get("next_page_token") or "0"), self.page)
        return JSONResponse({key: part, "next_page_token": str(after) if after is not None else ""})


def _day(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).date().isoformat()
