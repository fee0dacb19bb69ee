"""Signing in and out. One answer for every kind of failure, so that nobody learns which accounts exist."""

import secrets
from dataclasses import asdict

import orjson
from starlette.responses import RedirectResponse, Response

from dashboards import ldap_signin, oidc, totp
from dashboards.console import second_factor
from dashboards.console.sessions import same
from dashboards.console.visit import Visit
from dashboards.users import User
from hinomi.errors import InputError, Refused

_CHECK = "hinomi_check"
_GOING = "hinomi_oidc"


def show(visit: Visit) -> Response:
    """The sign-in page."""
    if visit.user:
        return visit.to(_local(visit.asked("next", "/")))
    return _form(visit, _local(visit.asked("next", "/")))


def sign_in(visit: Visit) -> Response:
    """Check account and password; start a session under a new token."""
    onward = _local(visit.form.get("next", "/"))
    check = visit.request.cookies.get(_CHECK, "")
    if not check or not same(visit.form.get("check", ""), check):
        return _form(visit, onward, problem="signin.expired", status=400)
    name = visit.form.get("account", "").strip()[:200]
    attempts = visit.console.attempts
    if not attempts.begin(name, visit.address):
        _audit(visit, name, "refused_too_many")
        return _form(visit, onward, problem="signin.too_many", status=429, account=name)
    user = _verified(visit, name, visit.form.get("password", ""))
    if user is None:
        _audit(visit, name, "failure")
        return _form(visit, onward, problem="signin.wrong", status=401, account=name)
    if second_factor.needed(user):
        attempts.passed(name, visit.address)
        _audit(visit, user.name, "password_right")
        return second_factor.ask(visit, user, user.source, onward)
    attempts.succeeded(name, visit.address)
    return start(visit, user, onward, how=user.source)


def _verified(visit: Visit, name: str, password: str) -> User | None:
    """The local account; where there is none of this name and a directory is set up, the directory's."""
    console = visit.console
    user = console.accounts.verify(name, password)
    if user is not None or console.ldap is None:
        return user
    held = console.accounts.find(name)
    if held is not None and (held.source == "local" or held.disabled):
        return None
    person = console.ldap.verify(name, password)
    if person is None:
        return None
    return _external(visit, person, "ldap")


def _external(visit: Visit, person: ldap_signin.Person | oidc.Person, how: str) -> User:
    """The account of somebody whom a directory or provider vouches for. Raises InputError where it is somebody else's, or kept
    in another way."""
    accounts = visit.console.accounts
    held = accounts.find(person.name)
    same_way = held is not None and held.source == how
    if held is not None and same_way and held.subject and held.subject == person.formerly:
        _audit(visit, person.name, "subject_replaced", how=how, old=held.subject, new=person.subject)
    try:
        return accounts.external(
            person.name,
            person.full_name,
            person.roles,
            how,
            person.organizations,
            person.subject,
            person.formerly,
        )
    except InputError:
        outcome = "somebody_elses" if same_way else "kept_elsewhere" if held else "refused"
        _audit(visit, person.name, outcome, how=how)
        raise


def start(visit: Visit, user: User, onward: str, *, how: str, strong: bool = False) -> Response:
    """A session under a new token, and on to where the person wanted to go."""
    _audit(visit, user.name, "success", how=how, second_factor=strong)
    agent = visit.request.headers.get("user-agent", "")
    token, _ = visit.console.sessions.start(
        user.name, strong=strong, address=visit.address, agent=agent, how=how
    )
    response = visit.to(onward)
    tls = visit.console.settings.tls
    response.set_cookie(visit.console.cookie, token, httponly=True, samesite="lax", secure=tls, path="/")
    for name, path in ((_CHECK, "/"), (second_factor.COOKIE, "/sign-in"), (_GOING, "/sign-in")):
        response.delete_cookie(name, path=path, secure=tls, httponly=True, samesite="lax")
    return response


def show_code(visit: Visit) -> Response:
    """The second step."""
    if second_factor.ticket(visit) is None:
        return visit.to("/sign-in")
    return visit.page("sign_in_code.html", problem="")


def check_code(visit: Visit) -> Response:
    """Check the code of the person whose password was right. Tries are counted with those of the password."""
    held = second_factor.ticket(visit)
    user = visit.console.accounts.find(held.user) if held else None
    if held is None or user is None or user.disabled:
        return visit.to("/sign-in")
    attempts = visit.console.attempts
    if not attempts.begin(user.name, visit.address):
        _audit(visit, user.name, "refused_too_many")
        return visit.page("sign_in_code.html", problem="signin.too_many", status=429)
    if not second_factor.right(visit.console, user, visit.form.get("code", "")[:40]):
        _audit(visit, user.name, "code_wrong")
        return visit.page("sign_in_code.html", problem="signin.code_wrong", status=401)
    attempts.succeeded(user.name, visit.address)
    return start(visit, user, held.onward, how=held.how, strong=True)


def to_provider(visit: Visit) -> Response:
    """Off to the OpenID provider; what is needed on return travels sealed in a cookie."""
    provider = _provider(visit)
    address, going = provider.begin(_local(visit.asked("next", "/")), _back(provider))
    sealed = totp.Safe(visit.console.service.links.key).seal(orjson.dumps(asdict(going)).decode())
    response = RedirectResponse(address, status_code=303)
    tls = visit.console.settings.tls
    response.set_cookie(
        _GOING, sealed, httponly=True, samesite="lax", secure=tls, path="/sign-in", max_age=600
    )
    return response


def from_provider(visit: Visit) -> Response:
    """Back from the provider: state, code and ID token are checked, then the session starts."""
    provider = _provider(visit)
    opened = totp.Safe(visit.console.service.links.key).open(visit.request.cookies.get(_GOING, ""))
    if opened is None:
        return visit.to("/sign-in")
    going = oidc.Going(**orjson.loads(opened))
    if not same(visit.asked("state"), going.state) or not visit.asked("code"):
        _audit(visit, "", "oidc_refused")
        raise Refused("サインインを確かめられませんでした。", "the provider's answer does not fit")
    person = provider.finish(visit.asked("code"), going, _back(provider))
    user = _external(visit, person, "oidc")
    if user.disabled:
        _audit(visit, user.name, "disabled")
        raise Refused("このアカウントは使えません。", "this account is locked")
    if second_factor.needed(user) and not person.strong:
        return second_factor.ask(visit, user, "oidc", going.onward)
    return start(visit, user, going.onward, how="oidc", strong=person.strong)


def _provider(visit: Visit) -> oidc.Provider:
    if visit.console.oidc is None:
        raise Refused("この方法のサインインは設定されていません。", "OpenID sign-in is not set up")
    return visit.console.oidc


def _back(provider: oidc.Provider) -> str:
    return provider.settings.address.rstrip("/") + "/sign-in/oidc/back"


def sign_out(visit: Visit) -> Response:
    """End the session here and in the browser, with what its tabs hold of what was typed (W3C Clear Site Data, 3.1)."""
    if visit.session is None:
        raise Refused("サインインしていません。", "you are not signed in")
    visit.console.sessions.end(visit.session)
    _audit(visit, visit.actor, "signed_out")
    response = visit.to("/sign-in")
    response.headers["Clear-Site-Data"] = '"storage"'
    tls = visit.console.settings.tls
    response.delete_cookie(visit.console.cookie, path="/", secure=tls, httponly=True, samesite="lax")
    return response


def _form(visit: Visit, onward: str, *, problem: str = "", status: int = 200, account: str = "") -> Response:
    check = secrets.token_urlsafe(32)
    response = visit.page(
        "sign_in.html",
        status=status,
        check=check,
        onward=onward,
        problem=problem,
        account=account,
        provider=visit.console.oidc.settings.title if visit.console.oidc else "",
    )
    tls = visit.console.settings.tls
    response.set_cookie(_CHECK, check, httponly=True, samesite="lax", secure=tls, path="/", max_age=3600)
    return response


def _local(target: str) -> str:
    """A path of this console; anything that could lead elsewhere becomes the queue."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if safe and not any(ord(sign) < 32 for sign in target) else "/"


def _audit(visit: Visit, account: str, outcome: str, **more: object) -> None:
    visit.console.audit.append(
        actor=account or "anonymous",
        action="console.sign_in",
        target=visit.address,
        details={"outcome": outcome, **more},
    )
