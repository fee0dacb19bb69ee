"""What a test needs from outside the project: other people's data, a browser, real servers.

Absent, the test skips and says what is missing; under HINOMI_REQUIRE=all a skip is a failure.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("HINOMI_SHARED", Path(__file__).parents[2] / "shared"))
DATA = SHARED / "data"
_CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing(reason: str) -> None:
    """Skip, or fail where everything is required. Does not return."""
    if os.environ.get("HINOMI_REQUIRE") == "all":
        pytest.fail(f"required but missing: {reason}")
    pytest.skip(reason)


def corpus(*parts: str) -> Path:
    """A path below ../shared/data."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        missing(f"corpus {'/'.join(parts)} is not at {DATA} (set HINOMI_SHARED)")
    return path


def program(*names: str) -> str:
    """The first of these programs that is installed (also looks in /usr/sbin)."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    for name in names:
        if found := shutil.which(name, path=search):
            return found
    missing(f"program {' or '.join(names)} is not installed")
    raise AssertionError("unreachable")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium, of Playwright."""
    from playwright.sync_api import sync_playwright

    path = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM)
        yield browser
        browser.close()
