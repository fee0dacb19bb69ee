"""Every route as every role: the table below is what the console promises."""

import pytest

from dashboards.console import live
from dashboards.console.access import Access, Page
from dashboards.console.app import PAGES
from tests.dashboards.browse import browser
from tests.dashboards.city import PEOPLE, City

EVERYONE = frozenset(PEOPLE)
WORKERS = frozenset({"m.kato", "k.mori", "y.ota"})
APPROVERS = frozenset({"k.mori", "y.ota"})
ADMINS = frozenset({"s.kanri"})
AUDITORS = frozenset({"s.kanri", "y.ota", "t.kensa"})
ALLOWED = {
    "GET /": EVERYONE,
    "POST /sign-out": EVERYONE,
    "GET /help/keys": EVERYONE,
    "GET /live": EVERYONE,
    "POST /bulk": WORKERS,
    "POST /views": EVERYONE,
    "POST /views/{view}/remove": EVERYONE,
    "POST /reveal": WORKERS,
    "GET /incidents/open": WORKERS,
    "POST /incidents/open": WORKERS,
    "GET /reported/{report}": WORKERS,
    "GET /incidents/{number:int}": EVERYONE,
    "GET /incidents/{number:int}/evidence.zip": WORKERS,
    "POST /incidents/{number:int}/acknowledge": WORKERS,
    "POST /incidents/{number:int}/assign": WORKERS,
    "POST /incidents/{number:int}/comment": WORKERS,
    "POST /incidents/{number:int}/close": WORKERS,
    "POST /incidents/{number:int}/reopen": WORKERS,
    "POST /incidents/{number:int}/grade": WORKERS,
    "POST /incidents/{number:int}/tasks": WORKERS,
    "POST /incidents/{number:int}/tasks/{task}": WORKERS,
    "POST /incidents/{number:int}/merge": WORKERS,
    "POST /incidents/{number:int}/split": WORKERS,
    "POST /incidents/{number:int}/told": WORKERS,
    "POST /incidents/{number:int}/start": WORKERS,
    "POST /incidents/{number:int}/exceptions": WORKERS,
    "GET /exceptions": EVERYONE,
    "POST /exceptions/{exception}/review": APPROVERS,
    "POST /exceptions/{exception}/end": WORKERS,
    "POST /incidents/{number:int}/evidence": WORKERS,
    "POST /incidents/{number:int}/evidence/seal": WORKERS,
    "POST /incidents/{number:int}/evidence/{piece}/hand": WORKERS,
    "POST /incidents/{number:int}/evidence/{piece}/read": WORKERS,
    "GET /incidents/{number:int}/duties/{duty}": WORKERS,
    "GET /incidents/{number:int}/duties/{duty}/file/{kind}": WORKERS,
    "POST /incidents/{number:int}/duties/{duty}/start": WORKERS,
    "POST /incidents/{number:int}/duties/{duty}/decline": APPROVERS,
    "POST /incidents/{number:int}/duties/{duty}/draft": WORKERS,
    "POST /incidents/{number:int}/duties/{duty}/edit": WORKERS,
    "POST /incidents/{number:int}/duties/{duty}/approve": APPROVERS,
    "POST /incidents/{number:int}/duties/{duty}/sent": WORKERS,
    "GET /oncall": EVERYONE,
    "GET /oncall/contacts.pdf": WORKERS,
    "POST /oncall/stand-in": WORKERS,
    "POST /oncall/stand-in/{override}/drop": WORKERS,
    "POST /oncall/note": WORKERS,
    "GET /automation": EVERYONE,
    "POST /automation/stop": WORKERS,
    "POST /automation/resume": APPROVERS,
    "POST /automation/delegate": APPROVERS,
    "POST /automation/delegations/{delegation}/end": APPROVERS,
    "GET /exercises": EVERYONE,
    "POST /exercises": WORKERS,
    "GET /permits": EVERYONE,
    "POST /permits": APPROVERS,
    "POST /permits/{permit}/end": APPROVERS,
    "POST /runs/{run}/extend/{index:int}": APPROVERS,
    "POST /runs/{run}/undo": APPROVERS,
    "POST /runs/{run}/tasks/{index:int}": WORKERS,
    "POST /runs/{run}/first/{index:int}": WORKERS,
    "POST /approvals/{approval}": APPROVERS,
    "GET /account": EVERYONE,
    "POST /account/factor": EVERYONE,
    "POST /account/factor/confirm": EVERYONE,
    "POST /account/session": EVERYONE,
    "POST /account/token": EVERYONE,
    "POST /account/token/end": EVERYONE,
    "POST /account/keys": EVERYONE,
    "POST /account/password": EVERYONE,
    "GET /admin/users": ADMINS,
    "POST /admin/users": ADMINS,
    "POST /admin/users/{name}": ADMINS,
    "GET /audit": AUDITORS,
    "GET /search": EVERYONE,
    "GET /search/complete": EVERYONE,
    "GET /search/around": EVERYONE,
    "GET /search/sigma": WORKERS,
    "GET /search/export.csv": WORKERS,
    "GET /search/export.ndjson": WORKERS,
    "GET /boards": EVERYONE,
    "GET /compliance": EVERYONE,
    "POST /compliance/{control}": APPROVERS,
    "GET /rules": EVERYONE,
    "GET /rules/attack-layer.json": EVERYONE,
    "POST /rules/try": WORKERS,
    "GET /rules/{rule}": EVERYONE,
    "GET /summary": EVERYONE,
    "GET /sources": EVERYONE,
    "POST /sources/replay": WORKERS,
    "GET /reports": EVERYONE,
    "GET /reports/{name}": EVERYONE,
}
OPEN = {
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/code",
    "POST /sign-in/code",
    "GET /sign-in/oidc",
    "GET /sign-in/oidc/back",
    "GET /a/{token}",
    "POST /a/{token}",
    "GET /calendar/{token}",
    "GET /healthz",
}
OWN_THINGS = {"POST /account/session", "POST /account/token/end", "POST /views/{view}/remove"}
"""Open to everybody, but only for what is their own: asked for somebody else's, they refuse with 403."""


@pytest.fixture(autouse=True)
def _streams_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of live updates ends at once."""
    monkeypatch.setattr(live, "LONGEST", 0.0)


def _address(page: Page) -> str:
    filled = (
        page.path.replace("{number:int}", "1")
        .replace("{approval}", "none")
        .replace("{run}", "none")
        .replace("{index:int}", "1")
        .replace("{view}", "none")
        .replace("{name}", "none.pdf")
    )
    filled = filled.replace("{duty}", "MIC").replace("{kind}", "pdf")
    for name in ("task", "piece", "override", "delegation"):
        filled = filled.replace("{" + name + "}", "none")
    return filled.replace("{token}", "made-up")


def _key(page: Page) -> str:
    return f"{page.method} {page.path}"


GUARDED = [page for page in PAGES if _key(page) not in OPEN]


def test_table_is_complete() -> None:
    """No route exists that the table does not know, and what is open is known to be open."""
    assert {_key(page) for page in PAGES} == set(ALLOWED) | OPEN
    assert {_key(page) for page in PAGES if page.access is Access.OPEN} == OPEN


@pytest.mark.parametrize("page", GUARDED, ids=_key)
def test_anonymous_gets_nothing(city: City, page: Page) -> None:
    """Without a session a page leads to the sign-in and a form is refused."""
    visitor = browser(city)
    if page.method == "GET":
        answer = visitor.get(_address(page))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
    else:
        assert visitor.post(_address(page)).status_code == 401


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_each_role_sees_what_the_table_says(city: City, name: str) -> None:
    """Whoever is not in the table's line is refused with 403, whoever is in it is not."""
    visitor = browser(city, name)
    for page in GUARDED:
        if page.path == "/sign-out":
            continue  # ends the session; tested on its own
        answer = visitor.get(_address(page)) if page.method == "GET" else visitor.post(_address(page))
        if _key(page) in OWN_THINGS:
            continue  # tested on its own: what is not one's own is refused
        allowed = name in ALLOWED[_key(page)]
        assert (answer.status_code != 403) == allowed, (name, _key(page), answer.status_code)
        assert answer.status_code < 500


@pytest.mark.parametrize("page", [page for page in GUARDED if page.method == "POST"], ids=_key)
def test_forms_need_their_token(city: City, page: Page) -> None:
    """A form without, or with another session's token is refused, also for those who may act."""
    visitor = browser(city, "k.mori")
    visitor.csrf = browser(city, "k.mori").csrf
    assert visitor.post(_address(page), text="x", assignee="m.kato").status_code == 403
    visitor.csrf = ""
    assert visitor.post(_address(page)).status_code == 403


def test_other_sites_are_refused(city: City) -> None:
    """A browser that says the form came from another site is not believed, token or not."""
    visitor = browser(city, "m.kato")
    visitor.headers["sec-fetch-site"] = "cross-site"
    assert visitor.post("/incidents/1/comment", text="x").status_code == 403


def test_unknown_address_and_method(city: City) -> None:
    """An unknown page is a 404 page in the console's own words; a wrong method is a 405."""
    visitor = browser(city, "m.kato")
    answer = visitor.get("/no-such-page")
    assert answer.status_code == 404
    assert "ページが見つかりません" in answer.text
    assert visitor.get("/incidents/1/acknowledge").status_code == 405
    assert visitor.get("/incidents/999").status_code == 400
    assert "この番号のインシデントはありません" in visitor.get("/incidents/999").text


@pytest.mark.parametrize("path", ["/", "/sign-in", "/incidents/1", "/healthz", "/no", "/static/console.css"])
def test_security_headers_everywhere(city: City, path: str) -> None:
    """Every answer carries the strict policy; HSTS only where the console speaks TLS."""
    answer = browser(city, "m.kato").get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in answer.headers


def test_large_form_is_refused(city: City) -> None:
    """A form beyond 64 KiB is turned away before it is read into fields."""
    visitor = browser(city, "m.kato")
    answer = visitor.post("/incidents/1/comment", text="x" * 100_000)
    assert answer.status_code == 400
