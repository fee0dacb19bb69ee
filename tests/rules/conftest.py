"""The public collection, compiled once for all tests of a run."""

import os
from pathlib import Path

import pytest

from rules.engine import RuleSet, load
from tests import shared


@pytest.fixture(scope="session")
def run_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of compiled rules that every worker of this run shares, and no later run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled-rules"


@pytest.fixture(scope="session")
def public(run_cache: Path) -> RuleSet:
    """Every rule of the public collection."""
    return load([shared.corpus("sigma")], cache=run_cache)
