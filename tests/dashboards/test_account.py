"""Second factor, sessions, tokens, users and the audit log's page."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from dashboards import totp
from dashboards.console.app import PAGES
from dashboards.tokens import Tokens
from dashboards.users import Role
from hinomi.errors import InputError, Refused
from tests.dashboards.browse import Browser, browser, token
from tests.dashboards.city import PASSWORD, City

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "wanted"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_of_rfc_6238(seconds: int, wanted: str) -> None:
    """The last six digits of the RFC's test values (appendix B, SHA-1)."""
    assert totp.code(RFC_SECRET, seconds // 30) == wanted


def _with_factor(city: City, name: str) -> tuple[str, list[str]]:
    """Set a second factor up as a person does; returns its secret and the recovery codes."""
    visitor = browser(city, name)
    page = visitor.post("/account/factor", proof=PASSWORD).text
    secret = re.search(r"secret=([A-Z2-7]+)", page)
    assert secret
    assert visitor.post("/account/factor/confirm", code="000000").status_code == 400
    page = visitor.post(
        "/account/factor/confirm", code=totp.code(secret[1], totp.step_of(city.clock.now()))
    ).text
    return secret[1], re.findall(r"<li>([a-z2-7]{16})</li>", page)


def _second(visitor: Browser, code: str) -> httpx.Response:
    return visitor.send("/sign-in/code", {"code": code})


def test_second_factor_is_asked_for_and_counts_once(own_city: City) -> None:
    """The right password alone opens nothing; a code opens once; a recovery code opens once."""
    secret, recovery = _with_factor(own_city, "k.mori")
    assert len(recovery) == 8
    own_city.clock.advance(timedelta(seconds=60))
    now = totp.code(secret, totp.step_of(own_city.clock.now()))
    visitor = browser(own_city)
    assert visitor.sign_in_first("k.mori").headers["location"] == "/sign-in/code"
    assert visitor.get("/").headers["location"].startswith("/sign-in?")
    assert _second(visitor, "000000").status_code == 401
    assert _second(visitor, now).headers["location"] == "/"
    assert visitor.get("/").status_code == 200
    again = browser(own_city)
    again.sign_in_first("k.mori")
    assert _second(again, now).status_code == 401  # used a moment ago
    assert _second(again, recovery[0]).status_code == 303
    third = browser(own_city)
    third.sign_in_first("k.mori")
    assert _second(third, recovery[0]).status_code == 401
    assert own_city.users.find("k.mori").totp not in str(own_city.users.find("k.mori"))  # type: ignore[union-attr]
    assert secret not in str(own_city.records.get("user", "k.mori"))


def test_second_step_is_limited_and_ends(own_city: City) -> None:
    """Five wrong codes and nothing more is looked at; the ticket of the first step ends after five minutes."""
    secret, _ = _with_factor(own_city, "k.mori")
    visitor = browser(own_city)
    visitor.sign_in_first("k.mori")
    assert [_second(visitor, "111111").status_code for _ in range(6)] == [401] * 5 + [429]
    own_city.clock.advance(timedelta(minutes=20))
    assert (
        _second(visitor, totp.code(secret, totp.step_of(own_city.clock.now()))).headers["location"]
        == "/sign-in"
    )


def test_required_factor_leads_to_the_account_page(own_city: City) -> None:
    """Where a second factor is required, nothing but setting one up is open without it."""
    visitor = browser(own_city, second_factor="required")
    visitor.sign_in_first("m.kato")
    assert visitor.get("/incidents/1").headers["location"] == "/account"
    assert visitor.get("/account").status_code == 200


def test_sessions_are_listed_and_ended(own_city: City) -> None:
    """One's own other browser is signed out; somebody else's session cannot be named."""
    here, there, other = browser(own_city, "m.kato"), browser(own_city, "m.kato"), browser(own_city, "k.mori")
    ids = re.findall(r'name="session" value="([0-9a-f]+)"', here.get("/account").text)
    assert len(ids) == 1
    assert other.post("/account/session", session=ids[0]).status_code == 403
    assert there.get("/").status_code == 200
    here.post("/account/session", session=ids[0])
    assert there.get("/").status_code == 303


def test_tokens_are_shown_once_and_bounded(own_city: City) -> None:
    """Only the hash is kept; a token ends; nobody ends another's; unknown scopes are refused."""
    tokens = Tokens(own_city.records, own_city.clock)
    secret = tokens.make("m.kato", "連携", ["read"], 30)
    assert secret not in str(own_city.records.find("token"))
    found = tokens.find(secret)
    assert found is not None
    assert found.scopes == ("read",)
    with pytest.raises(Refused):
        tokens.end(found.id, "k.mori")
    with pytest.raises(InputError):
        tokens.make("m.kato", "x", ["everything"], 30)
    own_city.clock.advance(timedelta(days=31))
    assert tokens.find(secret) is None
    page = (
        browser(own_city, "m.kato")
        .post("/account/token", name="連携2", scope="read", days="10", proof=PASSWORD)
        .text
    )
    assert re.search(r"hinomi_[\w-]{40,}", page)


def test_changing_the_password_ends_every_session(own_city: City) -> None:
    """The present password is asked for; afterwards the new one signs in and old sessions are gone."""
    visitor = browser(own_city, "m.kato")
    assert visitor.post("/account/password", old="wrong", new="a-new-password-77").status_code == 400
    assert visitor.post("/account/password", old=PASSWORD, new="short").status_code == 400
    visitor.post("/account/password", old=PASSWORD, new="a-new-password-77")
    assert visitor.get("/").status_code == 303
    assert browser(own_city).sign_in("m.kato", "a-new-password-77").status_code == 303


def test_administrator_keeps_people_but_not_their_own_roles(own_city: City) -> None:
    """Create, lock, new roles, new password; one's own roles are refused; each change is audited."""
    admin = browser(own_city, "s.kanri")
    page = admin.post("/admin/users", name="n.new", full_name="新人", role=Role.ANALYST.value).text
    password = re.search(r'class="mono secret">([\w-]+)<', page)
    assert password
    assert browser(own_city).sign_in("n.new", password[1]).status_code == 303
    admin.post("/admin/users/n.new", do="lock")
    assert browser(own_city).sign_in("n.new", password[1]).status_code == 401
    admin.post("/admin/users/m.kato", do="roles", role=Role.VIEWER.value, before="analyst")
    assert own_city.users.find("m.kato").roles == ["viewer"]  # type: ignore[union-attr]
    assert admin.post("/admin/users/s.kanri", do="roles", role=Role.CISO.value).status_code == 403
    assert admin.post("/admin/users/nobody", do="lock").status_code == 400
    assert admin.audited("user.roles")[0]["details"] == {"roles": ["viewer"]}


def test_audit_page_tells_nested_details_as_json(own_city: City) -> None:
    """Lists, objects, truth and nothing as they stand in the log, no Python's; a text bare; markup in any of them inert."""
    details = {"why": "点検", "roles": ["viewer", "<b>'"], "what": {"名": None}, "strong": True, "n": 3}
    own_city.desk.audit.append(actor="m.kato", action="test.nested", target="x", details=details)
    page = browser(own_city, "t.kensa").get("/audit?action=test.nested").text
    shown = unescape(page[page.index(">test.nested<") :].partition("</tr>")[0])
    for said in ("> 点検<", '> ["viewer", "<b>\'"]<', '> {"名": null}<', "> true<", "> 3<"):
        assert said in shown
    assert "<b>'" not in page


def test_audit_page_shows_newest_first_and_checks_the_chain(own_city: City) -> None:
    """The newest entry is on top, filters narrow, an entry that somebody edited is named."""
    visitor = browser(own_city, "t.kensa")
    browser(own_city, "m.kato").get("/incidents/1")
    page = visitor.get("/audit?actor=m.kato").text
    assert page.index("console.look") < page.index(">console.sign_in<")
    assert "つながりの乱れはありません" in visitor.get("/audit?verify=yes").text
    record = own_city.records.find("audit", {"action": "console.look"})[0]
    own_city.records.put("audit", record.id, {**record.body, "actor": "nobody"})
    assert "書き換えられています" in visitor.get("/audit?verify=yes").text
    assert len(visitor.audited("console.audit_look")) == 3


def test_auditor_only_reads(own_city: City) -> None:
    """An auditor sees incidents and the log, and decides nothing."""
    visitor = browser(own_city, "t.kensa")
    page = visitor.get("/incidents/1").text
    assert "data-verdict" not in page
    assert visitor.post("/incidents/1/comment", text="x").status_code == 403
    assert token(page, "csrf")


def test_a_responder_works_and_approves_nothing(own_city: City) -> None:
    """Appointed under a name of its own, it takes incidents as an analyst does; an approval is an office's."""
    own_city.users.create("r.taio", PASSWORD, [Role.RESPONDER])
    visitor = browser(own_city, "r.taio")
    assert visitor.post("/incidents/3/acknowledge").status_code == 303
    assert own_city.records.find("incident", {"number": 3})[0].body["acknowledged_by"] == "r.taio"
    assert visitor.post("/approvals/none", decision="approve").status_code == 403
    assert "対応担当" in visitor.get("/account").text
    assert visitor.get("/audit").status_code == 403


def test_everything_that_an_auditor_asks_for_is_logged(own_city: City) -> None:
    """Each page with its query, also those that write nothing of other readers, refusals of forms, and the API."""
    auditor, other = browser(own_city, "t.kensa"), browser(own_city, "m.kato")
    asked = [
        "/rules",
        "/compliance",
        "/sources",
        "/oncall",
        "/summary",
        "/reports",
        "/automation",
        "/exceptions",
    ]
    for path in asked:
        assert auditor.get(path).status_code == other.get(path).status_code == 200
    auditor.get("/search?range=all&q=user.name:+x")
    completed = "range=all&q=user.name:+t&at=12"  # as the box asks for it while somebody types: the answer holds names
    assert auditor.get(f"/search/complete?{completed}").json()["items"]
    assert [page.path for page in PAGES if page.blank] == ["/live"]
    secret = Tokens(own_city.records, own_city.clock).make("t.kensa", "試験", ("read",), 30)
    auditor.headers["authorization"] = f"Bearer {secret}"
    assert auditor.get("/api/v1/rules").status_code == 200
    found = [
        (one["actor"], one["target"], one["details"]["query"]) for one in auditor.audited("console.audited")
    ]
    assert {who for who, *_ in found} == {"t.kensa"}
    queried = {("/search", "range=all&q=user.name:+x"), ("/search/complete", completed)}
    assert {(path, "") for path in [*asked, "/api/v1/rules"]} | queried <= {one[1:] for one in found}
