"""The console in a real Chromium: nothing cut, nothing blocked, nothing that only a mouse can do.

Signing in and approving a plan on a whole tower is tests/e2e/test_console.py.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.console.rooms import ROOMS
from dashboards.console.rulebook import Rulebook
from ops.folders import packs_folder
from tests.dashboards.city import NOW, PASSWORD, City
from tests.dashboards.serving import CUT, page_of, serving

pytestmark = pytest.mark.browser
PAGES = ("/", "/incidents/1", "/incidents/3", "/search?range=all&q=t.yamada", "/sources", "/reports")
_FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e.matches("main")) return null;
  const drawn = e.matches(".fold") ? e.nextElementSibling : e;
  const style = getComputedStyle(drawn), box = drawn.getBoundingClientRect(), mast = document.querySelector(".mast");
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const hidden = !mast.contains(e) && !e.matches(".skip") && box.bottom <= mast.getBoundingClientRect().bottom;
  return { seen: outlined && box.width > 0 && box.height > 0 && !hidden, html: e.outerHTML.slice(0, 160), outlined, hidden,
           top: box.top, width: box.width };
}"""
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


def telework() -> Rulebook:
    """The rules that these tests show."""
    return Rulebook([packs_folder() / "telework"])


_BEGIN = """() => [...document.querySelectorAll('.audit td[data-name]:not(.small)')].filter(one => one.innerText).map(one => {
  const range = document.createRange();
  range.selectNodeContents(one);
  return Math.round(range.getBoundingClientRect().left);
})"""
"""Where the values of the audit page begin."""


@pytest.fixture(scope="module")
def address(city: City) -> Iterator[str]:
    """The console over a city that tests read."""
    with serving(city, telework()) as found:
        yield found


def _signed_in(chromium: Any, address: str, name: str = "k.mori", **how: Any) -> tuple[Any, list[str]]:
    """A page of this reader's own browser."""
    return page_of(chromium.new_context(**how), address, name)


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
        found = page.evaluate(CUT)
        page.screenshot(path=folder / f"page-{number}-{width}-{language}.png", full_page=True)
        assert found["wide"] <= 0, path
        assert found["nameless"] == [], path
        assert len(found["ids"]) == len(set(found["ids"])), path
        assert page.evaluate(_CONTRAST) == [], path
    assert said == []
    page.context.close()


def test_values_of_an_audit_entry_stand_below_each_other(chromium: Any, address: str) -> None:
    """On a phone an entry is a list of names and values: those in the narrower letters of a machine begin where the others do."""
    page, said = _signed_in(chromium, address, "s.kanri", viewport={"width": 360, "height": 900})
    page.goto(f"{address}/audit")
    assert len(set(page.evaluate(_BEGIN))) == 1
    page.fill("input[name=action]", "console.")  # a field of a form's own property's name
    with page.expect_navigation():
        page.press("input[name=action]", "Enter")
    assert said == []
    page.goto(
        f"{address}/admin/users"
    )  # wider than the phone as a table: read a row at a time, nothing of it out of sight
    frame = page.locator(".scroll").first
    assert frame.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.locator("tbody [data-name]").first.get_attribute("role") == "rowheader"
    assert page.eval_on_selector(
        ".rooms [aria-current]",
        "one => one.getBoundingClientRect().right <= one.parentElement.getBoundingClientRect().right + 1",
    )
    page.context.close()


def test_works_without_javascript(chromium: Any, address: str, city: City) -> None:
    """Signing in, taking an incident and writing a note need no script."""
    page, _ = _signed_in(chromium, address, "m.kato", java_script_enabled=False)
    page.goto(f"{address}/incidents/2")
    page.fill("#comment", "台帳と照合した")
    page.click("text=メモを残す")
    assert "メモを残しました" in page.inner_text(".told")
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
    page.goto(f"{address}/help/keys")
    with page.expect_navigation():  # WCAG 2.1.4: single keys can be switched off
        page.click("main form[action='/account/keys'] button")
    page.goto(f"{address}/search")
    for key in ("/", "?"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.name") != "q" and not page.is_visible("#keys")
    page.goto(f"{address}/help/keys")
    with page.expect_navigation():
        page.click("main form[action='/account/keys'] button")
    page.keyboard.press("?")
    assert page.is_visible("#keys")
    assert said == []
    page.context.close()


@pytest.fixture
def own_address(own_city: City) -> Iterator[str]:
    """The console over a city of one test's own."""
    with serving(own_city, telework()) as found:
        yield found


def test_verdict_in_three_keys(chromium: Any, own_address: str, own_city: City) -> None:
    """From the queue: j (to the first), v (to its verdict), 3 (false positive). No more, and it is recorded."""
    page, said = _signed_in(chromium, own_address, "m.kato")
    page.keyboard.press("j")
    page.keyboard.press("v")
    page.wait_for_url("**/incidents/1?act=verdict*")
    page.keyboard.press("3")
    page.wait_for_selector("text=完了しました")
    held = own_city.records.find("incident", {"number": 1})[0].body
    assert held["verdict"] == "false_positive"
    assert said == []
    page.context.close()


def test_what_was_typed_outlives_the_session(chromium: Any, own_address: str, own_city: City) -> None:
    """A note that is sent after the session ended, and a report's item, come back filled once the same person has signed in again;
    saved, they are gone from the tab, as they are at a sign-out, in another tab too, for anybody else, and after half a day. A password
    is never kept."""
    page, _ = _signed_in(chromium, own_address, "m.kato")

    def again(name: str) -> None:
        page.fill("#account", name)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")

    page.goto(f"{own_address}/incidents/2")
    assert not page.is_visible("[data-given-back]")
    page.fill("#comment", "台帳と照合した\n2行目")
    own_city.users.end_sessions("m.kato")
    page.click("text=メモを残す")
    assert "残してあります" in page.inner_text("main")
    page.click("[data-again]")
    again("m.kato")
    page.wait_for_url("**/incidents/2")
    assert page.input_value("#comment") == "台帳と照合した\n2行目"
    assert page.is_visible("[data-given-back]")
    page.click("text=メモを残す")
    page.wait_for_selector("text=メモを残しました")
    assert page.input_value("#comment") == ""
    assert PASSWORD not in page.evaluate("JSON.stringify(sessionStorage)")
    other = page.context.new_page()
    other.goto(f"{own_address}/incidents/2")
    other.fill("#comment", "別のタブ")
    assert other.evaluate("sessionStorage.length") == 1
    for leave in (
        lambda: page.click("form[action='/sign-out'] button"),
        lambda: own_city.users.end_sessions("m.kato"),
    ):
        page.fill("#comment", "まだ送らない")
        page.click(".menu > summary")
        leave()
        page.goto(f"{own_address}/incidents/2")
        again("k.mori")
        page.wait_for_url("**/incidents/2")
        assert page.input_value("#comment") == "" and page.evaluate("sessionStorage.length") == 0
        own_city.users.end_sessions("k.mori")
        page.goto(f"{own_address}/incidents/2")
        again("m.kato")
        page.wait_for_url("**/incidents/2")
        assert page.input_value("#comment") == ""
    assert other.evaluate("sessionStorage.length") == 0
    page.fill("#comment", "半日前")
    page.evaluate(
        "sessionStorage.setItem('hinomi-typed', sessionStorage.getItem('hinomi-typed').replace(/\"at\":1/, '\"at\":0'))"
    )
    own_city.users.end_sessions("m.kato")
    page.goto(f"{own_address}/sign-in")
    assert page.evaluate("sessionStorage.length") == 0
    page.context.close()


def test_what_was_typed_outlives_a_lock(chromium: Any, own_address: str, own_city: City) -> None:
    """An administrator locks the account, or ends its sessions, while somebody types: until the same person is back nothing of it is on
    any page, a colleague who signs in there finds it neither in the form nor in the tab, and the same person, let in again, has it."""
    page, _ = _signed_in(chromium, own_address, "m.kato")

    def signs_in(name: str) -> None:
        page.goto(f"{own_address}/sign-in?next=/incidents/2")
        page.fill("#account", name)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")

    for back in ("m.kato", "k.mori"):
        page.goto(f"{own_address}/incidents/2")
        page.fill("#comment", "まだ途中の所見")
        own_city.users.set_disabled("m.kato", True)
        page.click("text=メモを残す")
        page.wait_for_selector("[data-kept]:not([hidden])")
        signs_in("m.kato")
        page.wait_for_selector("#problem")
        assert "まだ途中" not in page.content()
        own_city.users.set_disabled("m.kato", False)
        signs_in(back)
        page.wait_for_url("**/incidents/2")
        assert page.input_value("#comment") == ("まだ途中の所見" if back == "m.kato" else "")
        assert ("途中" in page.evaluate("JSON.stringify(sessionStorage)")) == (back == "m.kato")
    assert not [
        one for one in own_city.records.find("incident", {"number": 2}) if "まだ途中" in str(one.body)
    ]
    page.context.close()


def test_verdict_in_two_clicks(chromium: Any, own_address: str, own_city: City) -> None:
    """From the queue: its button, then the verdict."""
    page, _ = _signed_in(chromium, own_address, "m.kato")
    page.click("[data-number='3'] a.judge")
    page.click("[data-verdict] button[value=benign]")
    page.wait_for_selector("text=完了しました")
    assert own_city.records.find("incident", {"number": 3})[0].body["verdict"] == "benign"
    page.context.close()


def test_queue_follows_without_a_reload(chromium: Any, own_address: str, own_city: City) -> None:
    """What a colleague decides appears in an open queue; a ticked box holds it back and a line says so."""
    page, said = _signed_in(chromium, own_address, "m.kato")
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(300)
    own_city.desk.assign("inc-3", "y.ota", actor="k.mori", roles=["information_system_manager"])
    page.wait_for_selector("[data-number='3'] >> text=y.ota", timeout=20_000)
    assert page.evaluate("window.stayed")
    page.check("[data-number='1'] input[type=checkbox]")
    own_city.clock.advance(timedelta(seconds=5))
    own_city.desk.assign("inc-3", "k.mori", actor="k.mori", roles=["information_system_manager"])
    page.wait_for_selector("[data-live-note]:not([hidden])", timeout=20_000)
    assert page.is_checked("[data-number='1'] input[type=checkbox]")
    assert said == []
    page.context.close()


def test_question_mark_and_zoom_by_brush(chromium: Any, address: str) -> None:
    """? opens the list of keys, Escape closes it; dragging across the timeline narrows its time."""
    page, said = _signed_in(chromium, address, viewport={"width": 1440, "height": 1000})
    page.keyboard.press("?")
    assert page.is_visible("#keys >> text=判定の欄を開く")
    page.keyboard.press("Escape")
    assert not page.is_visible("#keys")
    page.goto(f"{address}/incidents/1")
    box = page.locator("[data-brush] svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url("**/incidents/1?from=*")
    assert said == []
    page.context.close()


def test_every_page_is_a_key_away(chromium: Any, address: str) -> None:
    """g and its letter lead to each page that is the reader's, from any other; ? lists the keys on each of them. The page's clock
    stands still, so that a busy machine does not count as a pause between the two; after one, the letter leads nowhere."""
    page, said = _signed_in(chromium, address, "s.kanri")
    page.clock.set_fixed_time(NOW)
    for room in ROOMS:
        page.keyboard.press("g")
        with page.expect_navigation():
            page.keyboard.press(room.letter)
        assert page.url == f"{address}{room.address}"
        page.keyboard.press("?")
        assert page.is_visible("#keys"), room.address
        page.keyboard.press("Escape")
        assert not page.is_visible("#keys"), room.address
    page.context.close()
    page, _ = _signed_in(chromium, address, "m.kato")
    page.clock.set_fixed_time(NOW)
    page.keyboard.press("g")
    page.keyboard.press("u")  # not an analyst's
    page.wait_for_timeout(200)
    assert page.url == f"{address}/"
    page.keyboard.press("g")
    page.clock.set_fixed_time(NOW + timedelta(seconds=2))
    page.keyboard.press("s")
    page.wait_for_timeout(200)
    assert page.url == f"{address}/"
    assert said == []
    page.context.close()


def test_focus_is_seen(chromium: Any, address: str) -> None:
    """Whatever Tab leads to is drawn with an outline, has an area, and does not lie beneath the head that stays in place."""
    page, _ = _signed_in(chromium, address, "y.ota", viewport={"width": 1280, "height": 700})
    for path in ("/", "/incidents/1", "/search?range=all", "/rules", "/compliance", "/oncall", "/account"):
        page.goto(f"{address}{path}")
        for _ in range(60):
            page.keyboard.press("Tab")
            found = page.evaluate(_FOCUSED)
            assert found is None or found["seen"], (path, found)
    page.context.close()


def test_times_in_the_viewers_zone(chromium: Any, address: str) -> None:
    """A reader in London sees 17:40; Japan time and the time as stored are a hover away."""
    page, _ = _signed_in(chromium, address, timezone_id="Europe/London")
    page.goto(f"{address}/incidents/1")
    first = page.locator(".timeline time").first
    assert "18:08" in first.inner_text()
    assert "2026-11-20 03:08:00 JST" in first.get_attribute("title")
    assert "Europe/London" in page.inner_text("[data-zone-note]")
    page.context.close()


def test_theme_is_kept(chromium: Any, address: str) -> None:
    """The dark look chosen once stays, against the device's own."""
    page, _ = _signed_in(chromium, address, color_scheme="light")
    page.goto(f"{address}/?theme=dark")
    page.goto(f"{address}/sources")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 28)"
    page.context.close()


def test_printed_summary_is_one_page(chromium: Any, address: str, tmp_path: Path) -> None:
    """The page for the head of a section fits one A4."""
    import pypdf

    page, _ = _signed_in(chromium, address, "y.ota")
    page.goto(f"{address}/summary")
    page.pdf(path=tmp_path / "summary.pdf", format="A4", prefer_css_page_size=True)
    assert len(pypdf.PdfReader(tmp_path / "summary.pdf").pages) == 1
    page.context.close()
