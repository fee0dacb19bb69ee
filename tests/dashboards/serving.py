"""A console on a port of its own, for real browsers, and its pages in one."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from collectors.organizations import Organizations
from dashboards.console.app import create_app
from dashboards.console.rulebook import Rulebook
from dashboards.settings import ConsoleSettings
from responders.settings import ResponderSettings
from tests.dashboards.city import PASSWORD, City

CUT = """() => ({
  wide: document.documentElement.scrollWidth - window.innerWidth,
  nameless: [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")]
    .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute("aria-label"))
    .map(e => e.outerHTML),
  out: [...document.querySelectorAll(".panel input:not([type=hidden]), .panel select, .panel textarea, .panel button")]
    .filter(e => !e.closest(".scroll, table") && e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > e.closest(".panel").getBoundingClientRect().right)
    .map(e => e.outerHTML),
  thin: [...document.querySelectorAll("td")].filter(e => e.textContent.trim().length > 8)
    .filter(e => e.getClientRects().length && e.clientWidth < 48).map(e => e.textContent.trim().slice(0, 40)),
  ids: [...document.querySelectorAll("[id]")].map(e => e.id),
})"""
"""What a page has that is cut, squeezed, nameless or there twice, as a script that answers with it."""


@contextmanager
def serving(
    city: City,
    rulebook: Rulebook,
    *,
    responding: ResponderSettings | None = None,
    organizations: Organizations | None = None,
) -> Iterator[str]:
    """The address of the console over the city's stores, while it serves."""
    app = create_app(
        city.events,
        city.records,
        city.desk,
        ConsoleSettings(organization="火の見市"),
        city.clock,
        users=city.users,
        rulebook=rulebook,
        responding=responding,
        organizations=organizations,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def page_of(context: Any, address: str, who: str) -> tuple[Any, list[str]]:
    """A page of a browser once this reader has signed in ("" for nobody), and what the browser complains of, as it comes."""
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    if who:
        page.goto(f"{address}/sign-in")
        page.fill("#account", who)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(f"{address}/")
    return page, said
