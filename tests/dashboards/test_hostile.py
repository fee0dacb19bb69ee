"""Hostile log text stays text on every page, in every file."""

import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from dashboards.console.templating import FOLDER, environment
from dashboards.texts import Texts, catalogue
from hinomi.clock import SystemClock
from hinomi.words import Language
from tests.dashboards.browse import browser
from tests.dashboards.city import City

PAGES = (
    "/",
    "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
    "/?view=%22%3E%3Cimg%20src=x%3E",
    "/incidents/1",
    "/incidents/3",
    "/search?range=all&q=event.id:+vpn-hostile",
    "/search?range=all&field=user.name&dataset=fortinet.fortigate",
    "/search?range=all&q=%22%3E%3Cscript%3E",
    "/search?q=%3Cscript%3E(",
    "/search?dataset=%3Cscript%3Ex%3C/script%3E",
    "/sources",
)
_ATTRIBUTES = re.compile(r"^on|^style$|^srcdoc$")


class _Elements(HTMLParser):
    """What a browser would make of a page: its elements with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_markup_from_logs(city: City, path: str, language: str) -> None:
    """No image, no script but our own file, no handler or style attribute, no javascript: address; no control
    character or bidirectional mark reaches the browser."""
    visitor = browser(city, "m.kato", language=language)
    text = visitor.get(path).text
    parser = _Elements()
    parser.feed(text)
    for tag, attributes in parser.found:
        assert tag not in {"img", "iframe", "object", "embed", "base"}, (tag, attributes)
        assert tag != "script" or str(attributes.get("src")).startswith("/static/"), attributes
        assert not any(_ATTRIBUTES.match(name) for name in attributes), attributes
        link = str(attributes.get("href", attributes.get("action", "/")))
        assert link.startswith(("/", "#")), link
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text.replace("\r", ""))


def test_hostile_text_is_shown_not_hidden(city: City) -> None:
    """An escape sequence or a direction mark is visible, so that an analyst sees the trick."""
    page = browser(city, "m.kato").get("/incidents/3").text
    assert "\\x1b[31mred" in page
    assert "\\u202egnp.exe" in page


def test_templates_cannot_switch_escaping_off() -> None:
    """No template marks text as safe or turns autoescape off; every template compiles."""
    for path in sorted((FOLDER / "templates").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), path.name
        assert "autoescape" not in text, path.name
        assert "style=" not in text, path.name
        environment("ja", SystemClock()).get_template(path.name)


def test_a_kept_drawing_is_of_what_it_shows() -> None:
    """Hostile text is as inert the second time, and another value or language is another drawing."""
    marks, hostile = environment("ja", SystemClock()).globals["marks"], "<b>\u202e"
    ja, en = Texts("ja"), Texts("en")
    assert marks.entity(ja, "user.name", hostile) == marks.entity(ja, "user.name", hostile)
    assert "&lt;b&gt;\\u202e" in marks.entity(ja, "user.name", hostile)
    ours = marks.entity(ja, "user.name", Markup("<b>"))
    assert "&lt;b&gt;" in marks.entity(ja, "user.name", "<b>")  # which is equal to markup of ours
    assert "<b>" in ours and "<b>" in marks.entity(ja, "user.name", Markup("<b>"))
    assert len({str(marks.grade(t, grade)) for t in (ja, en) for grade in range(4)}) == 8


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_text_written_out_is_what_asking_for_it_prints(language: Language) -> None:
    """Every text of the catalogue, as a template has it when it is compiled and as one that is asked for while a page is made; one
    that takes values stays a question."""
    made, texts = environment(language, SystemClock()), Texts(language)
    keys = sorted(catalogue())
    fixed = made.from_string("\n".join(f"""{{{{ t("{key}") }}}}{{{{ t('{key}') }}}}""" for key in keys))
    asked = made.from_string("{% for key in keys %}{{ t(key) }}{{ t(key) }}\n{% endfor %}")
    assert fixed.render(t=texts).splitlines() == asked.render(t=texts, keys=keys).splitlines()
    assert texts("page.skip") in made.from_string('{{ t("page.skip") }}').render()
    with pytest.raises(Exception, match="undefined"):
        made.from_string('{{ t("case.events_n") }}').render()


def test_undefined_is_an_error_not_an_empty_text() -> None:
    """A slip in a template fails loudly in tests instead of leaving a hole in a page."""
    with pytest.raises(Exception, match="undefined"):
        environment("ja", SystemClock()).from_string("{{ no_such_name }}").render()
