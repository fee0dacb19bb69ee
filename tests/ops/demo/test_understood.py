"""The demo's raw lines in the sources: recognised, parsed whole, and with the day's own time."""

import datetime

import polars as pl
import pytest

from collectors import catalogue
from hinomi import ecs
from hinomi.clock import JST
from ops.demo.scenario import CHANNELS
from tests.ops.demo.conftest import DATE

_ARRIVED = datetime.datetime.combine(DATE + datetime.timedelta(days=1), datetime.time(1), JST)


def _intake(source: str, lines: list[bytes]) -> pl.DataFrame:
    """Lines as the pipeline hands them over, an hour after the day."""
    encoding = CHANNELS[source][0].encoding
    return pl.DataFrame({"message": [line.decode(encoding) for line in lines]}).with_columns(
        pl.lit("").alias("peer"),
        pl.lit(_ARRIVED).dt.convert_time_zone("UTC").cast(ecs.TIME).alias("received"),
    )


@pytest.mark.parametrize("source", CHANNELS)
def test_every_line_is_understood(small: dict[str, list[bytes]], source: str) -> None:
    """No line of the demo becomes a dead letter, and each event has the time of the demo's day."""
    parsed = catalogue.find(source).parse(_intake(source, small[source]))
    assert set(parsed.rejected["reason"]) <= {"header_line"}
    assert parsed.rejected.height <= 1
    midnight = datetime.datetime.combine(DATE, datetime.time(), JST)
    for frame in parsed.frames:
        times = frame["@timestamp"]
        assert times.null_count() == 0
        first, last = times.min(), times.max()
        assert isinstance(first, datetime.datetime) and isinstance(last, datetime.datetime)
        assert midnight - datetime.timedelta(days=1) <= first <= last <= _ARRIVED


@pytest.mark.parametrize("source", CHANNELS)
def test_every_stream_is_recognised(small: dict[str, list[bytes]], source: str) -> None:
    """A listener that is told nothing finds out what the sender speaks from its first 200 lines."""
    assert catalogue.recognise(_intake(source, small[source][:200])["message"].to_list()) == source
