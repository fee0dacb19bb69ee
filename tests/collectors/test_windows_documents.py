"""JSON documents to frames: exact text, every key kept, hostile width survived."""

import orjson
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.windows import documents


def _frames(*lines: object) -> list[pl.DataFrame]:
    texts = [line if isinstance(line, str) else orjson.dumps(line).decode() for line in lines]
    return [frame for _, frame in documents.frames(documents.parsed(enumerate(texts)))]


def test_values_keep_the_text_that_windows_shows() -> None:
    """Numbers keep their digits (also beyond 64 bits), booleans are lower case, null stays null."""
    [frame] = _frames({"a": 18446744073709551615, "b": True, "c": None, "d": "007", "e": -1, "f": 1.50})
    assert frame.drop("row").row(0) == ("18446744073709551615", "true", None, "007", "-1", "1.5")


def test_keys_of_every_document_become_columns() -> None:
    """Documents of one chunk with different keys share a frame; nothing is dropped."""
    [frame] = _frames({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": "text", "b": [1, 2]})
    assert frame.select("a.x", "a.y", "a").rows() == [
        ("1", None, None),
        (None, "2", None),
        (None, None, "text"),
    ]
    assert frame["b"].to_list() == [None, None, ["1", "2"]]


def test_a_broken_line_costs_only_itself() -> None:
    """Text that is no JSON object is left out; its neighbours keep their row numbers."""
    [frame] = _frames({"a": 1}, "{broken", "[1]", "", {"a": 2})
    assert frame["row"].to_list() == [0, 4]


def test_documents_without_a_common_key_do_not_make_a_square() -> None:
    """Thousands of different keys give several frames, with every row in exactly one of them."""
    found = _frames(*({f"k{i}_{j}": "v" for j in range(20)} for i in range(1_000)))
    assert sorted(row for frame in found for row in frame["row"]) == list(range(1_000))
    assert max(frame.width for frame in found) < 3_000


def test_a_document_wider_than_any_event_is_refused() -> None:
    """One line with more keys than an event can have is left out (it becomes a dead letter)."""
    assert _frames({f"k{i}": 1 for i in range(5_000)}) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=4), max_size=6))
def test_any_documents_make_frames_with_every_row_once(found: list[dict[str, object]]) -> None:
    """Whatever the documents hold, no error, and each row is in exactly one frame."""
    frames = [frame for _, frame in documents.frames(enumerate(found))]
    assert sorted(row for frame in frames for row in frame["row"]) == list(range(len(found)))
