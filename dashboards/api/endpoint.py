"""One line of the API: who may ask, what is given, what comes back; and the way from a request to its answer.

Only tokens open the API; cookies are not looked at, so no other site can use a person's session. A token gives what
its scope says and its user holds at that moment. Errors are RFC 9457 problem details.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboards.api.models import Problem
from dashboards.console.access import MAX_FORM, STATUS, WHOLE, Access, body_of, note_auditor
from dashboards.console.apart import part_of
from dashboards.console.visit import Console, Visit, Who
from dashboards.tokens import Token
from hinomi.errors import HinomiError, InputError, QueryError
from responders.desk import Desk

log = logging.getLogger("hinomi.console")
SCOPE = {Access.READ: "read", Access.AUDIT: "read", Access.WORK: "work", Access.APPROVE: "approve"}


_FACTOR = (
    "二要素認証が必要です。二要素でサインインし、トークンを作り直してください。",
    "a second factor is required; sign in with two factors and make a new token",
)
_GONE = (
    "最後のサインインから 90 日が過ぎたので、このトークンは止まっています。サインインすると、また使えます。",
    "it is over 90 days since the last sign-in, so this token is stopped; sign in to use it again",
)


class Missing(InputError):
    """There is nothing under this address."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of the address line. schema: as OpenAPI has it."""

    name: str
    about: str
    schema: dict[str, Any]


LIMIT = Parameter("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 500})
AFTER = Parameter("after", "`next` of the page before.", {"type": "string", "pattern": "^[0-9]{1,8}$"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A line of the API's table. path: below /api/v1, with `{name}` or `{name:int}` as the router takes it."""

    method: str
    path: str
    access: Access
    about: str
    handler: "Callable[[Call], BaseModel]"
    returns: type[BaseModel]
    given: type[BaseModel] | None = None
    parameters: tuple[Parameter, ...] = ()
    most: int = MAX_FORM
    """Bytes of a body; a larger one is refused."""
    desk: bool = False
    """Rules of the desk decide beyond the form of the body: what is well formed may be refused with 400."""
    apart: bool = False
    """Also for whoever sees some organisations only."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the visit of the token's user, and the body that was given."""

    visit: Visit
    body: Any = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """Where decisions are recorded."""
        return self.visit.console.service

    @property
    def who(self) -> Who:
        """Who decides, as the desk asks it: `**call.who`."""
        return self.visit.who


def serve(console: Console, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint as Starlette calls it."""

    async def answer(request: Request) -> Response:
        most = endpoint.most
        if most > MAX_FORM:
            most = await run_in_threadpool(_most, console, endpoint, request)
        raw = await body_of(request, most) if endpoint.method == "POST" else b""
        return await run_in_threadpool(_answer, console, endpoint, request, raw)

    return answer


def _most(console: Console, endpoint: Endpoint, request: Request) -> int:
    """How much of a large body is read: more than the usual only from whoever has a token."""
    try:
        return endpoint.most if _token(console, request) else MAX_FORM
    except HinomiError:  # answered in its place, when the endpoint is asked
        return MAX_FORM


def problem(status: int, ja: str, en: str) -> Response:
    """An error."""
    body = Problem(type="about:blank", title=en, title_ja=ja, status=status)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(body.model_dump_json(), status, headers, media_type="application/problem+json")


def _answer(console: Console, endpoint: Endpoint, request: Request, raw: bytes | None) -> Response:
    try:
        return _allowed(console, endpoint, request, raw)
    except HinomiError as error:
        status = 404 if isinstance(error, Missing) else _status(error)
        return problem(status, error.ja, error.en)
    except Exception:
        log.exception("api_failed", extra={"path": endpoint.path})
        return problem(500, "処理中に問題が起きました。", "something went wrong; it has been logged")


def _allowed(console: Console, endpoint: Endpoint, request: Request, raw: bytes | None) -> Response:
    """The answer to whoever may ask, a problem to everybody else. Raises what the endpoint raises."""
    token = _token(console, request)
    user = console.accounts.find(token.user) if token else None
    if token is None or user is None or user.disabled:
        return problem(401, "有効なトークンが要ります。", "a valid token is needed")
    if not console.tokens.stands(token, user):
        return problem(403, *_GONE)
    if console.settings.second_factor == "required" and not (user.totp or token.strong):
        return problem(403, *_FACTOR)
    if SCOPE[endpoint.access] not in token.scopes or not user.has(endpoint.access.value):
        _note_refusal(console, endpoint, request, user.name, "role")
        return problem(403, "このトークンでは、この操作はできません。", "this token does not allow this")
    seen = part_of(console, user, token)
    if seen.scope is not None and not endpoint.apart:
        _note_refusal(console, endpoint, request, user.name, "whole_tower")
        return problem(403, *WHOLE)
    visit = Visit(request, seen, "en", None, user, token=token)
    note_auditor(visit, endpoint.method)
    made = endpoint.handler(Call(visit, _body(endpoint, raw), _values(endpoint, request)))
    return Response(made.model_dump_json(), media_type="application/json")


def _note_refusal(console: Console, endpoint: Endpoint, request: Request, actor: str, why: str) -> None:
    """A decision that the token or its user may not make: the audit log hears of it."""
    if endpoint.method == "POST":
        console.audit.append(actor=actor, action="api.refused", target=request.url.path, details={"why": why})


def _token(console: Console, request: Request) -> Token | None:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return console.tokens.find(secret.strip()) if kind.lower() == "bearer" else None


def _status(error: HinomiError) -> int:
    if isinstance(error, QueryError):
        return 400
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)


def _body(endpoint: Endpoint, raw: bytes | None) -> Any:
    if endpoint.given is None:
        return None
    if raw is None:
        raise InputError(
            f"本文が {endpoint.most} バイトを超えています。", f"the body is over {endpoint.most} bytes"
        )
    try:
        return endpoint.given.model_validate_json(raw or b"{}")
    except (ValidationError, ValueError) as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) if isinstance(error, ValidationError) else ""
        raise InputError(f"本文が正しくありません({where})。", f"the body is not valid ({where})") from error


def _values(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """The address line's values by the schemas of the table. Raises InputError that names the value."""
    found: dict[str, Any] = {}
    known = {one.name: one.schema for one in endpoint.parameters}
    for name, text in request.query_params.multi_items():
        if name not in known:
            raise InputError(f"「{name[:60]}」は使えません。", f'"{name[:60]}" is not known')
        found[name] = _value(name, text, known[name])
    return found


def _value(name: str, text: str, schema: dict[str, Any]) -> Any:
    bad = InputError(f"{name} の値が正しくありません。", f"the value of {name} is not valid")
    if schema["type"] == "integer":
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise bad
        if not schema["minimum"] <= int(text) <= schema["maximum"]:
            raise bad
        return int(text)
    if "enum" in schema and text not in schema["enum"]:
        raise bad
    if "pattern" in schema and not re.fullmatch(schema["pattern"].strip("^$"), text, re.ASCII):
        raise bad
    if len(text) > schema.get("maxLength", 8000) or "\x00" in text:
        raise bad
    return text


def dumped(value: Any) -> Any:
    """Any value as JSON has it: times as ISO text, everything unknown as its text."""
    return orjson.loads(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
