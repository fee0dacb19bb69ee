"""One request as a page sees it: who asks, in which language, with which form, and how to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import parse_qsl, urlencode, urlsplit

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collectors.organizations import Organizations
from dashboards import times
from dashboards.console.attempts import Attempts
from dashboards.console.following import Lately
from dashboards.console.residents import Residents
from dashboards.console.rooms import ROOMS
from dashboards.console.rulebook import Rulebook
from dashboards.console.sessions import Session, Sessions
from dashboards.console.uploads import Upload
from dashboards.ldap_signin import Directory
from dashboards.oidc import Provider
from dashboards.settings import ConsoleSettings
from dashboards.texts import Texts
from dashboards.tokens import Token, Tokens
from dashboards.users import APPROVERS, WORKERS, User, Users
from hinomi.clock import JST, Clock
from hinomi.retention import DEFAULTS, Period
from hinomi.store import Events, Records
from hinomi.words import Language
from responders.audit import Audit
from responders.desk import Desk
from responders.settings import ResponderSettings

if TYPE_CHECKING:
    from dashboards.console.apart import Parts
    from dashboards.console.compliance_page import Judgement
    from dashboards.console.live import Pulse
    from dashboards.console.rules_page import Kept, Matrix
    from dashboards.console.sources import Arrivals

LANGUAGE_COOKIE = "hinomi_language"
THEME_COOKIE = "hinomi_theme"
THEMES = ("auto", "light", "dark")


def _parts() -> "Parts":
    from dashboards.console.apart import Parts  # which stands on this module

    return Parts()


@dataclass(frozen=True, slots=True)
class Console:
    """What every page may use. organizations: whom the tower watches; scope: whose things alone are in `events`, `records`,
    `users` and behind `service`, None: everybody's; accounts: every account, for signing in, for one's own and for the
    administrator; periods: for how long which events are to be kept."""

    events: Events
    records: Records
    service: Desk
    settings: ConsoleSettings
    clock: Clock
    users: Users
    accounts: Users
    sessions: Sessions
    attempts: Attempts
    templates: Mapping[Language, Environment]
    pulse: "Pulse"
    rulebook: Rulebook
    residents: Residents
    tokens: Tokens
    ldap: Directory | None
    oidc: Provider | None
    judgement: "Judgement"
    responding: ResponderSettings = field(default_factory=ResponderSettings)
    counted: "Lately[list[Kept]]" = field(default_factory=lambda: Lately(60))
    matrices: "Lately[Matrix]" = field(default_factory=lambda: Lately(60))
    arrivals: "Lately[Arrivals]" = field(default_factory=lambda: Lately(60))
    organizations: Organizations = field(default_factory=Organizations)
    scope: frozenset[str] | None = None
    periods: Sequence[Period] = tuple(DEFAULTS)
    parts: "Parts" = field(default_factory=_parts)

    @property
    def audit(self) -> Audit:
        """The append-only log of who looked at and decided what."""
        return self.service.audit

    @property
    def cookie(self) -> str:
        """Name of the session cookie; with `__Host-` browsers insist on HTTPS and this host (RFC 6265bis)."""
        return "__Host-hinomi" if self.settings.tls else "hinomi_session"


class Who(TypedDict):
    """A person before the desk."""

    actor: str
    roles: list[str]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `form` holds the fields of a POST, `many` all values of fields that come more than once,
    `files` what came in a form that can carry files."""

    request: Request
    console: Console
    language: Language
    session: Session | None = None
    user: User | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    token: Token | None = None

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
    def may_work(self) -> bool:
        """Whether the person works on incidents."""
        return bool(self.user and self.user.has(WORKERS))

    @property
    def who(self) -> Who:
        """Who decides, as the desk asks it: `**visit.who`."""
        return {"actor": self.actor, "roles": self.roles}

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return self.request.client.host if self.request.client else ""

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address line."""
        return str(self.request.query_params.get(name, default))

    def when(self, moment: datetime) -> str:
        """`11/20 03:14` in Japan, `2027/01/04 23:59` where it is not this year."""
        year = self.console.clock.now().astimezone(JST).year
        return times.clock_time(moment, seconds=False, year=year)

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """An HTML page from a template."""
        from dashboards.console.automation_page import (
            state as automation,  # a page, which stands on this module
        )

        held = self.console.templates[self.language].get_template(template)
        done, *named = self.asked("done").split(":")  # what was just done, and incidents that it names
        text = held.render(
            t=self.texts,
            language=self.language,
            other_language=self._other_language(),
            user=self.user,
            may_work=self.may_work,
            may_approve=bool(self.user and self.user.has(APPROVERS)),
            csrf=self.session.csrf if self.session else "",
            path=self.request.url.path,
            here_address=self._here(),
            theme=self._theme(),
            themes=[(name, self._with("theme", name)) for name in THEMES],
            roles=self.roles,
            organization=self.console.settings.organization,
            now=self.console.clock.now(),
            automation=automation(self.console, why=not self.user.organizations) if self.user else None,
            rooms=[one for one in ROOMS if self.user and one.opens_to(self.user)],
            whose=self.whose(),
            whole=self.console.scope is None and not (self.user and self.user.organizations),
            done=done,
            named=[one for one in named if one.isascii() and one.isdigit() and len(one) < 10],
            answered=status,
            **context,
        )
        return HTMLResponse(text, status_code=status)

    def whose(self) -> dict[str, str]:
        """Names of the organisations that the reader sees; empty for who sees one alone, and needs no telling."""
        names = self.console.organizations.names
        seen = names if self.console.scope is None else names.keys() & self.console.scope
        return {one: names[one].of(self.language) for one in names if one in seen} if len(seen) > 1 else {}

    def to(self, path: str, **query: str) -> Response:
        """After a POST: look at this page (303)."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)

    def back_to(self, address: str, done: str) -> Response:
        """After a POST from a page with a query of its own: that page again. Elsewhere leads to the queue."""
        safe = address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"
        parts = urlsplit(safe)
        kept = [(k, v) for k, v in parse_qsl(parts.query) if k != "done"]
        return RedirectResponse(f"{parts.path}?{urlencode([*kept, ('done', done)])}", status_code=303)

    def _here(self) -> str:
        """This page's address without what it just told."""
        kept = [
            (k, v) for k, v in self.request.query_params.multi_items() if k not in {"lang", "done", "theme"}
        ]
        return f"{self.request.url.path}?{urlencode(kept)}" if kept else self.request.url.path

    def _theme(self) -> str:
        held = self.request.query_params.get("theme") or self.request.cookies.get(THEME_COOKIE, "")
        return held if held in THEMES else "auto"

    def _other_language(self) -> str:
        return self._with("lang", "en" if self.language == "ja" else "ja")

    def _with(self, name: str, value: str) -> str:
        """This page's address with one of the reader's choices in it."""
        kept = [(k, v) for k, v in self.request.query_params.multi_items() if k not in {name, "done"}]
        return f"{self.request.url.path}?{urlencode([*kept, (name, value)])}"
