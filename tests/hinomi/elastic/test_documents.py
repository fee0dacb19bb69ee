"""Frames as documents: made column by column, each is what a dict an event would say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.store.elastic import documents
from hinomi.store.elastic.bulk import Item, _lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_COLUMNS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    'vendor."quoted" {x}': (pl.String, st.text(max_size=12) | st.sampled_from(["a\x1fb", '"\x1f{\x1f'])),
    "*": (pl.String, st.text(max_size=3)),
    "^source.*$": (pl.String, st.text(max_size=3)),
    "user.name": (pl.String, st.sampled_from(["t.yamada", '"}', "{", "", "火の見\n", "\\", "\x00"])),
    "source.port": (pl.Int64, st.integers(-(2**63), 2**63 - 1)),
    "event.risk_score": (pl.Float64, st.floats()),
    "observer.up": (pl.Boolean, st.booleans()),
    "related.ip": (pl.List(pl.String), st.lists(st.sampled_from(["203.0.113.9", "}", '"']), max_size=3)),
}


@st.composite
def _rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows whose columns are full, empty, or partly so."""
    number = draw(st.integers(1, 5))
    kinds = {name: draw(st.sampled_from(["full", "none", "some"])) for name in _COLUMNS}
    return [
        {
            name: draw(values)
            if kinds[name] == "full" or (kinds[name] == "some" and draw(st.booleans()))
            else None
            for name, (_, values) in _COLUMNS.items()
        }
        for _ in range(number)
    ]


def _shown(name: str, value: Any) -> Any:
    return ecs.values_of(value) if isinstance(value, str) and ecs.several(name) else value


@given(rows=_rows())
def test_a_document_is_what_its_row_says(rows: list[dict[str, Any]]) -> None:
    """Whatever names and values hold and whichever columns are full, partly full or empty: the JSON is the row without
    what is null or no number, a vendor's several values a list, and the request is one line to say where and one that holds it."""
    frame = pl.DataFrame(
        {name: pl.Series([row[name] for row in rows], dtype=dtype) for name, (dtype, _) in _COLUMNS.items()}
    ).with_columns(
        pl.Series("@timestamp", [NOW] * len(rows)).cast(ecs.TIME),
        pl.Series("event.ingested", [NOW] * len(rows)).cast(ecs.TIME),
        pl.Series("event.id", [f"e{n}" for n in range(len(rows))]),
    )
    made: list[Item] = list(documents.items(Batch("linux.auth", frame), "default"))
    for n, (row, item) in enumerate(zip(rows, made, strict=True)):
        said = orjson.loads(item.body)
        times = {said.pop("@timestamp"), said.pop("event.ingested")}
        assert times == {"2026-11-20T12:00:00.000000000Z"} and said.pop("event.id") == item.id == f"e{n}"
        want = {name: _shown(name, value) for name, value in row.items() if value is not None}
        if want.get("event.risk_score") != want.get("event.risk_score") or abs(
            want.get("event.risk_score", 0.0)
        ) == float("inf"):
            del want["event.risk_score"]
        assert said == want
    lines = _lines(made).split(b"\n")
    assert lines.pop() == b"" and len(lines) == 2 * len(rows)
    assert [orjson.loads(line)["create"]["_id"] for line in lines[::2]] == [item.id for item in made]
    assert lines[1::2] == [item.body for item in made]


def test_each_event_goes_to_the_index_of_its_day() -> None:
    """Events of several days, in any order, and one whose clock is plainly wrong: its index is of the day that it came on."""
    moments = [NOW, NOW - timedelta(days=1), datetime(2031, 1, 1, tzinfo=UTC), NOW, NOW - timedelta(days=1)]
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series(moments).cast(ecs.TIME),
            "event.ingested": pl.Series([NOW] * len(moments)).cast(ecs.TIME),
            "event.id": [f"e{n}" for n in range(len(moments))],
        }
    )
    for several, days in ((frame, [20, 19, 20, 20, 19]), (frame[:1], [20]), (frame[1:2], [19])):
        made = documents.items(Batch("linux.auth", several), "default")
        assert [item.place for item in made] == [f"logs-linux.auth-default-2026.11.{day}" for day in days]


def test_times_before_1970_and_empty_frames() -> None:
    """A day that date_nanos has no words for is its first; nothing gives nothing."""
    old = datetime(1907, 1, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "@timestamp": pl.Series([old]).cast(ecs.TIME),
            "event.ingested": pl.Series([NOW]).cast(ecs.TIME),
            "event.id": ["e"],
        }
    )
    [item] = documents.items(Batch("linux.auth", frame), "default")
    assert orjson.loads(item.body)["@timestamp"].startswith("1970-01-01T")
    assert list(documents.items(Batch("linux.auth", frame.clear()), "default")) == []
    assert _lines([]) == b""


def test_a_text_is_the_same_whatever_document_stands_beside_it() -> None:
    """A vendor's field of a document, an empty text among them, does not depend on whether another holds several values."""
    held: list[dict[str, Any]] = [{"v.x": "a"}, {"v.x": ""}, {}, {"v.x": ["b", "c"]}, {"v.x": [""]}]
    together = documents.frame(held)["v.x"].to_list()
    assert together == ["a", "", None, "b\x1fc", ""]
    alone = [documents.frame([*held[2:3], one]) for one in held]
    assert [frame["v.x"][1] if "v.x" in frame.columns else None for frame in alone] == together
