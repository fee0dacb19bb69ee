"""The API's routes for the console's application."""

from collections.abc import Sequence
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount, Route

from dashboards.api.endpoint import problem, serve
from dashboards.api.table import ENDPOINTS, openapi
from dashboards.console.visit import Console

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def mount(console: Console) -> Mount:
    """Everything under /api/v1; an unknown address or method is a problem document, too."""
    routes = [Route(one.path, serve(console, one), methods=[one.method]) for one in ENDPOINTS]
    known = [Route("/openapi.json", _document), *routes]
    others = Route("/{path:path}", partial(_unknown, known), methods=_METHODS)
    return Mount("/api/v1", routes=[*known, others])


async def _document(_: Request) -> Response:
    return JSONResponse(openapi())


async def _unknown(known: Sequence[Route], request: Request) -> Response:
    matching = [one for one in known if one.matches(request.scope)[0] is Match.PARTIAL]
    allowed = sorted({method for one in matching for method in one.methods or ()})
    if not allowed:
        return problem(404, "このアドレスには何もありません。", "there is nothing under this address")
    listed = ", ".join(allowed)
    refused = problem(
        405, f"このアドレスで使えるのは {listed} です。", f"this address takes {listed}, not {request.method}"
    )
    refused.headers["Allow"] = listed
    return refused
