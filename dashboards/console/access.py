"""Who may open which page: checked here, once, before a page's own code runs.

A page is a plain function `Visit → Response`; it runs in a worker thread because stores block.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.console import uploads
from dashboards.console.apart import part_of
from dashboards.console.sessions import Session, same
from dashboards.console.visit import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Console, Visit
from dashboards.users import ADMINS, APPROVERS, AUDITORS, WORKERS, Role, User
from hinomi.errors import Conflict, DependencyDown, HinomiError, InputError, Refused, StoreError
from hinomi.words import Language

log = logging.getLogger("hinomi.console")
Handler = Callable[[Visit], Response]
MAX_FORM = 64 * 1024
STATUS: tuple[tuple[type[HinomiError], int], ...] = (
    (Refused, 403),
    (Conflict, 409),
    (InputError, 400),
    (DependencyDown, 503),
    (StoreError, 503),
)


_WITHOUT_FACTOR = frozenset(
    {
        *("/account", "/account/factor", "/account/factor/confirm", "/account/session", "/account/password"),
        *("/sign-out", "/help/keys"),
    }
)
"""What somebody may do who must have a second factor and has none yet: get one. A token is none of it."""


class Access(Enum):
    """Who may ask for a page. OPEN needs no sign-in; the others name the roles that suffice."""

    OPEN = frozenset[Role]()
    READ = frozenset(Role)
    WORK = frozenset(WORKERS)
    APPROVE = frozenset(APPROVERS)
    ADMIN = frozenset(ADMINS)
    AUDIT = frozenset(AUDITORS)


WHOLE = (
    "この画面・操作は塔全体のものです。見える組織が限られた利用者は使えません。",
    "this is the whole tower's; your account sees some organisations only",
)


class BadForm(InputError):
    """A form that this console did not make."""


@dataclass(frozen=True, slots=True)
class Page:
    """A line of the route table."""

    method: str
    path: str
    handler: Handler
    access: Access
    quiet: bool = False
    """Asked for by the page itself, not by a person: does not keep an idle session alive."""
    blank: bool = False
    """Says only that something changed, nothing of what is kept: no look of an auditor's."""
    most: int = MAX_FORM
    """Bytes of a form; a larger one is refused."""
    file: bool = False
    """The form may carry a file."""
    apart: bool = False
    """Also for whoever sees some organisations only. What is the whole tower's is not; nor is what nobody has thought of."""


def endpoint(console: Console, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The page as Starlette calls it: read the form, know the person, check, answer."""

    async def serve(request: Request) -> Response:
        most = page.most
        if most > MAX_FORM:
            most = await run_in_threadpool(_most, console, page, request)
        raw = await body_of(request, most) if page.method == "POST" else b""
        return await run_in_threadpool(_serve, console, page, request, raw)

    return serve


def _most(console: Console, page: Page, request: Request) -> int:
    """How much of a large form is read: more than the usual only from those who may send it."""
    try:
        _, user = _signed_in(console, request, touch=False)
    except HinomiError:  # answered in its place, when the page is asked for
        return MAX_FORM
    return page.most if user and user.has(page.access.value) else MAX_FORM


async def answer(console: Console, request: Request, handler: Handler) -> Response:
    """An answer outside the route table (an unknown address), with the same language and frame."""
    page = Page(request.method, request.url.path, handler, Access.OPEN)
    return await run_in_threadpool(_serve, console, page, request, b"")


def _serve(console: Console, page: Page, request: Request, raw: bytes | None) -> Response:
    language = _language(console, request)
    visit = Visit(request, console, language)
    try:
        visit = _known(visit, page)
        response = _refusal(visit, page) or _answered(visit, page, raw)
    except HinomiError as error:
        response = failure(visit, error)
    except Exception:
        log.exception("page_failed", extra={"path": page.path})
        response = _message(visit, 500, visit.texts("error.internal"), "")
    if "lang" in request.query_params:
        _remember(console, response, LANGUAGE_COOKIE, language)
    if request.query_params.get("theme") in THEMES:
        _remember(console, response, THEME_COOKIE, request.query_params["theme"])
    return response


def _answered(visit: Visit, page: Page, raw: bytes | None) -> Response:
    """The page's own answer; that an auditor looks is in the audit log before."""
    filled = _with_form(visit, page, raw)
    if visit.user and page.access is not Access.OPEN and not page.blank:
        note_auditor(visit, page.method)
    return page.handler(filled)


def note_auditor(visit: Visit, method: str) -> None:
    """Everything that an auditor asks for stands in the audit log with its address, whatever else the page writes there."""
    if visit.user is not None and visit.user.has({Role.AUDITOR}):
        asked = {"method": method, "query": visit.request.url.query[:2000]}
        visit.console.audit.append(
            actor=visit.actor, action="console.audited", target=visit.request.url.path, details=asked
        )


def _known(visit: Visit, page: Page) -> Visit:
    """The visit of whoever is signed in, with the part of the tower that they see. Raises what the records raise."""
    quiet = page.quiet or "x-hinomi-live" in visit.request.headers
    session, user = _signed_in(visit.console, visit.request, touch=not quiet)
    seen = part_of(visit.console, user) if user and page.access is not Access.OPEN else visit.console
    return replace(visit, console=seen, session=session, user=user)


def _with_form(visit: Visit, page: Page, raw: bytes | None) -> Visit:
    """The visit with what was sent. Raises BadForm for more than the page takes, Refused for a form of another session."""
    if raw is None:
        most = f"{page.most // 1024:,} KiB"
        raise BadForm(f"送られた内容が大きすぎます(上限 {most})。", f"the form is too large (at most {most})")
    kind = visit.request.headers.get("content-type", "")
    carries = page.file and uploads.is_multipart(kind)
    many, files = uploads.read(kind, raw) if carries else (_form(raw), {})
    form = {name: values[-1] for name, values in many.items()}
    filled = replace(visit, form=form, many=many, files=files)
    if page.method == "POST" and page.access is not Access.OPEN:
        _check_csrf(filled, page)
    return filled


def _remember(console: Console, response: Response, name: str, value: str) -> None:
    """A choice of the reader's that no script reads and that says nothing about them."""
    response.set_cookie(
        name, value, max_age=365 * 86400, samesite="lax", secure=console.settings.tls, httponly=True
    )


def failure(visit: Visit, error: HinomiError) -> Response:
    """A page that says what went wrong in the reader's language."""
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    return _message(visit, status, visit.texts.get("error", str(status)), visit.texts.of(error.ja, error.en))


def _message(visit: Visit, status: int, title: str, message: str) -> Response:
    """A page with a message; without the signed-in person's frame where the records that it is made of do not answer."""
    try:
        return visit.page("message.html", status=status, title=title, message=message, onward=_page_of(visit))
    except HinomiError:
        alone = replace(visit, user=None, session=None)
        return alone.page("message.html", status=status, title=title, message=message, onward="/")


def _refusal(visit: Visit, page: Page) -> Response | None:
    """The answer to whoever may not see the page; None for those who may."""
    if page.access is not Access.OPEN:
        if visit.user is None:
            return _to_sign_in(visit, page)
        if not visit.user.has(page.access.value):
            _note_refusal(visit, page, "role")
            raise Refused("この操作をする権限がありません。", "your role does not allow this")
        if visit.console.scope is not None and not page.apart:
            _note_refusal(visit, page, "whole_tower")
            raise Refused(*WHOLE)
        if _lacks_factor(visit, page) or _has_anothers_password(visit, page):
            return visit.to("/account")
    return None


def _note_refusal(visit: Visit, page: Page, why: str) -> None:
    """A decision that somebody who is signed in tried to send and may not: it ends here, and the audit log hears of it."""
    if page.method == "POST":
        visit.console.audit.append(
            actor=visit.actor, action="console.refused", target=visit.request.url.path, details={"why": why}
        )


def _lacks_factor(visit: Visit, page: Page) -> bool:
    """Whether a second factor is required and the person has none yet; the account page is where they get one."""
    assert visit.user is not None and visit.session is not None
    if visit.console.settings.second_factor != "required" or visit.user.totp or visit.session.strong:
        return False
    return page.path not in _WITHOUT_FACTOR


def _has_anothers_password(visit: Visit, page: Page) -> bool:
    """Whether the password is one that an administrator has seen: it is good for choosing one's own (ASVS 5.0, 6.4.1)."""
    assert visit.user is not None
    return visit.user.must_change and page.path not in {
        "/account",
        "/account/password",
        "/sign-out",
        "/help/keys",
    }


def _to_sign_in(visit: Visit, page: Page) -> Response:
    if page.method == "GET":
        query = visit.request.url.query
        wanted = visit.request.url.path + (f"?{query}" if query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
    return visit.page(
        "message.html",
        status=401,
        title=visit.texts("error.401"),
        message=visit.texts("error.sign_in_again"),
        onward=_page_of(visit),
    )


def _page_of(visit: Visit) -> str:
    """The page that a form most likely stood on: the incident's for what is sent about one, else the queue."""
    found = re.match(r"/incidents/[0-9]{1,9}(/duties/[A-Za-z0-9._-]+)?(?=/|$)", visit.request.url.path)
    return found[0] if found else "/"


def _check_csrf(visit: Visit, page: Page) -> None:
    assert visit.session is not None
    if visit.request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        _note_refusal(visit, page, "other_site")
        raise Refused("ほかのサイトからの操作は受け付けません。", "requests from other sites are refused")
    if not same(visit.form.get("csrf", ""), visit.session.csrf):
        _note_refusal(visit, page, "form")
        raise Refused(
            "画面の有効期限が切れました。ページを開き直してください。",
            "this form is out of date; open the page again",
        )


def _signed_in(console: Console, request: Request, *, touch: bool) -> tuple[Session | None, User | None]:
    session = console.sessions.find(request.cookies.get(console.cookie, ""), touch=touch)
    user = console.accounts.find(session.user) if session else None
    return (session, user) if user and not user.disabled else (None, None)


def _language(console: Console, request: Request) -> Language:
    for asked in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if asked == "ja" or asked == "en":
            return "ja" if asked == "ja" else "en"
    return console.settings.language


async def body_of(request: Request, most: int = MAX_FORM) -> bytes | None:
    """The body of a form, or None when it is too large."""
    held = bytearray()
    async for chunk in request.stream():
        held += chunk
        if len(held) > most:
            return None
    return bytes(held)


def _form(raw: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=400)
    except ValueError:
        return {}
