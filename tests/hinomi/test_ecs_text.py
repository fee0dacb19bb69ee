"""Documents written natively are the documents that are written one by one, whatever the columns hold."""

from datetime import UTC, datetime

import orjson
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi import ecs, ecs_text

TEXT = st.one_of(
    st.none(), st.sampled_from(["", "a", 'q"\\/', "\x00\x1f\x7f", "海\u2028", "😀", "<&>", "null"])
)
NUMBER = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
FLOAT = st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.5, 1e300, 1e-7, float("nan"), float("inf"), 3.0]))
TIME = st.one_of(
    st.none(),
    st.sampled_from([datetime(2026, 11, 28, 9, 1, 2, 345678, UTC), datetime(1999, 1, 1, tzinfo=UTC)]),
)
COLUMNS: dict[str, tuple[st.SearchStrategy[object], pl.DataType]] = {
    "a": (TEXT, pl.String()),
    "a.b": (TEXT, pl.String()),
    "a.b.c": (NUMBER, pl.Int64()),
    "a.value": (TEXT, pl.String()),
    "x.y": (FLOAT, pl.Float64()),
    "x.list": (st.one_of(st.none(), st.lists(TEXT, max_size=3)), pl.List(pl.String())),
    "x.numbers": (st.one_of(st.none(), st.lists(NUMBER, max_size=2)), pl.List(pl.Int64())),
    "ok": (st.one_of(st.none(), st.booleans()), pl.Boolean()),
    "at": (TIME, ecs.TIME),
    "with space.$": (TEXT, pl.String()),
}  # fmt: skip


@st.composite
def _frames(draw: st.DrawFn) -> pl.DataFrame:
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, min_size=1))
    rows = draw(st.integers(1, 3))
    cells = {name: [draw(COLUMNS[name][0]) for _ in range(rows)] for name in names}
    columns = [pl.Series(name, cells[name], dtype=COLUMNS[name][1]) for name in names]
    return pl.concat([pl.DataFrame(columns)] * draw(st.sampled_from([1, 40])))


@settings(max_examples=300, deadline=None)
@given(frame=_frames())
def test_same_documents(frame: pl.DataFrame) -> None:
    """Nulls left out, a name that is value and prefix, times, lists, letters of every kind, numbers that are none."""
    expected = [orjson.loads(orjson.dumps(document)) for document in ecs.documents(frame)]
    assert [orjson.loads(text) for text in ecs_text.texts(frame)] == expected


def test_columns_are_written_together() -> None:
    """Many rows that lack the same columns take the native way: nothing asks for an object of them."""
    frame = pl.DataFrame({"a.b": ["x", None] * 50, "n": list(range(100)), "none": [None] * 100})
    assert len(ecs_text._alike(frame.drop("none"))) == 2
    assert ecs_text.texts(frame)[:2] == [b'{"a":{"b":"x"},"n":0}', b'{"n":1}']
