"""Events by id within a short span: the same answers as without one, whatever order the rows are in; damage is told."""

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from hinomi.batch import Batch
from hinomi.errors import PartDamaged
from hinomi.store import Span
from hinomi.store.embedded import ParquetEvents, pinpoint
from hinomi.store.embedded.pinpoint import Pinpoint
from tests.contract.test_events import START, batch

MINUTE = timedelta(minutes=1)


@pytest.fixture
def events(tmp_path: Path) -> ParquetEvents:
    """Three files of a day: 5,000 rows in order, 3,000 in none, 10 of another dataset with a field of their own."""
    made = ParquetEvents(tmp_path)
    ordered = batch(n=5_000).frame.with_columns(
        (START + pl.int_range(5_000) * timedelta(seconds=3))
        .cast(pl.Datetime("ns", "UTC"))
        .alias("@timestamp")
    )
    mixed = ordered[:3_000].sample(fraction=1, shuffle=True, seed=8)
    made.append([Batch("fortinet.fortigate", ordered, "fw")])
    made.append([Batch("fortinet.fortigate", mixed.with_columns(pl.col("event.id") + "-b"), "fw")])
    other = batch(dataset="squid.access").frame.with_columns(pl.lit("x").alias("vendor.z"))
    made.append([Batch("squid.access", other, "proxy")])
    return made


@pytest.mark.parametrize("at_once", [pinpoint._AT_ONCE, 999])
def test_a_short_span_gives_what_everything_gives(
    events: ParquetEvents, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 spans the same events, values and order as DuckDB finds over all files, also where a file is read in pieces; a time at
    the end belongs to the next."""
    monkeypatch.setattr(pinpoint, "_AT_ONCE", at_once)
    chance = random.Random(8)
    for _ in range(40):
        numbers = chance.sample(range(5_000), 30)
        ids = [f"fortinet.fortigate-{n:04d}{chance.choice(('', '-b'))}" for n in numbers] + [
            "squid.access-0003",
            "?",
        ]
        start = START + timedelta(seconds=3 * chance.randrange(5_000))
        span = Span(start, start + timedelta(seconds=3 * chance.randrange(1, 4_000)))
        assert Pinpoint.fits(span)
        whole = [row for row in events.get(ids) if span.start <= row["@timestamp"] < span.end]
        assert events.get(ids, span=span) == whole
    events.close()


def test_what_does_not_fit_is_asked_of_all(events: ParquetEvents) -> None:
    """A span without an end, and one of more than a day, find it too; where no file is, and of no id, there is nothing."""
    wanted = ["squid.access-0003"]
    for span in (Span(START, None), Span(START, START + timedelta(days=2)), Span(START, START + MINUTE * 9)):
        assert [row["vendor.z"] for row in events.get(wanted, span=span)] == ["x"]
    far = Span(START + timedelta(days=9), START + timedelta(days=9, hours=1))
    assert events.get(wanted, span=far) == events.get(["?"], span=Span(START, START + MINUTE)) == []
    events.close()


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_damaged_file_is_named_and_one_put_back_is_read(events: ParquetEvents, harm: str) -> None:
    """After the file was read once as well; what was remembered of the damaged one does not hold of the one put back."""
    [file] = events.files("squid.access")
    path, span = events.path_of(file), Span(START, START + timedelta(hours=1))
    assert len(events.get(["squid.access-0003"], datasets=["squid.access"], span=span)) == 1
    content = path.read_bytes()
    path.unlink() if harm == "gone" else path.write_bytes(content[:200])
    with pytest.raises(PartDamaged) as told:
        events.get(["squid.access-0003"], datasets=["squid.access"], span=span)
    assert path.name in told.value.ja
    path.write_bytes(content)
    assert len(events.get(["squid.access-0003"], datasets=["squid.access"], span=span)) == 1
    events.close()
