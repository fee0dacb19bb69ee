"""JSON by path: documents taken apart together give what leaf by leaf gives; no nesting takes other lines with it."""

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors import catalogue
from collectors.parse import documents
from collectors.shapes.json_fields import _column_of, _commonest, _joined, _parts, json_fields
from collectors.shapes.pairs import MAX_KEYS
from hinomi import ecs, ecs_text

_NAMES = st.sampled_from(["a", "b", "a.b", "x*", "message", "", "名前"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "v", "-", f"p{ecs.BETWEEN}q"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=10,
)
_DOCUMENTS = st.lists(st.dictionaries(_NAMES, _VALUES, max_size=4), min_size=1, max_size=6)


def _slowly(documents: list[dict[str, Any]]) -> list[tuple[str, list[str | None]]]:
    """Each path in order of how many documents have it, with its texts: the plain way."""
    flat = [dict(ecs.flatten(document)) for document in documents]
    counts: dict[str, int] = {}
    for leaves in flat:
        for path in leaves:
            counts[path] = counts.get(path, 0) + 1
    column = _column_of(joined=False)
    return [
        (path, column([leaves.get(path) for leaves in flat]).to_list())
        for path in sorted(counts, key=lambda path: -counts[path])[:MAX_KEYS]
    ]


@settings(max_examples=300, deadline=None)
@given(shapes=_DOCUMENTS, times=st.sampled_from([1, 40]))
@example(shapes=[{"a": {"b": "1"}, "a.b": "2"}, {"a.b": "3", "a": {"b": "4"}}], times=40)
@example(shapes=[{"b": 1, "a": {}}, {"a": {"b": 1}, "b": None}, {"a": 2}], times=40)
def test_documents_taken_apart_together_give_what_leaf_by_leaf_gives(
    shapes: list[dict[str, Any]], times: int
) -> None:
    """The same paths in the same order with the same texts, alone (one way) and forty times (another)."""
    given = [shape for _ in range(times) for shape in shapes]
    parts = _parts(given)
    column = _column_of(joined=False)
    found = [(path, _joined(parts, path, column, len(given)).to_list()) for path in _commonest(parts, given)]
    assert found == _slowly(given)


def test_the_sign_between_values_never_stands_in_one() -> None:
    """However JSON spells it; a list that is read as one keeps its values apart."""
    lines = ['{"a":"p\\u001fq","l":["x\\u001Fy","z"]}'] * 40
    (frame,) = json_fields(["l"]).read(pl.DataFrame({"message": lines}).with_row_index("row"))
    assert frame.select("a", "l").unique().rows() == [("p q", f"x y{ecs.BETWEEN}z")]


@pytest.mark.parametrize("levels", [40, 300, 900, 1_000, 5_000])
@pytest.mark.parametrize("source", ["zeek.log", "microsoft.m365_audit", "windows.eventlog", "otel.log"])
def test_nesting_without_end_costs_only_its_own_line(source: str, levels: int) -> None:
    """Objects, lists and dotted names as deep as anybody likes: no exception, and the line beside is read."""
    head = '{"ts":1.0,"uid":"C","Operation":"x","RecordType":1,"Workload":"y","EventID":1,"Channel":"c",'
    plain, odd = head + '"body":{"stringValue":"z"}}', f'"{"n." * levels}n":1}}'
    lines = [plain, head + '"n":' + '{"n":' * levels + "1" + "}" * levels + "}"]
    lines += [head + '"Parameters":' + "[" * levels + "]" * levels + "}", head + odd]
    found = documents(catalogue.find(source), lines)
    assert found[0] == documents(catalogue.find(source), [plain])[0]
    assert json.dumps(found[0])
    assert len(found) == len(lines)


def test_a_name_of_many_dots_is_a_document_that_can_be_written() -> None:
    """As objects and as text, with the same levels."""
    frame = pl.DataFrame({"n" + ".n" * 3_000: ["v"] * 20, "b": ["w"] * 20})
    (first, *_), (text, *_) = ecs.documents(frame), ecs_text.texts(frame)
    assert json.loads(text) == first
