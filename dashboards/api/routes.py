"""The API's routes for the console's application."""

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from dashboards.api.endpoint import problem, serve
from dashboards.api.table import ENDPOINTS, openapi
from dashboards.console.visit import Console


def mount(console: Console) -> Mount:
    """Everything under /api/v1; an unknown address or method is a problem document, too."""
    routes = [Route(one.path, serve(console, one), methods=[one.method]) for one in ENDPOINTS]
    return Mount(
        "/api/v1",
        routes=[Route("/openapi.json", _document), *routes, Route("/{path:path}", partial(_unknown))],
    )


async def _document(_: Request) -> Response:
    return JSONResponse(openapi())


async def _unknown(_: Request) -> Response:
    return problem(404, "このアドレスには何もありません。", "there is nothing under this address")
