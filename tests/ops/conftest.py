"""What tests of commands share."""

import pytest

from tests.ops.typed import Typed


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs a command in this process."""
    return Typed(monkeypatch, capsys)
