"""Signing in: no hint who exists, limits, sessions that end, cookies that stay here."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from dashboards.console.attempts import KIND, PAIR, Attempts
from dashboards.users import Role
from hinomi.errors import Conflict, InputError
from tests.dashboards.browse import browser, token
from tests.dashboards.city import PASSWORD, City


def test_wrong_name_and_wrong_password_look_alike(own_city: City) -> None:
    """Status, text and cookies do not tell whether the account exists."""
    visitor = browser(own_city)
    known = visitor.sign_in("m.kato", "not the password")
    unknown = visitor.sign_in("nobody.here", "not the password")
    assert known.status_code == unknown.status_code == 401
    cleaned = [
        answer.text.replace(token(answer.text, "check"), "").replace(name, "")
        for answer, name in ((known, "m.kato"), (unknown, "nobody.here"))
    ]
    assert cleaned[0] == cleaned[1]


def test_unknown_account_costs_a_hash_too(own_city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is hashed once whether or not the account exists, so the time does not tell either."""
    tried: list[str] = []
    right = type(own_city.users.hasher).verify

    def counted(hasher: object, known: str, password: str) -> bool:
        tried.append(known.split("$")[3])
        return right(hasher, known, password)  # type: ignore[arg-type]

    monkeypatch.setattr(type(own_city.users.hasher), "verify", counted)
    own_city.users.verify("m.kato", "wrong")
    own_city.users.verify("nobody", "wrong")
    own_city.users.verify("../../etc\x00", "wrong")
    assert len(tried) == 3
    assert len(set(tried)) == 1  # the same cost


def test_five_failures_then_wait(own_city: City) -> None:
    """The sixth try is refused without looking at the password, and allowed again after 15 minutes."""
    visitor = browser(own_city)
    for _ in range(5):
        assert visitor.sign_in("m.kato", "wrong").status_code == 401
    assert visitor.sign_in("m.kato").status_code == 429
    assert visitor.sign_in("k.mori").status_code == 303
    visitor.cookies = httpx.Cookies()
    own_city.clock.advance(timedelta(minutes=16))
    assert visitor.sign_in("m.kato").status_code == 303


def test_limits_hold_over_processes_and_restarts(own_city: City) -> None:
    """Tries at one console count at another and after a restart; what was typed as a name is not in the records."""
    for process in range(5):
        assert browser(own_city).sign_in("m.kato", f"wrong {process}").status_code == 401
    assert browser(own_city).sign_in("m.kato").status_code == 429
    browser(own_city).sign_in("my-secret-slip", "x")
    assert "my-secret-slip" not in str([r.body for r in own_city.records.find(KIND)])


def test_many_tries_in_one_moment_do_not_slip_through(own_city: City) -> None:
    """Of forty tries at once from two processes five are made; those who get in are not held back by others who did."""
    two = (Attempts(own_city.records, own_city.clock), Attempts(own_city.records, own_city.clock))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: two[n % 2].begin("m.kato", "192.0.2.1"), range(40)))
    assert made.count(True) == PAIR
    for n in range(40):
        assert two[0].begin(f"person{n}", "192.0.2.2")
        two[1].succeeded(f"person{n}", "192.0.2.2")


def test_sign_in_is_audited(own_city: City) -> None:
    """Failure and success are in the audit log with the address; the password is not."""
    visitor = browser(own_city)
    visitor.sign_in("m.kato", "my-secret-slip")
    visitor.sign_in("m.kato")
    said = visitor.audited("console.sign_in")
    assert [entry["details"]["outcome"] for entry in said] == ["failure", "success"]
    assert "my-secret-slip" not in str(own_city.records.find("audit"))


def test_cookie_and_stored_session(own_city: City) -> None:
    """The cookie is HttpOnly and SameSite; the store holds a hash, not the token."""
    visitor = browser(own_city)
    answer = visitor.sign_in("m.kato")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    value = visitor.cookies["hinomi_session"]
    assert len(value) >= 43
    assert value not in str([record.body for record in own_city.records.find("session")])
    assert own_city.records.get("session", value) is None


def test_secure_cookie_and_hsts_with_tls(own_city: City, tmp_path: Path) -> None:
    """With TLS the cookie is Secure under the __Host- name, and HSTS is sent."""
    pem = tmp_path / "x.pem"
    visitor = browser(own_city, tls_certificate=pem, tls_key=pem)
    visitor.base = "https://testserver"
    answer = visitor.sign_in("m.kato")
    assert answer.headers["set-cookie"].startswith("__Host-hinomi=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_session_ends_idle_and_in_any_case(own_city: City) -> None:
    """31 idle minutes end a session; steady use ends it after 12 hours."""
    visitor = browser(own_city, "m.kato")
    own_city.clock.advance(timedelta(minutes=31))
    assert visitor.get("/").status_code == 303
    visitor = browser(own_city, "m.kato")
    for _ in range(35):
        own_city.clock.advance(timedelta(minutes=20))
        assert visitor.get("/").status_code == 200
    own_city.clock.advance(timedelta(minutes=25))
    assert visitor.get("/").status_code == 303


def test_sign_out_ends_it_on_the_server(own_city: City) -> None:
    """After signing out the old cookie is worth nothing, and the browser forgets what its tabs hold."""
    visitor = browser(own_city, "m.kato")
    value = visitor.cookies["hinomi_session"]
    out = visitor.post("/sign-out")
    assert (out.status_code, out.headers["clear-site-data"]) == (303, '"storage"')
    visitor.cookies.set("hinomi_session", value, domain="testserver")
    assert visitor.get("/").status_code == 303


def test_new_password_lock_and_roles_take_effect(own_city: City) -> None:
    """A new password and a lock end sessions; a role that is taken away counts from the next request."""
    visitor = browser(own_city, "m.kato")
    own_city.users.set_roles("m.kato", [Role.VIEWER])
    assert visitor.post("/incidents/1/acknowledge").status_code == 403
    own_city.users.set_password("m.kato", "another-long-password")
    assert visitor.get("/").status_code == 303
    assert visitor.sign_in("m.kato").status_code == 401
    own_city.users.set_disabled("m.kato", True)
    assert visitor.sign_in("m.kato", "another-long-password").status_code == 401


@pytest.mark.parametrize(
    "target", ["//evil.example.jp/", "https://evil.example.jp/", "/\\evil", "\\\\x", "x"]
)
def test_sign_in_leads_nowhere_else(own_city: City, target: str) -> None:
    """`next` can only lead to a page of this console."""
    assert browser(own_city).sign_in("m.kato", onward=target).headers["location"] == "/"


def test_sign_in_form_needs_its_cookie(own_city: City) -> None:
    """A sign-in form that another site made is refused (login CSRF)."""
    visitor = browser(own_city)
    form = {"account": "m.kato", "password": PASSWORD, "check": "made-up"}
    assert visitor.send("/sign-in", form).status_code == 400


@pytest.mark.parametrize(
    ("name", "password", "roles"),
    [
        ("UPPER SPACE", PASSWORD, [Role.VIEWER]),
        ("../x", PASSWORD, [Role.VIEWER]),
        ("short", "short", [Role.VIEWER]),
        ("my.own.name.here", "my.own.name.here", [Role.VIEWER]),
        ("role", PASSWORD, ["king"]),
    ],
)
def test_bad_users_are_refused_in_words(own_city: City, name: str, password: str, roles: list[str]) -> None:
    """Bad names, passwords and roles are InputErrors; nothing is stored."""
    before = own_city.records.count("user")
    with pytest.raises(InputError):
        own_city.users.create(name, password, roles)
    assert own_city.records.count("user") == before


def test_user_exists_once(own_city: City) -> None:
    """A second account of the same name, in any case of letters, is a conflict."""
    with pytest.raises(Conflict):
        own_city.users.create("M.Kato", PASSWORD, [Role.ADMIN])
