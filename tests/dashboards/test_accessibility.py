"""axe-core over every page in a real Chromium, light and dark, wide and phone; nothing cut, squeezed or untranslated.

With HINOMI_SCREENSHOTS=docs/images the pictures of the documentation are taken here.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hinomi.incident import Verdict
from tests.dashboards.city import PEOPLE, City, seeded_city
from tests.dashboards.serving import serving
from tests.dashboards.test_browser import _CUT, _signed_in, chromium, telework

pytestmark = pytest.mark.browser
PAGES = {
    "queue": "/",
    "oncall": "/oncall",
    "automation": "/automation",
    "exercises": "/exercises",
    "permits": "/permits",
    "summary": "/summary",
    "incident": "/incidents/1",
    "verdict": "/incidents/2?act=verdict",
    "search": "/search?range=all&q=user.name:+t.yamada&field=event.action",
    "sources": "/sources",
    "rules": "/rules",
    "rule": "/rules/vpn_spray",
    "exceptions": "/exceptions",
    "compliance": "/compliance",
    "reports": "/reports",
    "account": "/account",
    "audit": "/audit",
    "keys": "/help/keys",
}
KEPT = {
    ("incident", "phone-dark-ja"), ("summary", "wide-light-ja"),
    ("compliance", "wide-light-ja"), ("queue", "phone-dark-ja"), ("compliance", "phone-dark-ja"), ("compliance", "wide-dark-en"),
    ("exceptions", "wide-light-ja"), ("exceptions", "phone-dark-ja"), ("exceptions", "wide-dark-en"),
    ("search", "wide-dark-en"), ("sources", "wide-dark-en"),
}  # fmt: skip
"""The pictures that the documentation keeps; the rest is only looked at."""
LOOKS = [
    ("wide-light-ja", 1440, "light", "ja"),
    ("phone-dark-ja", 360, "dark", "ja"),
    ("wide-dark-en", 1440, "dark", "en"),
]

__all__ = ["chromium"]


def _axe() -> str:
    """axe-core's own script, out of the package that ships it."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    found = sorted(Path(spec.origin).parent.rglob("axe.min.js"))
    return found[0].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The console over a city of its own."""
    city: City = seeded_city(tmp_path_factory.mktemp("axe"))
    _exceptions(city)
    with serving(city, telework()) as address:
        yield address
    city.records.close()
    city.events.close()


def _exceptions(city: City) -> None:
    """One in force and one that waits for a review, from an incident that was no attack."""
    cases, until = city.desk.cases, city.clock.now() + timedelta(days=90)
    by: dict[str, Any] = {"actor": "m.kato", "roles": PEOPLE["m.kato"][1]}
    city.desk.close("inc-2", Verdict.FALSE_POSITIVE, "委託業者の予定作業", **by)
    rule = str(city.records.find("alert", {"incident_id": "inc-2"})[0].body["rule_id"])
    where = cases.suggest_filter("inc-2", rule)
    first = cases.propose_filter("inc-2", rule, where, "同じ作業を毎週行うため", until, **by)
    cases.review_filter(first.id, True, "作業予定を確認した", actor="k.mori", roles=PEOPLE["k.mori"][1])
    city.clock.advance(timedelta(seconds=1))
    wider = {"user.name": where["user.name"]}
    cases.propose_filter("inc-2", rule, wider, "別の端末でも行う予定のため", until, **by)


@pytest.mark.slow
@pytest.mark.parametrize(("look", "width", "scheme", "language"), LOOKS, ids=[one[0] for one in LOOKS])
def test_no_serious_violation(
    chromium: Any, site: str, tmp_path: Path, look: str, width: int, scheme: str, language: str
) -> None:
    """No violation that axe-core calls serious or critical (WCAG 2.2 A and AA), on any page."""
    page, said = _signed_in(
        chromium,
        site,
        "y.ota",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,
        timezone_id="Asia/Tokyo",
    )
    script = _axe()
    folder = Path(os.environ.get("HINOMI_SCREENSHOTS") or tmp_path)
    wrong: list[str] = []
    for name, path in PAGES.items():
        page.goto(f"{site}{path}{'&' if '?' in path else '?'}lang={language}")
        page.evaluate(script)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
        for one in found["violations"]:
            if one["impact"] in {"serious", "critical"}:
                wrong += [f"{name}: {one['id']}: {node['html'][:160]}" for node in one["nodes"][:3]]
        cut = page.evaluate(_CUT)
        assert cut["wide"] <= 0, (name, cut["wide"])
        assert cut["out"] == [], name
        assert cut["thin"] == [], name
        assert len(cut["ids"]) == len(set(cut["ids"])), name
        if (name, look) in KEPT:
            page.screenshot(
                path=folder / f"console-{name}-{look}.png",
                clip={"x": 0, "y": 0, "width": width, "height": 900},
            )
    assert not wrong, "\n".join(wrong)
    assert said == []
    page.context.close()


def test_printed_summary_is_one_page(chromium: Any, site: str, tmp_path: Path) -> None:
    """The page for the head of a section fits one A4."""
    import pypdf

    page, _ = _signed_in(chromium, site, "y.ota")
    page.goto(f"{site}/summary")
    page.pdf(path=tmp_path / "summary.pdf", format="A4", prefer_css_page_size=True)
    assert len(pypdf.PdfReader(tmp_path / "summary.pdf").pages) == 1
    page.context.close()
