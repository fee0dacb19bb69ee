"""Signing in and out. One answer for every kind of failure, so that nobody learns which accounts exist."""

import secrets

from starlette.responses import Response

from dashboards.console.sessions import same
from dashboards.console.visit import Visit
from hinomi.errors import Refused

_CHECK = "hinomi_check"


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
    if not attempts.allowed(name, visit.address):
        _audit(visit, name, "refused_too_many")
        return _form(visit, onward, problem="signin.too_many", status=429, account=name)
    user = visit.console.users.verify(name, visit.form.get("password", ""))
    if user is None:
        attempts.failed(name, visit.address)
        _audit(visit, name, "failure")
        return _form(visit, onward, problem="signin.wrong", status=401, account=name)
    attempts.succeeded(name, visit.address)
    _audit(visit, user.name, "success")
    token, _ = visit.console.sessions.start(user.name)
    response = visit.to(onward)
    tls = visit.console.settings.tls
    response.set_cookie(visit.console.cookie, token, httponly=True, samesite="lax", secure=tls, path="/")
    response.delete_cookie(_CHECK, path="/", secure=tls, httponly=True, samesite="lax")
    return response


def sign_out(visit: Visit) -> Response:
    """End the session here and in the browser."""
    if visit.session is None:
        raise Refused("サインインしていません。", "you are not signed in")
    visit.console.sessions.end(visit.session)
    _audit(visit, visit.actor, "signed_out")
    response = visit.to("/sign-in")
    tls = visit.console.settings.tls
    response.delete_cookie(visit.console.cookie, path="/", secure=tls, httponly=True, samesite="lax")
    return response


def _form(visit: Visit, onward: str, *, problem: str = "", status: int = 200, account: str = "") -> Response:
    check = secrets.token_urlsafe(32)
    response = visit.page(
        "sign_in.html", status=status, check=check, onward=onward, problem=problem, account=account
    )
    tls = visit.console.settings.tls
    response.set_cookie(_CHECK, check, httponly=True, samesite="lax", secure=tls, path="/", max_age=3600)
    return response


def _local(target: str) -> str:
    """A path of this console; anything that could lead elsewhere becomes the queue."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if safe and not any(ord(sign) < 32 for sign in target) else "/"


def _audit(visit: Visit, account: str, outcome: str) -> None:
    visit.console.audit.append(
        actor=account or "anonymous",
        action="console.sign_in",
        target=visit.address,
        details={"outcome": outcome},
    )
