"""A signed-in browser without a screen: a test client that carries its cookies and its form tokens."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette

from collectors.organizations import Organizations
from dashboards.console.app import create_app
from dashboards.console.rulebook import Rulebook
from dashboards.settings import ConsoleSettings
from responders.settings import ResponderSettings
from tests.dashboards.city import PASSWORD, City


@dataclass
class Browser:
    """A client of the console with cookies of its own."""

    app: Starlette
    city: City
    base: str = "http://testserver"
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def get(self, path: str) -> httpx.Response:
        """Ask for a page; redirects are not followed."""
        return self._ask("GET", path, None)

    def post(self, path: str, **form: str) -> httpx.Response:
        """Send a form with this session's token."""
        return self.send(path, {"csrf": self.csrf, **form})

    def post_many(self, path: str, pairs: list[tuple[str, str]], **form: str) -> httpx.Response:
        """Send a form in which a field may come several times."""
        several: dict[str, list[str]] = {}
        for name, value in pairs:
            several.setdefault(name, []).append(value)
        return self._ask("POST", path, {"csrf": self.csrf, **form, **several})

    def upload(self, path: str, file: tuple[str, bytes], **form: str) -> httpx.Response:
        """Send a form with a file (its name and bytes) and this session's token."""
        return self._ask("POST", path, {"csrf": self.csrf, **form}, {"file": file})

    def send(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Send a form as it is."""
        return self._ask("POST", path, form)

    def _ask(
        self, method: str, path: str, form: dict[str, Any] | None, files: dict[str, Any] | None = None
    ) -> httpx.Response:
        return asyncio.run(self._asked(method, path, form, files))

    async def _asked(
        self, method: str, path: str, form: dict[str, Any] | None, files: dict[str, Any] | None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as client:
            answer = await client.request(method, path, data=form, files=files, headers=self.headers)
            self.cookies = httpx.Cookies(client.cookies)
            return answer

    def audited(self, action: str) -> list[dict[str, Any]]:
        """Entries of the audit log with this action."""
        return [record.body for record in self.city.records.find("audit", {"action": action}, limit=100_000)]

    def sign_in_first(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """The first step of signing in, wherever it leads."""
        check = token(self.get("/sign-in").text, "check")
        return self.send("/sign-in", {"check": check, "account": name, "password": password, "next": "/"})

    def sign_in(self, name: str, password: str = PASSWORD, onward: str = "/") -> httpx.Response:
        """Fill in the sign-in form; afterwards forms carry the new session's token."""
        check = token(self.get("/sign-in").text, "check")
        form = {"check": check, "account": name, "password": password, "next": onward}
        answer = self.send("/sign-in", form)
        if answer.status_code == 303:
            self.csrf = token(self.get("/").text, "csrf")
        return answer


def token(page: str, name: str) -> str:
    """The value of a hidden field, empty where there is none."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    return found.group(1) if found else ""


def browser(
    city: City,
    name: str = "",
    rulebook: Rulebook | None = None,
    responding: ResponderSettings | None = None,
    organizations: Organizations | None = None,
    **settings: Any,
) -> Browser:
    """A browser on the city's console, signed in as `name` if given."""
    app = create_app(
        city.events,
        city.records,
        city.desk,
        ConsoleSettings(**settings),
        city.clock,
        users=city.users,
        rulebook=rulebook,
        responding=responding,
        organizations=organizations,
    )
    made = Browser(app, city)
    if name:
        assert made.sign_in(name).status_code == 303
    return made
