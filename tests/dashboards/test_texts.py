"""The catalogue of texts: nothing missing, nothing unused, both languages with the same values."""

import re
import string
from pathlib import Path

import dashboards
from dashboards.named_values import named
from dashboards.texts import Texts, catalogue
from dashboards.users import ROLE_NAMES, Role
from hinomi.alert import Level
from hinomi.incident import Status, Verdict
from responders.playbooks.run import RunState, StepState
from tests.dashboards.browse import browser
from tests.dashboards.city import City

_ROOT = Path(next(iter(dashboards.__path__)))
_USED = re.compile(r"""["']([a-z]+\.[a-z0-9_]+)["']""")
_BY_DATA = {
    "grade", "level", "status", "verdict", "zone", "entity", "view", "kind", "range", "health", "what", "reason",
    "runstate", "stepstate", "error", "done", "next", "why", "digest", "plan", "queue", "theme", "target", "scope", "people", "stats",
    "control", "chapter", "compliance",
    "figures", "monthly", "annual", "drill", "telework", "department", "rulekind", "onepage", "rules", "views",
    "duty", "draft", "action", "task", "way", "message", "custodydone", "quietstate", "permitstate", "firststate", "exercises",
}  # fmt: skip


def _sources() -> str:
    files = [path for pattern in ("*.py", "*.html") for path in _ROOT.rglob(pattern)]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_both_languages_take_the_same_values() -> None:
    """A value that one language names the other names, too."""
    for key, words in catalogue().items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (words.ja, words.en)
        ]
        assert names[0] == names[1], key


def test_every_text_is_used() -> None:
    """No text stays behind when its page is gone."""
    text = _sources()
    for key in catalogue():
        if key.split(".")[0] not in _BY_DATA:
            assert f'"{key}"' in text or f"'{key}'" in text, key


def test_every_key_in_use_exists() -> None:
    """What templates and pages ask for by name is there."""
    asked = set(re.findall(r"""(?<!\w)t(?:exts)?\(\s*["']([a-z]+\.[a-z0-9_]+)["'](?!\s*~)""", _sources()))
    assert len(asked) > 100
    assert asked <= set(catalogue()), asked - set(catalogue())


def test_every_state_has_words() -> None:
    """Each member of the finite sets that pages show has a text."""
    sets = {
        "status": Status,
        "verdict": Verdict,
        "level": Level,
        "runstate": RunState,
        "stepstate": StepState,
    }
    for group, members in sets.items():
        for member in members:
            assert f"{group}.{member.value}" in catalogue()
    assert set(ROLE_NAMES) == set(Role)


def test_english_pages_have_no_japanese_but_names_and_data(city: City) -> None:
    """Sources and search in English: what is left in Japanese came from the data or names its own language."""
    visitor = browser(city, "a.kansa")
    visitor.get("/?lang=en")
    for path in ("/sources", "/reports", "/search?q=event.dataset:+squid.access"):
        text = visitor.get(path).text.replace("日本語", "").replace("監査 明", "")
        text = re.sub(r'<div class="event">.*?</dl></div></div>', "", text, flags=re.DOTALL)
        assert not re.search(r"[\u3041-\u30ff\u4e00-\u9fff]", text), path


def test_language_is_kept_and_switched_back(city: City) -> None:
    """?lang=en sets a cookie that the next page follows; the switch keeps the query."""
    visitor = browser(city, "a.kansa")
    assert "Incidents" in visitor.get("/?lang=en&q=rpa02").text
    page = visitor.get("/?q=rpa02").text
    assert 'lang="en"' in page
    assert 'href="/?q=rpa02&amp;lang=ja"' in page


def test_missing_translation_falls_back() -> None:
    """An alert with only one language is shown in that one."""
    assert Texts("en").of("日本語だけ", "") == "日本語だけ"


def test_values_go_by_the_names_that_people_know() -> None:
    """A segment, a level and a country are named; any other value is as the log has it."""
    texts = Texts("ja")
    asked = ("source.zone", "lgwan"), ("hinomi.signal.level", "high"), ("client.geo.country_iso_code", "US")
    assert [named(*one, texts) for one in asked] == ["LGWAN接続系", "高", "アメリカ合衆国"]
    assert named("user.name", "lgwan", texts) == "lgwan"
