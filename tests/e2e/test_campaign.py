"""The fault campaign's short form; the whole: `HINOMI_CAMPAIGN=full python -m benchmarks campaign`."""

import re

import pytest

from benchmarks import campaign
from tests import elastic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), *elastic.ON_ELASTIC]


def test_nothing_is_lost_or_told_twice_whatever_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """A node, a collector, a detector, a responder killed, the cluster away, a full disk, a damaged spool: each event
    once, each attack one alert, each told once, no process beyond its memory (the campaign ends with an error else)."""
    elastic.running()  # skips where there can be none
    campaign.run(campaign.SHORT, elastic.VERSION)
    said = capsys.readouterr().out
    for fault in (
        "kill node",
        "kill collect",
        "kill detect",
        "kill respond",
        "cluster away",
        "spool tail damaged",
    ):
        assert re.search(rf"\b{fault} [1-9]", said), (fault, said)
    assert "was told once" in said
