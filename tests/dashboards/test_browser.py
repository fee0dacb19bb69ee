"""The console in a real Chromium: nothing cut, nothing blocked, nothing that only a mouse can do.

Signing in and approving a plan on a whole tower is tests/e2e/test_console.py.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from dashboards.console import create_app
from dashboards.settings import ConsoleSettings
from tests.dashboards.city import PASSWORD, City
from tests.shared import program

pytestmark = pytest.mark.browser
PAGES = ("/", "/incidents/1", "/incidents/3", "/search?range=all&q=t.yamada", "/sources", "/reports")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_CUT = """() => ({
  wide: document.documentElement.scrollWidth - window.innerWidth,
  nameless: [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")]
    .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute("aria-label"))
    .map(e => e.outerHTML),
  ids: [...document.querySelectorAll("[id]")].map(e => e.id),
})"""
_CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest("svg, option, .unseen, .skip") || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.trim().slice(0, 30)}`);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def address(city: City) -> Iterator[str]:
    """The console on a port of its own."""
    app = create_app(
        city.events,
        city.records,
        city.desk,
        ConsoleSettings(organization="火の見市"),
        city.clock,
        users=city.users,
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


def _signed_in(chromium: Any, address: str, name: str = "k.mori", **how: Any) -> tuple[Any, list[str]]:
    """A page after the sign-in form, and what the browser complains of."""
    page = chromium.new_context(**how).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{address}/sign-in")
    page.fill("#account", name)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("h1")
    return page, said


@pytest.mark.parametrize(("width", "scheme", "language"), [(360, "dark", "ja"), (1440, "light", "en")])
def test_layout_names_and_contrast(
    chromium: Any, address: str, tmp_path: Path, width: int, scheme: str, language: str
) -> None:
    """No page is wider than the screen, no control lacks a name, no id comes twice, text has 4.5:1 contrast,
    and the browser has nothing to complain of (a blocked script or style would be a complaint)."""
    page, said = _signed_in(chromium, address, viewport={"width": width, "height": 900}, color_scheme=scheme)
    folder = Path(os.environ.get("HINOMI_SCREENSHOTS") or tmp_path)
    for number, path in enumerate(PAGES):
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
        found = page.evaluate(_CUT)
        page.screenshot(path=folder / f"page-{number}-{width}-{language}.png", full_page=True)
        assert found["wide"] <= 0, path
        assert found["nameless"] == [], path
        assert len(found["ids"]) == len(set(found["ids"])), path
        assert page.evaluate(_CONTRAST) == [], path
    assert said == []
    page.context.close()


def test_works_without_javascript(chromium: Any, address: str, city: City) -> None:
    """Signing in, taking an incident and writing a note need no script."""
    page, _ = _signed_in(chromium, address, "m.kato", java_script_enabled=False)
    page.goto(f"{address}/incidents/2")
    page.fill("#comment", "台帳と照合した")
    page.click("text=メモを残す")
    assert "メモを残しました" in page.inner_text("[role=status]")
    assert "台帳と照合した" in page.inner_text(".timeline")
    page.context.close()


def test_keyboard_alone(chromium: Any, address: str) -> None:
    """The first Tab offers the skip link, j moves to the first incident, Enter opens it, / finds the search."""
    page, said = _signed_in(chromium, address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/*")
    page.goto(f"{address}/search")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    assert said == []
    page.context.close()
