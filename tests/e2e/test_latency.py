"""From a raw log line to the delivered mail on a real tower; `benchmarks.latency` is the measurement on a quiet machine."""

from pathlib import Path

import pytest

from benchmarks import latency, storm


@pytest.mark.slow
def test_each_line_that_calls_somebody_is_a_mail_soon(tmp_path: Path) -> None:
    """Ten pages behind 1,000 events a second: every one is delivered by a real SMTP server, whatever else the machine does
    within half a minute (the limit of 5 s at 5,000 events a second is the benchmark's)."""
    assert latency.run(tmp_path, seconds=5, rate=1_000, pages=2) < 30


def test_a_storm_is_five_messages_and_delays_nothing_serious() -> None:
    """The short form of `benchmarks.storm`: 400 alerts, three serious incidents in the midst of them."""
    assert storm.main(400, 100)
