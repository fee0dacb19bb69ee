"""A vendor's web API that answers something else than its documents say."""

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hinomi.errors import DependencyDown
from responders.connectors.web_api import opened
from tests.responders.peers.served import served


@pytest.mark.parametrize(
    "said", [{"results": [{}]}, {"results": [3]}, {"results": {}}, {"results": None}, []]
)
def test_an_answer_of_another_form_is_no_answer(tmp_path: Path, said: Any) -> None:
    """It is tried again like one that did not come, instead of ending the responder's turn for every other incident."""

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(said)

    with (
        served(Starlette(routes=[Route("/", answer)]), tmp_path) as at,
        pytest.raises(DependencyDown, match="製品の応答が、文書にある形ではありません"),
        opened("製品", at.url, at.ca) as api,
    ):
        int(api.call("GET", "/")["results"][0]["index"])
