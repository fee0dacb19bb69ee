"""Records of a kind read a name at a time say what each says alone, whatever a sender writes."""

from typing import Any

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from collectors import many, records
from collectors.many import Many
from collectors.sources.microsoft_m365_audit import source

_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "v", " - ", "N/A", " " * 50, "192.0.2.1:443", "::ffff:192.0.2.1", "あ"])
    | st.sampled_from([[], ["a"], {}, {"b": "c"}, {"b": "-"}])
)
_DOCUMENTS = st.lists(st.dictionaries(st.sampled_from("ab"), _VALUES), min_size=1, max_size=5)
_TIMES = st.sampled_from(
    (
        *(
            "2026-11-20T01:02:03",
            "2026-11-20T24:02:03Z",
            "2026-02-30 01:02:03",
            "2026-11-20T01:02:60",
            "x",
            "",
        ),
        *("2026-11-20T01:02:03.1234567Z", "2026-11-20T01:02:03+09:00", "3/24/2022 2:42:35 PM"),
        "0001-01-01T00:00:00",
    )
)


@given(documents=_DOCUMENTS)
@example(documents=[{"a": " null "}, {"a": "v"}])
@example(documents=[{"a": 1}, {"a": 1.5}])
def test_a_column_of_texts_is_the_text_of_each_record(documents: list[dict[str, Any]]) -> None:
    """Of the records, of objects below them, and of addresses: words for nothing are nothing."""
    whole = Many(documents)
    for name in "ab":
        assert list(whole.text(name)) == [records.text(one, name) for one in documents]
        assert list(whole.below(name).text("b")) == [records.text(one, name, "b") for one in documents]
        pairs = list(zip(*many.addresses(whole.values(name)), strict=True))
        assert pairs == [records.address(one.get(name)) for one in documents]
        assert whole.have(name) == any(name in one for one in documents)
    pairs = list(zip(*many.addresses(whole.values("a"), whole.values("b")), strict=True))
    assert pairs == [records.first_address(one.get("a"), one.get("b")) for one in documents]
    either = [records.text(one, "a") or records.text(one, "b") for one in documents]
    assert list(many.first(whole.text("a"), whole.text("b"))) == either


@given(values=st.lists(_TIMES | st.none(), min_size=1, max_size=5))
@example(values=["2026-11-20T01:02:03.9999999Z", "2026-02-29T00:00:00"])
@example(values=["2026-11-20T01:02:03"])
def test_a_column_of_times_is_the_time_of_each(values: list[str | None]) -> None:
    """By Polars where all are plain, by Python where any is not: dates that there are not are none."""
    assert many.times(values).to_list() == [records.time(one) for one in values]


def test_what_a_record_says_itself_stands_over_the_column_even_where_it_is_nothing() -> None:
    """A later part that knows that there is no value takes the earlier one away."""
    columns: dict[str, Any] = {"x": ["1", "2", "3"]}
    many.laid_over(columns, [{"x": None}, {}, {"x": "4", "y": "5"}])
    assert columns == {"x": [None, "2", "4"], "y": [None, None, "5"]}


def test_records_of_another_kind_among_them_are_left_out() -> None:
    """The function is asked of this product's records only; the others are rejected."""
    lines = [
        '{"Operation":"Send","RecordType":2}',
        '{"Operation":"Send"}',
        '{"RecordType":2,"Operation":"-"}',
    ]
    parsed = source.parse(pl.DataFrame({"message": lines, "peer": [""] * 3}))
    assert [frame["row"].to_list() for frame in parsed.frames if frame.height] == [[0]]
    assert sorted(parsed.rejected["row"].to_list()) == [1, 2]


def test_a_name_that_a_sender_chose_is_made_plain() -> None:
    """A star or a caret in a column's name would be a pattern to Polars, of a text and of a finished column alike."""
    records_ = Many([{"x": "1"}])
    columns = many.made({"azure.a*b": ["1"], "^c$": pl.Series(["2"])}, records_)
    assert [column.name for column in columns] == ["azure.a_b", "_c$"]
