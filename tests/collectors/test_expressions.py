"""The words that sources are written with: what gathers, maps and recognises values."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from collectors import derivation
from collectors import expressions as e

_VALUE = st.none() | st.sampled_from(["a", "b", "", "x\x1fy"]) | st.text(max_size=5)


def _related(**columns: list[object]) -> pl.DataFrame:
    return derivation.related(
        pl.DataFrame({name.replace("_", "."): values for name, values in columns.items()})
    )


def test_related_holds_each_value_once_in_order() -> None:
    """The same address at both ends is one address; a line without any has no list."""
    frame = _related(
        source_ip=["192.0.2.1", "192.0.2.1", None],
        destination_ip=["192.0.2.2", "192.0.2.1", None],
        user_name=["a", None, ""],
    )
    assert frame["related.ip"].to_list() == [["192.0.2.1", "192.0.2.2"], ["192.0.2.1"], None]
    assert frame["related.user"].to_list() == [["a"], None, None]


def test_related_takes_lists() -> None:
    """A host with several addresses adds them all."""
    frame = _related(source_ip=["192.0.2.1"], host_ip=[["192.0.2.1", "192.0.2.9"]])
    assert frame["related.ip"].to_list() == [["192.0.2.1", "192.0.2.9"]]


@given(st.lists(st.tuples(_VALUE, _VALUE, _VALUE), max_size=5))
def test_related_is_what_a_loop_would_gather(rows: list[tuple[str | None, str | None, str | None]]) -> None:
    """No value is lost, doubled or torn apart, whatever a sender writes into a name."""
    names = ("user.name", "source.user.name", "user.target.name")
    frame = pl.DataFrame(
        {name: [row[index] for row in rows] for index, name in enumerate(names)},
        schema=dict.fromkeys(names, pl.String),
    )
    expected = [[value.replace("\x1f", " ") for value in dict.fromkeys(row) if value] or None for row in rows]
    found = derivation.related(frame)
    got = found["related.user"].to_list() if "related.user" in found.columns else [None] * len(rows)
    assert [sorted(value) if value else None for value in got] == [
        sorted(value) if value else None for value in expected
    ]


def test_a_time_beyond_what_nanoseconds_hold_is_none() -> None:
    """The year 9999 of a device without a battery does not turn up in 1816."""
    frame = pl.DataFrame({"text": ["9999-12-31 23:59:59", "2026-11-20 12:14:05"]})
    naive = pl.col("text").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
    found = frame.select(e.time_or(e.local(naive))).to_series().dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found.to_list() == [None, "2026-11-20T03:14:05Z"]
