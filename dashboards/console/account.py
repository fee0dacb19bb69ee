"""One's own account: second factor, sessions, API tokens, password."""

from typing import Any

from starlette.responses import Response

from dashboards import totp
from dashboards.console import second_factor
from dashboards.console.visit import Visit
from dashboards.tokens import SCOPES
from dashboards.users import ROLE_NAMES, Role
from hinomi.errors import InputError, Refused


def show(visit: Visit) -> Response:
    """The page."""
    return _page(visit)


def _page(visit: Visit, **told: Any) -> Response:
    console = visit.console
    assert visit.user is not None
    roles = [ROLE_NAMES[Role(role)].of(visit.language) for role in visit.user.roles if role in set(Role)]
    standing: dict[str, Any] = {"secret": "", "address": "", "codes": (), "token": ""}
    return visit.page(
        "account.html",
        sessions=console.sessions.of(visit.actor),
        this_session=visit.session.id if visit.session else "",
        tokens=console.tokens.of(visit.actor),
        scopes=SCOPES,
        role_names=roles,
        has_factor=second_factor.needed(visit.user),
        must_have_factor=console.settings.second_factor == "required",
        **(standing | told),
    )


def begin_factor(visit: Visit) -> Response:
    """Show a new secret for the authenticator app, to who has shown who they are."""
    second_factor.prove(visit)
    secret = second_factor.begin(visit)
    issuer = f"Hinomi {visit.console.settings.organization}".strip()
    return _page(visit, secret=secret, address=totp.address(secret, visit.actor, issuer))


def confirm_factor(visit: Visit) -> Response:
    """Put it in force; show the recovery codes once."""
    codes = second_factor.confirm(visit, visit.form.get("code", ""))
    _audit(visit, "account.second_factor", visit.actor)
    return _page(visit, codes=codes)


def end_session(visit: Visit) -> Response:
    """Sign another of one's own browsers out."""
    identity = visit.form.get("session", "")
    sessions = visit.console.sessions
    if identity not in {one["id"] for one in sessions.of(visit.actor)}:
        raise Refused("このサインインはありません。", "there is no such session")
    _audit(visit, "account.session_end", identity[:12])
    sessions.end_of(visit.actor, identity)
    return visit.to("/account", done="session_ended")


def make_token(visit: Visit) -> Response:
    """A new API token, shown once, to who has shown who they are."""
    second_factor.prove(visit)
    days = visit.form.get("days", "")
    scopes = visit.many.get("scope", [])
    name = visit.form.get("name", "")
    number = int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0
    chosen = visit.many.get("organization", [])
    scope = visit.console.scope
    if not set(chosen) <= (visit.console.organizations.names.keys() if scope is None else scope):
        raise InputError("見える組織から選んでください。", "choose among the organisations that you see")
    strong = visit.session is not None and visit.session.strong
    secret = visit.console.tokens.make(visit.actor, name, scopes, number, organizations=chosen, strong=strong)
    _audit(visit, "account.token_make", name)
    return _page(visit, token=secret)


def end_token(visit: Visit) -> Response:
    """End one of one's own tokens."""
    visit.console.tokens.end(visit.form.get("token", ""), visit.actor)
    _audit(visit, "account.token_end", visit.form.get("token", "")[:12])
    return visit.to("/account", done="token_ended")


def set_keys(visit: Visit) -> Response:
    """Single keys of letters and signs do something on the pages, or nothing (WCAG 2.2, 2.1.4)."""
    on = visit.form.get("keys", "") == "on"
    visit.console.accounts.change(visit.actor, {"keys": on})
    return visit.to("/help/keys", done="keys_on" if on else "keys_off")


def set_password(visit: Visit) -> Response:
    """A new password; every session ends, also this one."""
    assert visit.user is not None
    if visit.user.source != "local":
        raise Refused(
            "このアカウントのパスワードは、ここでは変えられません。", "this password is kept elsewhere"
        )
    attempts = visit.console.attempts
    if not attempts.begin(visit.actor, visit.address):
        raise InputError(visit.texts("signin.too_many"), "too many tries; wait a quarter of an hour")
    if visit.console.accounts.verify(visit.actor, visit.form.get("old", "")) is None:
        raise InputError("今のパスワードが違います。", "the present password is wrong")
    attempts.passed(visit.actor, visit.address)
    if visit.form.get("new") == visit.form.get("old"):
        raise InputError("今のパスワードと違うものにしてください。", "choose another than the present one")
    _audit(visit, "account.password", visit.actor)
    visit.console.accounts.set_password(visit.actor, visit.form.get("new", ""))
    return visit.to("/sign-in")


def _audit(visit: Visit, action: str, target: str) -> None:
    visit.console.audit.append(actor=visit.actor, action=action, target=target, details={})
