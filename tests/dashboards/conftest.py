"""The seeded city, once a module for tests that only look and once a test for those that change it; a browser to look with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import shared
from tests.dashboards.city import City, empty_city, seeded_city


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that tests read."""
    made = seeded_city(tmp_path_factory.mktemp("city"))
    yield made
    made.close()


@pytest.fixture
def own_city(tmp_path: Path) -> Iterator[City]:
    """A city of one test's own."""
    made = seeded_city(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bare_city(tmp_path: Path) -> Iterator[City]:
    """People, and nothing else yet."""
    made = empty_city(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    with shared.chromium() as browser:
        yield browser
