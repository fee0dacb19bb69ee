"""The API: every line tried by a generator, tokens that give no more than their user holds, problems as documents."""

import asyncio
import base64
import hashlib
import re
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.applications import Starlette

from dashboards.api.endpoint import Endpoint
from dashboards.api.table import ENDPOINTS, openapi
from dashboards.console.access import Access
from dashboards.console.app import PAGES, create_app
from dashboards.settings import ConsoleSettings
from dashboards.tokens import Tokens
from dashboards.users import AUDITORS, Role
from tests.dashboards.browse import browser
from tests.dashboards.city import PEOPLE, City

BEYOND_SCHEMA = ("/assign", "/grade", "/events", "/events/histogram", "/events/top", "/events/sigma")
"""Where more than the schema decides: who may be an assignee, whose word stands by now, and the grammar of the search language."""
EVERYTHING = ("read", "work", "approve")


def _app(city: City) -> Starlette:
    return create_app(city.events, city.records, city.desk, ConsoleSettings(), city.clock, users=city.users)


def _call(city: City, secret: str, method: str, path: str, **how: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(_app(city))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {"authorization": f"Bearer {secret}"} if secret else {}
            return await client.request(method, f"/api/v1{path}", headers=headers, **how)

    return asyncio.run(ask())


def _token(city: City, name: str, *scopes: str) -> str:
    return Tokens(city.records, city.clock).make(name, "試験", scopes or EVERYTHING, 30)


@pytest.fixture(scope="module")
def api_schema(city: City) -> Any:
    """The API of the city as its own document describes it."""
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", _app(city))


@pytest.fixture(scope="module")
def bearer(city: City) -> str:
    """A token with every scope of somebody who may do everything."""
    return _token(city, "y.ota")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_line_keeps_its_word(api_schema: Any, bearer: str, endpoint: Endpoint) -> None:
    """Whatever is sent, the answer is one that the document names, in the form it says; never a crash."""
    operation = api_schema[endpoint.path.replace(":int", "")][endpoint.method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=4 if endpoint.desk else 6,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def holds(case: Any) -> None:
        open_ended = endpoint.desk or endpoint.path.endswith(BEYOND_SCHEMA)
        beyond = [positive_data_acceptance] if open_ended else []
        case.call_and_validate(headers={"Authorization": f"Bearer {bearer}"}, excluded_checks=beyond)

    holds()


def test_no_token_no_answer(city: City) -> None:
    """Without a token, with a wrong one, and with a session's cookie alone: 401 as a problem document."""
    for secret in ("", "hinomi_wrong"):
        answer = _call(city, secret, "GET", "/incidents")
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    visitor = browser(city, "k.mori")
    assert visitor.get("/api/v1/incidents").status_code == 401


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_each_role_and_scope(city: City, name: str) -> None:
    """A token with every scope does what its user may; one that only reads decides nothing, whoever has it."""
    roles = set(PEOPLE[name][1])
    workers = {Role.ANALYST, Role.INFORMATION_SYSTEM_MANAGER, Role.CHIEF_SECURITY_OFFICER}
    full, reading = _token(city, name), _token(city, name, "read")
    for endpoint in ENDPOINTS:
        path = re.sub(r"\{\w+\}", "none", re.sub(r"\{\w+:int\}", "999", endpoint.path))
        answer = _call(city, full, endpoint.method, path, json={} if endpoint.method == "POST" else None)
        needs = {"READ": set(Role), "WORK": workers, "APPROVE": workers - {Role.ANALYST}, "AUDIT": AUDITORS}[
            endpoint.access.name
        ]
        assert (answer.status_code != 403) == bool(roles & needs), (name, path)
        if endpoint.method == "POST":
            assert _call(city, reading, "POST", path, json={}).status_code == 403
    refused = [one for one in browser(city).audited("api.refused") if one["actor"] == name]
    posts = sum(endpoint.method == "POST" for endpoint in ENDPOINTS)
    assert len(refused) >= posts and {one["details"]["why"] for one in refused} == {"role"}


def test_pages_and_decisions(own_city: City) -> None:
    """Paging gives every incident once; a verdict is recorded and audited in the user's name."""
    secret = _token(own_city, "m.kato")
    numbers, after = [], None
    while True:
        page = _call(
            own_city, secret, "GET", f"/incidents?limit=2{f'&after={after}' if after else ''}"
        ).json()
        numbers += [one["number"] for one in page["items"]]
        if (after := page["next"]) is None:
            break
    assert numbers == [4, 3, 2, 1]
    answer = _call(
        own_city, secret, "POST", "/incidents/3/close", json={"verdict": "benign", "reason": "点検"}
    )
    assert answer.json()["verdict"] == "benign"
    assert browser(own_city).audited("incident.status")[0]["actor"] == "m.kato"
    found = _call(own_city, secret, "GET", "/events?q=user.name:+t.yamada&limit=5").json()
    assert found["total"] > 5
    assert found["next"]
    bad = _call(own_city, secret, "POST", "/incidents/1/close", json={"verdict": "no", "x": 1})
    assert (bad.status_code, bad.json()["status"]) == (400, 400)


def test_resident_logs_stay_sealed(own_city: City) -> None:
    """A search by token leaves logs about residents out; asked for by name it is refused until a reason counts."""
    from tests.dashboards.test_case import _with_resident_log

    _with_resident_log(own_city)
    secret = _token(own_city, "m.kato")
    assert "千代田" not in _call(own_city, secret, "GET", "/events?limit=500").text
    assert _call(own_city, secret, "GET", "/events?dataset=city.resident_view").status_code == 403


BY_PAGE_ONLY = {
    "sign-in": "a person signs in; systems have tokens",
    "sign-out": "a person's session",
    "account": "second factor, sessions, tokens and password of the person at the browser",
    "admin": "accounts are given by people who signed in, never by a token",
    "views": "a bookmark of the person at the browser",
    "bulk": "the same calls, one an incident",
    "a": "the link in a message is the permission",
}
OTHER_NAMES = {
    "/automation/delegate": "/automation/delegations",
    "/oncall/stand-in": "/oncall/stand-ins",
    "/oncall/stand-in/{override}/drop": "/oncall/stand-ins/{override}/drop",
    "/oncall/note": "/oncall/notes",
    "/runs/{run}/extend/{index:int}": "/runs/{run}/steps/{index:int}/extend",
    "/runs/{run}/first/{index:int}": "/runs/{run}/steps/{index:int}/first",
    "/runs/{run}/tasks/{index:int}": "/runs/{run}/steps/{index:int}/task",
    "/permits": "/automation/permits",
    "/permits/{permit}/end": "/automation/permits/{permit}/end",
    "/reveal": "/residents",
}
FILES = ("/evidence/seal", "/read")
"""What a page answers with a file, after a reason is typed: read by people."""


def test_what_the_console_does_the_api_does() -> None:
    """Every decision that a page takes has its line in the API, or a reason why a system must not take it."""
    known = {one.path for one in ENDPOINTS if one.method == "POST"}
    for page in (one for one in PAGES if one.method == "POST"):
        if page.path.split("/")[1] not in BY_PAGE_ONLY and not page.path.endswith(FILES):
            assert OTHER_NAMES.get(page.path, page.path) in known, page.path


LOOKED_AT = {
    "/": "/incidents",
    "/search": "/events",
    "/search/complete": "/events/fields",
    "/search/around": "/events",
    "/search/sigma": "/events/sigma",
    "/search/export.csv": "/events",
    "/search/export.ndjson": "/events",
    "/boards": "/events/histogram",
    "/rules/attack-layer.json": "/rules/attack-layer",
    "/incidents/{number:int}/evidence.zip": "/incidents/{number:int}/evidence/archive",
    "/incidents/{number:int}/duties/{duty}": "/incidents/{number:int}/duties/{duty}/draft",
    "/permits": "/automation",
}
"""Page → the line that tells the same: a search's rows are the export and what lies around an event, its histogram and top values
have lines of their own."""
LOOKED_AT_BY_PEOPLE = {
    "/help/keys": "the keys of the pages",
    "/account": "of the person at the browser",
    "/admin/users": "accounts are given by people who signed in, never by a token",
    "/live": "wakes an open page; systems ask again",
    "/incidents/open": "an empty form",
    "/incidents/{number:int}/duties/{duty}/file/{kind}": "set for print from the version that /draft tells",
    "/oncall/contacts.pdf": "a card for the wallet",
}


def test_what_the_console_shows_the_api_tells() -> None:
    """Every page that somebody signed in may open has its line in the API, or a reason why it is for people only."""
    known = {one.path for one in ENDPOINTS if one.method == "GET"}
    pages = {one.path for one in PAGES if one.method == "GET" and one.access is not Access.OPEN}
    assert LOOKED_AT_BY_PEOPLE.keys() <= pages and LOOKED_AT.keys() <= pages
    for path in pages - LOOKED_AT_BY_PEOPLE.keys():
        assert LOOKED_AT.get(path, path) in known, path
    assert {"/events/histogram", "/events/top", "/sources/arriving"} <= known  # parts of a page


def test_what_pages_show_besides_lists(own_city: City) -> None:
    """The audit log in pages, newest first, for those who may; figures of a search add up; files are whole; residents' logs stay out."""
    secret = _token(own_city, "y.ota")
    first = _call(own_city, secret, "GET", "/audit").json()
    assert (
        first["items"][0]["action"]
        and _call(own_city, _token(own_city, "m.kato"), "GET", "/audit").status_code == 403
    )
    span = "from=2026-11-19T00:00:00&to=2026-11-21T00:00:00"
    bars = _call(
        own_city, secret, "GET", f"/events/histogram?{span}&interval=hour&dataset=squid.access"
    ).json()["items"]
    assert sum(one["count"] for one in bars) == 240 and len(bars) == 48
    assert (
        _call(
            own_city, secret, "GET", "/events/histogram?from=2001-01-01&to=2026-11-20&interval=minute"
        ).status_code
        == 400
    )
    values = _call(own_city, secret, "GET", f"/events/top?field=event.dataset&{span}").json()["items"]
    assert {one["value"]: one["events"] for one in values}["squid.access"] == 240
    assert _call(own_city, secret, "GET", "/summary").json()["items"][0]["state"] == "bad"
    made = _call(own_city, secret, "GET", "/incidents/1/evidence/archive").json()["items"][0]
    content = base64.b64decode(made["content"])
    assert content[:2] == b"PK" and hashlib.sha256(content).hexdigest() == made["sha256"]
    assert _call(own_city, secret, "GET", "/reports/none.pdf").status_code == 404
    layer = _call(own_city, secret, "GET", "/rules/attack-layer").json()["items"][0]
    assert "techniques" in layer
    assert (
        "title:" in _call(own_city, secret, "GET", "/events/sigma?q=user.name:+x").json()["items"][0]["draft"]
    )


def test_document_is_3_1_and_complete() -> None:
    """OpenAPI 3.1; every line of the table is in it, with the problem document for errors."""
    document = openapi()
    assert document["openapi"].startswith("3.1")
    assert sum(len(methods) for methods in document["paths"].values()) == len(ENDPOINTS)
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["400"]["content"]
