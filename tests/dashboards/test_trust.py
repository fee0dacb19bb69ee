"""What a session, a token, a password and a broken store are worth: each by a request as a browser or a script sends it."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from dashboards import totp
from dashboards.console import second_factor
from dashboards.tokens import VOUCHED, Tokens
from dashboards.users import Role
from hinomi.errors import InputError, StoreError
from hinomi.store import Record
from hinomi.store.embedded import SqliteRecords
from tests.dashboards.browse import Browser, browser, token
from tests.dashboards.city import PASSWORD, City


def _secret(city: City, user: str, *, strong: bool = False) -> str:
    return Tokens(city.records, city.clock).make(user, "連携", ["read", "work"], 400, strong=strong)


def _asked(
    visitor: Browser, secret: str, path: str = "/api/v1/incidents", method: str = "GET"
) -> httpx.Response:
    bearer = {"Authorization": f"Bearer {secret}"}
    return Browser(visitor.app, visitor.city, headers=bearer)._ask(method, path, None)


def test_a_store_that_does_not_answer_is_said_in_the_frame_of_every_page(
    own_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is signed in, a stranger and a script read what is wrong in their language, with the headers of every answer."""
    visitor, secret = browser(own_city, "m.kato"), _secret(own_city, "m.kato")

    def away(*_: object, **__: object) -> None:
        raise StoreError("保管庫に届きません。", "the store does not answer")

    for name in ("get", "find", "count"):
        monkeypatch.setattr(SqliteRecords, name, away)
    page = visitor.get("/")
    assert page.status_code == 503 and "保管庫に届きません。" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert visitor.send("/incidents/1/comment", {"text": "x"}).status_code == 503
    answer = _asked(visitor, secret)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "the store does not answer"


def test_a_wrong_method_is_a_problem_that_names_the_right_one(own_city: City) -> None:
    """405 with what the address takes; an unknown address is 404 for every method."""
    visitor, secret = browser(own_city), _secret(own_city, "m.kato")
    refused = _asked(visitor, secret, method="DELETE")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert refused.headers["content-type"] == "application/problem+json"
    for method in ("GET", "POST", "PUT"):
        unknown = _asked(visitor, secret, "/api/v1/nothing", method)
        assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")


def test_whoever_lacks_a_required_factor_gets_no_token_and_uses_none(own_city: City) -> None:
    """With the password alone there is a way to the factor only; a token from before opens nothing, one of a person who has
    the factor, or who came by two factors of a provider, does."""
    visitor = browser(own_city, "m.kato", second_factor="required")
    visitor.csrf = token(visitor.get("/account").text, "csrf")
    before = _secret(own_city, "m.kato")
    made = visitor.post("/account/token", name="x", scope="read", days="9", proof=PASSWORD)
    assert (made.status_code, made.headers["location"]) == (303, "/account")
    assert _asked(visitor, before).status_code == 403
    assert _asked(visitor, _secret(own_city, "m.kato", strong=True)).status_code == 200
    assert visitor.get("/account").status_code == 200
    own_city.users.change("m.kato", {"totp": "sealed"})
    assert _asked(visitor, before).status_code == 200


def test_a_factor_or_token_takes_the_password_or_the_code_anew(own_city: City) -> None:
    """A browser left open changes neither: the password is asked for, and once there is a factor its code; five wrong ones
    and nothing more is looked at."""
    visitor = browser(own_city, "m.kato")
    for path, form in (
        ("/account/factor", {}),
        ("/account/token", {"name": "x", "scope": "read", "days": "9"}),
    ):
        assert visitor.post(path, **form).status_code == 400
        assert visitor.post(path, **form, proof="wrong").status_code == 400
    assert Tokens(own_city.records, own_city.clock).of("m.kato") == []
    assert visitor.post("/account/token", name="x", scope="read", days="9", proof=PASSWORD).status_code == 200
    own_city.clock.advance(timedelta(minutes=16))
    secret = totp.new_secret()
    own_city.users.change("m.kato", {"totp": totp.Safe(own_city.desk.links.key).seal(secret)})
    code = totp.code(secret, totp.step_of(own_city.clock.now()))
    assert visitor.post("/account/factor", proof=PASSWORD).status_code == 400
    assert visitor.post("/account/factor", proof=code).status_code == 200
    told = [visitor.post("/account/factor", proof="000000").text for _ in range(5)]
    assert "15分" in told[-1]


def test_tokens_of_whoever_left_the_directory_end(own_city: City) -> None:
    """An account kept elsewhere is renewed by signing in alone; ninety days after the last time its tokens open nothing."""
    own_city.users.external("d.rei", "例 太郎", [Role.ANALYST], "ldap", subject="s1")
    visitor, secret = browser(own_city), _secret(own_city, "d.rei")
    local = _secret(own_city, "m.kato")
    own_city.clock.advance(VOUCHED - timedelta(days=1))
    assert _asked(visitor, secret).status_code == 200
    own_city.clock.advance(timedelta(days=2))
    assert [_asked(visitor, one).status_code for one in (secret, local)] == [403, 200]
    own_city.users.external("d.rei", "例 太郎", [Role.ANALYST], "ldap", subject="s1")
    assert _asked(visitor, secret).status_code == 200


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "123456789012", "qwertyuiop123", "iloveyou1234", "m.kato.m.kato", "aaaaaaaaaaaa"],
)
def test_passwords_that_are_guessed_soon_are_refused(own_city: City, password: str) -> None:
    """Common ones, keyboard rows, repetitions and the account's own name, whoever sets them."""
    with pytest.raises(InputError, match="推測"):
        own_city.users.set_password("m.kato", password)
    visitor = browser(own_city, "m.kato")
    refused = visitor.post("/account/password", old=PASSWORD, new=password)
    assert refused.status_code == 400 and "推測されやすい" in refused.text
    assert own_city.users.verify("m.kato", PASSWORD) is not None


def test_a_password_that_an_administrator_chose_opens_one_page(own_city: City) -> None:
    """Who knows it could sign in as the approver: it is good for choosing one's own, and then all pages open."""
    admin = browser(own_city, "s.kanri")
    given = (
        admin.post("/admin/users/k.mori", do="password").text.split('class="mono secret">')[1].split("<")[0]
    )
    person = browser(own_city)
    assert person.sign_in("k.mori", given).status_code == 303
    for path in ("/", "/incidents/1", "/search"):
        assert person.get(path).headers["location"] == "/account"
    assert person.post("/approvals/x", decision="approve").headers["location"] == "/account"
    assert "管理者が決めた" in person.get("/account").text
    person.csrf = token(person.get("/account").text, "csrf")
    assert person.post("/account/password", old=given, new=given).status_code == 400
    person.post("/account/password", old=given, new="yuugata-no-kane-77")
    again = browser(own_city)
    again.sign_in("k.mori", "yuugata-no-kane-77")
    assert again.get("/").status_code == 200


def test_a_token_that_is_ended_in_that_moment_stays_ended(
    own_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting its use brings no token back to life."""
    tokens = Tokens(own_city.records, own_city.clock)
    secret, get = tokens.make("m.kato", "連携", ["read"], 9), SqliteRecords.get

    def and_ended(records: SqliteRecords, kind: str, identity: str) -> Record | None:
        held = get(records, kind, identity)
        records.delete(kind, identity)
        return held

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SqliteRecords, "get", and_ended)
        tokens.find(secret)
    assert tokens.find(secret) is None


def test_a_code_that_another_browser_used_in_that_moment_counts_once(own_city: City) -> None:
    """What the account holds when the code is used up decides, not what a request had read before."""
    recovery = "abcdefghijklmnop"
    own_city.users.change(
        "m.kato",
        {
            "totp": totp.Safe(own_city.desk.links.key).seal(totp.new_secret()),
            "recovery": [totp.hashed(recovery)],
        },
    )
    user = own_city.users.find("m.kato")
    assert user is not None
    console: Any = SimpleNamespace(records=own_city.records, service=own_city.desk, clock=own_city.clock)
    assert second_factor.right(console, user, recovery)
    assert not second_factor.right(console, user, recovery)
    after = own_city.users.find("m.kato")
    assert after is not None and after.recovery == []
