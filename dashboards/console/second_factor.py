"""The second step of signing in: a code of the authenticator app, or a recovery code.

Between the steps the browser holds a sealed ticket that says whose password was right, for five minutes.
"""

from dataclasses import dataclass
from datetime import timedelta

import orjson
from starlette.responses import Response

from dashboards import totp
from dashboards.console.visit import Console, Visit
from dashboards.users import KIND, User
from hinomi.errors import Conflict, InputError

COOKIE = "hinomi_second"
_LASTS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whose password was right, how they came, and where they want to go."""

    user: str
    how: str
    onward: str


def needed(user: User) -> bool:
    """Whether the person has a second factor."""
    return bool(user.totp)


def ask(visit: Visit, user: User, how: str, onward: str) -> Response:
    """Send the browser to the second step with its ticket."""
    until = (visit.console.clock.now() + _LASTS).timestamp()
    sealed = _safe(visit.console).seal(orjson.dumps([user.name, how, onward, until]).decode())
    response = visit.to("/sign-in/code")
    tls = visit.console.settings.tls
    response.set_cookie(
        COOKIE, sealed, httponly=True, samesite="lax", secure=tls, path="/sign-in", max_age=300
    )
    return response


def ticket(visit: Visit) -> Ticket | None:
    """The ticket of this browser while it counts."""
    opened = _safe(visit.console).open(visit.request.cookies.get(COOKIE, ""))
    if opened is None:
        return None
    user, how, onward, until = orjson.loads(opened)
    return Ticket(user, how, onward) if visit.console.clock.now().timestamp() < until else None


def right(console: Console, user: User, given: str) -> bool:
    """Whether the code is right and was not used before; uses it up."""
    record = console.records.get(KIND, user.name)
    if record is None or not user.totp:
        return False
    changes = _used(console, record.read_as(User), given)
    if changes is None:
        return False
    try:
        console.records.put(KIND, record.id, {**record.body, **changes}, expect=record.version)
    except Conflict:
        return False  # the same code at the same moment elsewhere
    return True


def prove(visit: Visit) -> None:
    """Before a factor is replaced or a token made, the person shows once more who they are: by a code of the factor that they
    have, else by their password. Raises InputError; tries are counted with those of signing in. Facts: OWASP ASVS 5.0, 7.5.1.

    An account that is kept elsewhere and has no factor here has nothing that could be asked."""
    user = visit.user
    assert user is not None
    if not needed(user) and user.source != "local":
        return
    attempts, given = visit.console.attempts, visit.form.get("proof", "")
    if not attempts.begin(user.name, visit.address):
        raise InputError(visit.texts("signin.too_many"), "too many tries; wait a quarter of an hour")
    proved = right(visit.console, user, given[:40]) if needed(user) else _is_password(visit, user, given)
    if not proved:
        visit.console.audit.append(
            actor=user.name, action="account.not_proved", target=visit.request.url.path, details={}
        )
        raise InputError(
            "確認コードが違います。" if needed(user) else "今のパスワードが違います。",
            "the code is not right" if needed(user) else "the present password is wrong",
        )
    attempts.passed(user.name, visit.address)


def _is_password(visit: Visit, user: User, given: str) -> bool:
    return visit.console.accounts.verify(user.name, given) is not None


def _used(console: Console, user: User, given: str) -> dict[str, object] | None:
    secret = _safe(console).open(user.totp)
    step = totp.matching_step(secret, given, console.clock.now(), user.totp_last) if secret else None
    if step is not None:
        return {"totp_last": step}
    held = totp.hashed(given)
    if held in user.recovery:
        return {"recovery": [one for one in user.recovery if one != held]}
    return None


def begin(visit: Visit) -> str:
    """A new secret for the signed-in person, kept sealed and not yet in force."""
    secret = totp.new_secret()
    visit.console.accounts.change(visit.actor, {"totp_new": _safe(visit.console).seal(secret)})
    return secret


def confirm(visit: Visit, given: str) -> list[str]:
    """Put the new secret in force once a code of it is right; returns the recovery codes, shown once."""
    user = visit.console.accounts.find(visit.actor)
    secret = _safe(visit.console).open(user.totp_new) if user and user.totp_new else None
    step = totp.matching_step(secret, given, visit.console.clock.now(), 0) if secret else None
    if secret is None or step is None:
        raise InputError(
            "確認コードが違います。時計が合っているか確かめてください。", "the code is not right"
        )
    codes = totp.recovery_codes()
    visit.console.accounts.change(
        visit.actor,
        {
            "totp": _safe(visit.console).seal(secret),
            "totp_new": "",
            "totp_last": step,
            "recovery": [totp.hashed(one) for one in codes],
        },
    )
    return codes


def _safe(console: Console) -> totp.Safe:
    return totp.Safe(console.service.links.key)
