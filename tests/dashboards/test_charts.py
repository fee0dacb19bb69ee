"""Charts are well-formed, inert, and tell the truth about their numbers."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboards.charts import Bar, bars, columns, interval_for, nice_ceiling
from hinomi.store import Bucket
from tests.dashboards.city import HOSTILE

START = datetime(2026, 11, 19, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
SVG = "{http://www.w3.org/2000/svg}"


def _rects(svg: str, kind: str) -> list[ElementTree.Element]:
    return [rect for rect in ElementTree.fromstring(svg).iter(f"{SVG}rect") if rect.get("class") == kind]


@given(some.lists(some.integers(0, 10**9), max_size=80))
def test_columns_are_as_high_as_their_counts(counts: list[int]) -> None:
    """One bar for each count above zero, none higher than the frame, higher for more."""
    buckets = [Bucket(START + HOUR * n, count) for n, count in enumerate(counts)]
    heights = [float(r.get("height", 0)) for r in _rects(columns(buckets, HOUR, label="x"), "b0")]
    shown = [count for count in counts if count]
    assert len(heights) == len(shown)
    assert all(height <= 150 for height in heights)
    ranked = [height for _, height in sorted(zip(shown, heights, strict=True))]
    assert ranked == sorted(ranked)


@given(some.text(max_size=60))
def test_any_text_is_inert(text: str) -> None:
    """Whatever a label says the drawing parses and has no element of the label's making."""
    svg = bars([Bar(text, 3)], label=text, no_data=text)
    names = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert names <= {"svg", "rect", "text", "title", "line"}


def test_hostile_labels_and_links() -> None:
    """Markup in labels and quotes in links stay text."""
    drawn = columns([Bucket(START, 1)], HOUR, label=HOSTILE, links=['/search?q="><script>'])
    assert "<script" not in drawn
    assert "<img" not in bars([Bar(HOSTILE, 1)], label="x", no_data="")
    ElementTree.fromstring(drawn)


def test_missing_is_not_zero() -> None:
    """No data is a gap with a word; zero is a zero without a bar."""
    drawn = bars([Bar("a", None), Bar("b", 0)], label="x", no_data="記録なし")
    assert len(_rects(drawn, "gap")) == 1
    assert "記録なし" in drawn
    assert _rects(drawn, "b0") == []
    unknown = columns([Bucket(START, 0), Bucket(START + HOUR, 2)], HOUR, label="x", unknown=[True, False])
    assert len(_rects(unknown, "gap")) == 1


@pytest.mark.parametrize(
    ("span", "interval"),
    [
        (timedelta(minutes=15), timedelta(seconds=15)),
        (timedelta(hours=24), timedelta(minutes=30)),
        (timedelta(days=7), timedelta(hours=3)),
        (timedelta(days=400), timedelta(days=7)),
        (timedelta(days=7 * 72 * 3), timedelta(days=21)),
    ],
)
def test_intervals(span: timedelta, interval: timedelta) -> None:
    """Intervals are round and never give more than 72 bars."""
    assert interval_for(START, START + span) == interval


@given(some.integers(1, 10**12))
def test_nice_ceiling(value: int) -> None:
    """At least the value, less than two and a half times it, 1, 2 or 5 at the front."""
    nice = nice_ceiling(value)
    assert value <= nice < 2.5 * value + 1
    assert str(nice).rstrip("0") in {"1", "2", "5"}
