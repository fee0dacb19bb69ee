"""Leaves of documents as columns: a level at a time gives what leaf by leaf gives, whatever a sender writes."""

from typing import Any

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.framed import MOST_VENDOR_COLUMNS, frame_of
from collectors.leaves import leaf_columns, leaves_of

_NAMES = st.sampled_from(["a", "b", "a.b", "x*", "^y", "", "名前"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "v", "-", "\x1f"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=12,
)
_DOCUMENTS = st.lists(st.dictionaries(_NAMES, _VALUES, max_size=4), min_size=1, max_size=6)


def _said(columns: list[pl.Series]) -> dict[str, tuple[Any, list[Any]]]:
    return {one.name: (one.dtype, one.to_list()) for one in columns if one.null_count() < len(one)}


@settings(max_examples=400, deadline=None)
@given(documents=_DOCUMENTS)
@example(documents=[{"a": {"b": "1"}, "a.b": "2"}, {"a.b": "3", "a": {"b": "4"}}])
@example(documents=[{"a": [{"Name": "x"}]}, {"a": ["y", "z"]}, {"a": "w"}, {"a": {"b": 1}}])
@example(documents=[{"a": {"a": {"a": {"a": {"a": {"a": {"a": {"b": 1}}}}}}}}, {"a": {}}])
def test_a_level_at_a_time_gives_what_leaf_by_leaf_gives(documents: list[dict[str, Any]]) -> None:
    """The same columns, types and values, for names with dots and signs, mixed types, deep and empty objects."""
    one_by_one = frame_of([leaves_of(document) for document in documents]).get_columns()
    assert _said(leaf_columns(documents)) == _said(one_by_one)


def test_senders_who_invent_names_get_no_more_columns_than_there_may_be() -> None:
    """Names without end fill no memory: the commonest stay."""
    documents = [{f"n{i}_{j}": "v" for j in range(200)} | {"kept": "v"} for i in range(20)]
    names = {column.name for column in leaf_columns(documents)}
    assert len(names) == MOST_VENDOR_COLUMNS
    assert "kept" in names
