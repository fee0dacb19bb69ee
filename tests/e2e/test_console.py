"""A real Chromium on a real tower: sign in, open the incident, approve the plan, see it carried out (dry run).

With HINOMI_SCREENSHOTS=docs/images the pictures of the README are taken here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from hinomi.store.embedded import SqliteRecords
from ops.demo.run import _people, _wait
from ops.demo.scenario import Scenario
from ops.demo.sending import send_all
from ops.demo.tower import DemoTower
from tests.e2e.tower import until
from tests.shared import chromium

pytestmark = pytest.mark.xdist_group("console")  # what is made once for all of them is made in one process


@dataclass
class Running:
    """The tower with the demo's day in it, its people's passwords, and a browser."""

    tower: DemoTower
    records: SqliteRecords
    passwords: dict[str, str]
    browser: Browser


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("console")
    tower = DemoTower(folder, Scenario(date(2026, 11, 20), scale=0.03).write(folder / "city"))
    tower.configure()
    records = SqliteRecords(tower.data / "records.sqlite")
    passwords = _people(records)
    try:
        tower.start()
        _wait(tower, records, send_all(tower))
        with chromium() as browser:
            yield Running(tower, records, passwords, browser)
    finally:
        tower.stop()
        records.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return Path(os.environ.get("HINOMI_SCREENSHOTS", tmp_path))


def signed_in(running: Running, name: str, **context: object) -> Page:
    page = running.browser.new_context(locale="ja-JP", timezone_id="Asia/Tokyo", **context).new_page()  # type: ignore[arg-type]
    page.goto(f"http://127.0.0.1:{running.tower.console_port}/")
    page.fill("input[name=account], input[name=name]", name)
    page.fill("input[type=password]", running.passwords[name])
    page.click("button[type=submit]")
    page.wait_for_selector("main")
    return page


@pytest.mark.browser
@pytest.mark.slow
def test_sign_in_open_approve(running: Running, pictures: Path) -> None:
    """The approver sees the queue, opens the incident, takes it with one key, approves in the next step's box; the respond
    process carries the plan out as a dry run. Then every incident of the demo is judged in three keys from the queue."""
    page = signed_in(running, "suzuki", viewport={"width": 1360, "height": 820})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.screenshot(path=str(pictures / "console.png"))
    page.click("a.title:has-text('t.yamada')")
    page.wait_for_selector("h1")
    assert "t.yamada" in page.inner_text("h1")
    page.screenshot(path=str(pictures / "incident.png"))
    page.screenshot(path=str(pictures / "incident-full.png"), full_page=True)
    assert "「対応を始める」を押してください" in page.inner_text(".next-step")
    page.keyboard.press("a")
    page.wait_for_url("**?done=acknowledged")
    assert "承認するか却下" in page.inner_text(".next-step")
    page.screenshot(path=str(pictures / "walk-approve.png"))
    before = running.records.count("approval", {"state": "approved"})
    page.click(".next-step button[value=approve]")
    page.wait_for_load_state()
    assert running.records.count("approval", {"state": "approved"}) == before + 1
    until(
        lambda: running.records.count("playbook_run", {"state": "done"}) > 0, 20, "the plan was carried out"
    )
    page.reload()
    assert "予行" in page.content()
    for number in range(
        running.records.count("incident", {"status": ["new", "acknowledged", "in_progress"]})
    ):
        _judge_the_first(running, page, pictures if number == 0 else None)
    page.goto(f"http://127.0.0.1:{running.tower.console_port}/")
    assert page.locator("[data-row]").count() == 0
    assert problems == []


def _judge_the_first(running: Running, page: Page, pictures: Path | None) -> None:
    """From the queue to the verdict of its most urgent incident in three keys: j, v, 1. The second incident is judged by
    mouse in two clicks."""
    closed = running.records.count("incident", {"status": "closed"})
    page.goto(f"http://127.0.0.1:{running.tower.console_port}/")
    number = page.get_attribute("[data-row] >> nth=0", "data-number")
    if pictures is not None:
        page.keyboard.press("j")
        page.screenshot(path=str(pictures / "walk-queue.png"))
        page.keyboard.press("v")
        page.wait_for_selector("[data-verdict][data-open]")
        page.screenshot(path=str(pictures / "walk-verdict.png"))
        page.keyboard.press("1")
    else:
        page.click(f"[data-number='{number}'] a.judge")
        page.click("button[name=verdict] >> nth=0")
    page.wait_for_url("**?done=closed")
    assert running.records.count("incident", {"status": "closed"}) == closed + 1
    assert page.locator(".next-step").count() == 0
    if pictures is not None:
        page.screenshot(path=str(pictures / "walk-done.png"))


@pytest.mark.browser
@pytest.mark.slow
def test_an_exercise_is_recorded_and_counts(running: Running) -> None:
    """From the page on compliance to the form; what was recorded stands on the page, and 5.2 is no gap any more."""
    page = signed_in(running, "sato", viewport={"width": 390, "height": 844})
    page.goto(f"http://127.0.0.1:{running.tower.console_port}/compliance")
    page.click("a[href='/exercises'] >> nth=0")
    assert "不足" in page.inner_text("main")
    page.click("summary:has-text('行った訓練')")
    page.fill("#exercise-title", "夜間の連絡訓練")
    page.fill("#exercise-people", "総務課 12人\n副市長(CISO)")
    page.click("form[action='/exercises'] button")
    page.wait_for_url("**?done=exercise_added")
    said = page.inner_text("main")
    assert "1年以内に訓練があります" in said and "総務課 12人、副市長(CISO)" in said
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"http://127.0.0.1:{running.tower.console_port}/compliance?again=yes")
    assert "訓練 1 回" in page.text_content("[id='MIC-5.2']")  # type: ignore[operator]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360])
def test_no_page_is_wider_than_the_screen(running: Running, pictures: Path, width: int, scheme: str) -> None:
    """Queue, incident, search, sources and reports fit a telephone and a desk, light and dark."""
    page = signed_in(running, "sato", viewport={"width": width, "height": 844}, color_scheme=scheme)
    for name, path in {
        "queue": "/",
        "incident": "/incidents/1",
        "search": "/search?range=all&q=source.ip:+203.0.113.66",
        "sources": "/sources",
        "reports": "/reports",
        "on call": "/oncall",
        "automation": "/automation",
    }.items():
        answer = page.goto(f"http://127.0.0.1:{running.tower.console_port}{path}")
        assert answer is not None and answer.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if "HINOMI_SCREENSHOTS" in os.environ and name in ("queue", "incident", "search"):
            page.screenshot(path=str(pictures / f"{name}-{width}-{scheme}.png"))
