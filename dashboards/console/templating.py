"""Pages from templates. Whatever a template prints is made inert and escaped: log lines are hostile.

Two walls, neither of which a template can forget: Jinja's autoescape (HTML), and a `finalize` that turns
control characters, terminal escapes and bidirectional marks into visible text before it.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from dashboards import times
from dashboards.texts import Texts
from hinomi.alert import search
from hinomi.clock import JST, Clock
from hinomi.text import inert
from hinomi.words import Language

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
_FIXED = re.compile(r"""\{\{ t\((["'])([\w.]+)\1\) \}\}""")
_KEPT = 4_000  # results of a macro: of the queue, some 3 KB each


def shown(value: object) -> object:
    """What a template may print: markup made by us as it is, everything else as inert text."""
    if isinstance(value, (Markup, Undefined)):
        return value
    return "" if value is None else inert(str(value))


def stamp(clock: Clock, value: object, seconds: bool = True) -> Markup:
    """A time in Japan time, with its year where it is not this one; the time as it stands in the data appears on hover and
    to screen readers."""
    original = value.isoformat() if isinstance(value, datetime) else value if isinstance(value, str) else ""
    return _stamped(original, seconds, clock.now().astimezone(JST).year)


@lru_cache(maxsize=20_000)
def _stamped(original: str, seconds: bool, year: int) -> Markup:
    moment = times.parse(original)
    if moment is None:
        return Markup("<span class='none'>—</span>")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(),
        f"{times.full(moment)} ({inert(original)})",
        times.clock_time(moment, seconds=seconds, year=year),
    )


def paragraphs(text: object) -> Markup:
    """Inert text that keeps its line breaks."""
    return Markup("<br>").join(escape(inert(line)) for line in str(text).splitlines())


def typed(text: object) -> Markup:
    """Inert text inside a `<textarea>`: its line breaks stay, so that what is sent again is what was typed."""
    lines = str(text).replace("\r\n", "\n").split("\n")
    return Markup("\n").join(escape(inert(line)) for line in lines)


def filled(text: object, **values: object) -> Markup:
    """A text of the catalogue with markup of ours, such as a time, where it names it: `{until}`."""
    return escape(text).format(**values)


@cache
def asset(name: str) -> str:
    """Address of a static file; changes when the file does, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def span(value: timedelta | None, language: Language) -> str:
    """A duration in words; a dash where there is none."""
    return "—" if value is None else times.duration(value, language)


@lru_cache(maxsize=20_000)
def pivot(name: str, value: str) -> str:
    """The address of a search for this value of the field over everything that is held."""
    return "/search?" + urlencode({"q": search(name, value), "range": "all"})


class Fixed(Extension):
    """Writes `{{ t("…") }}` out where a template is compiled: a text without values is the same on every page in a language, and
    a third of what an incident's page prints is such a text. Escaped as what is printed; one with a brace stays a question."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template's text with them written out."""
        texts = Texts(cast(Language, self.environment.globals["language"]))

        def told(found: re.Match[str]) -> str:
            text = texts(found[2])
            return found[0] if "{" in text else str(escape(inert(text)))

        return _FIXED.sub(told, source)


def environments(clock: Clock) -> dict[Language, Environment]:
    """The template environment of the console in each language. clock: by which a time is of this year."""
    return {language: environment(language, clock) for language in ("ja", "en")}


def environment(language: Language, clock: Clock) -> Environment:
    """The template environment of the console for pages in one language, of which `t` is the texts."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["language"] = language
    made.add_extension(Fixed)
    made.filters.update(
        stamp=partial(stamp, clock),
        paragraphs=paragraphs,
        typed=typed,
        filled=filled,
        pivot=pivot,
        span=span,
    )
    made.globals.update(
        asset=asset,
        live=False,
        saved=(),
        marks=Macros(made, "marks.html"),
        queue_row=Macros(made, "queue_row.html"),
    )
    return made


class Macros:
    """The macros of a template, by name. What one makes follows from what it is given, which has to be hashable, and is
    kept: a page has hundreds of small drawings, and many people look at the same lines of the queue."""

    def __init__(self, templates: Environment, file: str) -> None:
        self._templates = templates
        self._file = file

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        macro = getattr(self._templates.get_template(self._file).module, name)
        kept: Callable[..., Markup] = lru_cache(maxsize=_KEPT, typed=True)(macro)  # Markup("<b>") == "<b>"
        setattr(self, name, kept)
        return kept
