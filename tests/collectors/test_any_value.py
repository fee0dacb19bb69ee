"""Every source against documents that are valid, but hold values of types that nobody planned for.

A cut line is seldom JSON any more; here it stays JSON, and any value in it may be anything.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import catalogue
from tests.collectors import content

_SCALARS = (
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    10**30,
    "",
    "x",
    "@",
    "-",
    "{",
    "[::",
    "999.1.1.1",
    "https://[",
    "9" * 400,
)
_NESTED = ([], {}, ["x"], [None, 1, {"a": []}], {"a": {"b": "c"}}, {"value": {"x": 1}}, [[["x"]]])
_ODD = st.sampled_from([*_SCALARS, *_NESTED])


def _document(line: str) -> dict[str, Any] | None:
    start = line.find("{")
    try:
        value = json.loads(line[start:]) if start >= 0 else None
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


_DOCUMENTS: dict[str, list[dict[str, Any]]] = {}
for _case in content.cases():
    if (_found := _document(_case.raw)) is not None:
        _DOCUMENTS.setdefault(_case.source, []).append(_found)


def _places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of the document that holds a value."""
    parts: list[tuple[str | int, Any]] = []
    if isinstance(node, dict):
        parts = list(node.items())
    elif isinstance(node, list):
        parts = list(enumerate(node))
    return [place for key, value in parts for place in [(*path, key), *_places(value, (*path, key))]]


def _replaced(document: dict[str, Any], place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(document))
    node = copy
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return dict(copy)


@st.composite
def _odd(draw: st.DrawFn, documents: list[dict[str, Any]]) -> str:
    """A true document with one to three of its values replaced."""
    document = draw(st.sampled_from(documents))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(document)
        if places:
            document = _replaced(document, draw(st.sampled_from(places)), draw(_ODD))
    return json.dumps(document, ensure_ascii=False)


@pytest.mark.parametrize("name", sorted(_DOCUMENTS))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_document_with_any_value_is_parsed_or_rejected_once(name: str, data: st.DataObject) -> None:
    """No value's type raises, and each row ends in exactly one place."""
    lines = data.draw(st.lists(_odd(_DOCUMENTS[name]), min_size=6, max_size=14))
    parsed = catalogue.find(name).parse(content.intake(*lines))
    assert sorted(content.rows_of(parsed)) == list(range(len(lines)))
