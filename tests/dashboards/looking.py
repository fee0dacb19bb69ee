"""The console in a real Chromium, page by page as `sights` lists them: what a page says in which language, and its picture.

A look is a width, a brightness and a language. A page is opened once in each language and then looked at in each width and
brightness. Pictures are WebP, made by Chromium itself.
"""

import base64
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from dashboards.console.rulebook import Rulebook
from hinomi.words import Language
from ops.folders import packs_folder
from tests.dashboards.city import PASSWORD, empty_city
from tests.dashboards.lived_in import RESPONDING, by, lived_in
from tests.dashboards.serving import page_of, serving
from tests.dashboards.sights import Sight

QUALITY = 25
"""Of WebP, 0 to 100: at this one the smallest text still reads, and 500 pictures are a few MB."""
_PATIENCE = 120_000  # milliseconds: some machines are slow
SHOWN = {1440: (1200, 0.6), 360: (1300, 1.0)}
"""By width: pixels of a page's height that its picture shows, and how much smaller than life."""


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody sees the console."""

    width: int
    scheme: str
    language: Language

    @property
    def name(self) -> str:
        """As it stands in a picture's file name."""
        return f"{'wide' if self.width > 1000 else 'phone'}-{self.scheme}-{self.language}"


LOOKS = tuple(
    Look(width, scheme, language)
    for width in (1440, 360)
    for scheme in ("light", "dark")
    for language in ("ja", "en")
)  # fmt: skip
PAIRS = tuple(
    one for one in LOOKS if [one.width > 1000, one.scheme == "light", one.language == "ja"].count(True) % 2
)
"""Half of them, in which each width, brightness and language still meets each other one."""


def picture(sight: Sight, look: Look) -> str:
    """The file of a picture."""
    return f"{sight.name}-{look.name}.webp"


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it was opened; said: what the browser complained of on it; status: of the answer."""

    sight: Sight
    page: Any
    said: list[str]
    status: int

    def under(self, look: Look) -> None:
        """The page at this width and brightness."""
        self.page.emulate_media(color_scheme=look.scheme)
        self.page.set_viewport_size({"width": look.width, "height": 900})

    def photograph(self, folder: Path, look: Look) -> None:
        """The page from its head down."""
        height = self.page.evaluate("Math.max(document.documentElement.scrollHeight, window.innerHeight)")
        most, scale = SHOWN[look.width]
        clip = {"x": 0, "y": 0, "width": look.width, "height": min(height, most), "scale": scale}
        wanted = {"format": "webp", "quality": QUALITY, "captureBeyondViewport": True, "clip": clip}
        session = self.page.context.new_cdp_session(self.page)
        content = base64.b64decode(session.send("Page.captureScreenshot", wanted)["data"])
        (folder / picture(self.sight, look)).write_bytes(content)
        session.detach()


@dataclass
class Walk:
    """The console of both cities, looked at in one language. data: every text that people or devices gave it."""

    chromium: Any
    language: Language
    addresses: dict[str, str]
    data: str
    _pages: dict[tuple[str, str], tuple[Any, list[str]]] = field(default_factory=dict)

    def see(self, sight: Sight) -> Seen:
        """Open the page, in a browser of its reader's."""
        page, said = self._page(sight)
        said.clear()
        page.set_viewport_size({"width": 1440, "height": 900})
        joined = "&" if "?" in sight.address else "?"
        answer = page.goto(f"{self.addresses[sight.city]}{sight.address}{joined}lang={self.language}")
        sight.does(page)
        page.wait_for_load_state()
        return Seen(sight, page, said, answer.status)

    def _page(self, sight: Sight) -> tuple[Any, list[str]]:
        """One browser for each reader; a new one for whoever is not signed in, since signing in is what is looked at."""
        key = (sight.city, sight.who)
        if key not in self._pages or not sight.who:
            self._pages[key] = self._signed_in(*key)
        return self._pages[key]

    def _signed_in(self, city: str, who: str) -> tuple[Any, list[str]]:
        context = self.chromium.new_context(
            viewport={"width": 1440, "height": 900},
            bypass_csp=True,
            timezone_id="Asia/Tokyo",
            locale={"ja": "ja-JP", "en": "en-GB"}[self.language],
            reduced_motion="reduce",
        )
        context.set_default_timeout(_PATIENCE)
        return page_of(context, self.addresses[city], who)

    def strange(self, page: Any) -> list[str]:
        """Texts of the page that are in the other language and that nobody gave the console: they are ours to translate."""
        found = []
        for text in page.evaluate(_TEXTS):
            for words in _OTHER[self.language].findall(text):
                if words.strip() not in self.data:
                    found.append(f"{words.strip()} | {text[:120]}")
        return found


_OTHER = {
    "en": re.compile(r"[々ぁ-ヿ一-鿿]+"),
    "ja": re.compile(r"(?:\b(?!hinomi )[A-Za-z][a-z]+ ){2,}[a-z]{2,}\b"),
}
"""What is of the other language: Japanese letters on an English page, three English words in a row on a Japanese one (but for
commands of ours)."""
_TEXTS = """() => {
  const texts = [], lang = document.documentElement.lang;
  const ours = (e) => e && !e.closest("script, style, textarea, pre, kbd, .mono, .fields") && (e.closest("[lang]").lang === lang);
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.textContent.trim() && ours(node.parentElement)) texts.push(node.textContent.trim());
  }
  for (const e of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (e.getAttribute(name) && ours(e)) texts.push(e.getAttribute(name));
  return texts;
}"""


@contextmanager
def walking(chromium: Any, language: Language, folder: Path) -> Iterator[Walk]:
    """Both cities on ports of their own, as new."""
    book = Rulebook([packs_folder() / "telework"])
    (folder / "lived").mkdir()
    (folder / "bare").mkdir()
    lived, bare = lived_in(folder / "lived", book), empty_city(folder / "bare")
    bare.desk.automation.stop("設定を見直すため", **by("m.kato"))
    with ExitStack() as held:
        addresses = {
            "lived": held.enter_context(serving(lived, book, responding=RESPONDING)),
            "bare": held.enter_context(serving(bare, book)),
        }
        walk = Walk(chromium, language, addresses, _data(folder))
        yield walk
        for page, _ in walk._pages.values():
            page.context.close()
    for city in (lived, bare):
        city.close()


def _data(folder: Path) -> str:
    """Every text in the stores that is not one of a pair in two languages, and the city's own name."""
    found: list[str] = ["火の見市", PASSWORD]
    _texts(RESPONDING.model_dump(mode="json")["contacts"], found)
    for path in folder.glob("*/records.sqlite"):
        with sqlite3.connect(path) as held:
            for (body,) in held.execute("select body from record"):
                _texts(json.loads(body), found)
    for path in folder.glob("*/events/**/*.parquet"):
        frame = pl.read_parquet(path).select(pl.selectors.string())
        found += [text for column in frame for text in column.drop_nulls().unique().to_list()]
    return "\n".join(found)


def _texts(value: object, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, list):
        for one in value:
            _texts(one, found)
    elif isinstance(value, dict):
        for name, one in value.items():
            if not _translated(name, value):
                _texts(one, found)


def _translated(name: str, body: dict[str, Any]) -> bool:
    """Whether the field is one of a pair in both languages that differ."""
    for own, other in (("ja", "en"), ("en", "ja")):
        if name == own or name.endswith(f"_{own}"):
            return bool(body.get(name[: -len(own)] + other, body[name]) != body[name])
    return False
