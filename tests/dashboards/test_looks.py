"""Every page of the console in every look: nothing cut or squeezed, nothing that axe-core calls serious, no word in the other
language. The pictures under docs/looks are of the same list.

Four looks are examined, in which each width, brightness and language meets each other one; axe-core, which takes longest, reads
each sight in one of them, or in all four where HINOMI_LOOKS is "all". With HINOMI_SCREENSHOTS=docs/looks the pictures of all
eight looks are taken, too, and those of sights that are no more are removed.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError

from dashboards.console.app import PAGES
from hinomi.words import Language
from tests.dashboards.looking import LOOKS, PAIRS, Look, Seen, Walk, picture, walking
from tests.dashboards.serving import CUT
from tests.dashboards.sights import NO_PAGE, SIGHTS, Sight

PICTURES = Path(__file__).parents[2] / "docs" / "looks"
MOST = 9_000_000
"""Bytes of all pictures together."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def test_every_page_is_looked_at() -> None:
    """A route that answers to GET is among the sights, or among what is no page; names are each given once."""
    asked = {page.path for page in PAGES if page.method == "GET"}
    looked = {sight.route for sight in SIGHTS if sight.route}
    assert asked == looked | NO_PAGE.keys()
    assert not looked & NO_PAGE.keys()
    assert len({sight.name for sight in SIGHTS}) == len(SIGHTS)


def axe() -> str:
    """axe-core's own script, out of the package that ships it."""
    spec = find_spec("axe_playwright_python")
    assert spec is not None and spec.origin is not None
    [found] = Path(spec.origin).parent.rglob("axe.min.js")
    return found.read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_in_every_look(chromium: Any, tmp_path: Path, language: Language) -> None:
    """Each sight is opened by its reader; what is wrong with any of them is said together."""
    folder, script, wrong = _folder(), axe(), list[str]()
    with walking(chromium, language, tmp_path) as walk:
        for sight in SIGHTS:
            try:
                seen = walk.see(sight)
                wrong += [f"{sight.name}: {one}" for one in _said(seen, walk)]
                for look in (one for one in LOOKS if one.language == language):
                    wrong += [
                        f"{sight.name} {look.name}: {one}" for one in _looked(seen, look, folder, script)
                    ]
            except PlaywrightError as error:
                wrong.append(f"{sight.name}: {error.message}")
    assert not wrong, "\n".join(wrong)


def _folder() -> Path | None:
    """Where pictures go, without those of sights that are no more; None where none are taken."""
    name = os.environ.get("HINOMI_SCREENSHOTS")
    if not name:
        return None
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    meant = {picture(sight, look) for sight in SIGHTS for look in LOOKS}
    for path in folder.glob("*.webp"):
        if path.name not in meant:
            path.unlink()
    return folder


def _looked(seen: Seen, look: Look, folder: Path | None, script: str) -> list[str]:
    """What is wrong with the page in this look, once its picture is taken."""
    if not folder and look not in PAIRS:
        return []
    seen.under(look)
    if folder:
        seen.photograph(folder, look)
    faults = _cut(seen) if look in PAIRS else []
    return faults + (_violations(seen, script) if look in _read_in(seen.sight) else [])


def _read_in(sight: Sight) -> tuple[Look, ...]:
    """The looks in which axe-core reads the sight: one, each sight the next one, or all."""
    return PAIRS if os.environ.get("HINOMI_LOOKS") == "all" else (PAIRS[SIGHTS.index(sight) % len(PAIRS)],)


def _said(seen: Seen, walk: Walk) -> list[str]:
    """Another answer than expected, words in the other language, what the browser complains of."""
    faults = [f"answered {seen.status}"] if seen.status != seen.sight.status else []
    faults += [f"other language: {one}" for one in walk.strange(seen.page)]
    refused = seen.sight.status >= 400 or seen.sight.name.endswith(
        ("-wrong", "-clash")
    )  # the browser reports each answer of 400 and more
    return faults + ([] if refused else [f"browser: {one}" for one in seen.said])


def _cut(seen: Seen) -> list[str]:
    """What is cut, squeezed, nameless or there twice."""
    cut = seen.page.evaluate(CUT)
    faults = [f"{cut['wide']} px wider than the screen"] if cut["wide"] > 0 else []
    faults += [f"{what}: {one}" for what in ("nameless", "out", "thin") for one in cut[what]]
    return faults + [f"id twice: {one}" for one in {one for one in cut["ids"] if cut["ids"].count(one) > 1}]


def _violations(seen: Seen, script: str) -> list[str]:
    """What axe-core calls serious or critical of WCAG 2.2 A and AA."""
    seen.page.evaluate(script)
    found = seen.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
    grave = [one for one in found["violations"] if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']}: {node['html'][:200]}" for one in grave for node in one["nodes"][:3]]


def test_every_page_has_its_pictures() -> None:
    """Eight of each sight, none of what is not there any more, and all together small."""
    pictures = {path.name: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert set(pictures) == {picture(sight, look) for sight in SIGHTS for look in LOOKS}
    assert sum(pictures.values()) < MOST
