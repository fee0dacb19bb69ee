"""Two days shared by the demo's tests: a small whole one, and a full one without the attack."""

import datetime
from pathlib import Path

import pytest

from ops.demo.scenario import CHANNELS, Manifest, Scenario

DATE = datetime.date(2026, 11, 20)


@pytest.fixture(scope="session")
def small() -> dict[str, list[bytes]]:
    """Source → lines of a small day with the whole attack."""
    return {stream.source: list(stream.lines) for stream in Scenario(DATE, scale=0.02).streams()}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The small day as files."""
    folder: Path = tmp_path_factory.mktemp("day")
    return Scenario(DATE, scale=0.02).write(folder)


@pytest.fixture(scope="session")
def ordinary() -> dict[str, list[bytes]]:
    """Source → lines of a full day on which nothing happens."""
    scenario = Scenario(DATE)
    return {source: list(scenario.dull(source)) for source in CHANNELS}
