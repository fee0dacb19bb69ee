"""One request as a page sees it: who asks, in which language, with which form, and how to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboards.console.attempts import Attempts
from dashboards.console.sessions import Session, Sessions
from dashboards.settings import ConsoleSettings
from dashboards.texts import Texts
from dashboards.users import APPROVERS, WORKERS, User, Users
from hinomi.clock import Clock
from hinomi.store import Events, Records
from hinomi.words import Language
from responders.audit import Audit
from responders.desk import Desk

LANGUAGE_COOKIE = "hinomi_language"


@dataclass(frozen=True, slots=True)
class Console:
    """What every page may use."""

    events: Events
    records: Records
    service: Desk
    settings: ConsoleSettings
    clock: Clock
    users: Users
    sessions: Sessions
    attempts: Attempts
    templates: Environment

    @property
    def audit(self) -> Audit:
        """The append-only log of who looked at and decided what."""
        return self.service.audit

    @property
    def cookie(self) -> str:
        """Name of the session cookie; with `__Host-` browsers insist on HTTPS and this host (RFC 6265bis)."""
        return "__Host-hinomi" if self.settings.tls else "hinomi_session"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `form` holds the fields of a POST, empty otherwise."""

    request: Request
    console: Console
    language: Language
    session: Session | None = None
    user: User | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> Texts:
        """The catalogue in this visit's language."""
        return Texts(self.language)

    @property
    def actor(self) -> str:
        """The account that asks, for the audit log."""
        return self.user.name if self.user else "anonymous"

    @property
    def roles(self) -> list[str]:
        """What the person may do; the desk checks it again."""
        return self.user.roles if self.user else []

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else ""

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address line."""
        return str(self.request.query_params.get(name, default))

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """An HTML page from a template."""
        text = self.console.templates.get_template(template).render(
            t=self.texts,
            language=self.language,
            other_language=self._other_language(),
            user=self.user,
            may_work=bool(self.user and self.user.has(WORKERS)),
            may_approve=bool(self.user and self.user.has(APPROVERS)),
            csrf=self.session.csrf if self.session else "",
            path=self.request.url.path,
            organization=self.console.settings.organization,
            now=self.console.clock.now(),
            done=self.asked("done"),
            **context,
        )
        return HTMLResponse(text, status_code=status)

    def to(self, path: str, **query: str) -> Response:
        """After a POST: look at this page (303)."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)

    def _other_language(self) -> str:
        other = "en" if self.language == "ja" else "ja"
        kept = [(k, v) for k, v in self.request.query_params.multi_items() if k not in {"lang", "done"}]
        return f"{self.request.url.path}?{urlencode([*kept, ('lang', other)])}"
