"""Generated small rules over generated events: the engine says what the slow evaluator says."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.batch import Batch
from rules.engine.explanation import Node
from tests.oracle import sigma_oracle
from tests.rules.engine import rulebook

ALPHABET = "aAbBßſσΣςé海😀 \\-/.0\n\0"
TEXT = st.text(ALPHABET, max_size=6)
PATTERN = st.text(ALPHABET + "*?\\", max_size=6)
FIELDS = ("f", "g", "tags", "own", "source.port")
ADDRESS = st.sampled_from(["10.0.0.1", "10.0.0.200", "192.0.2.1", "2001:db8::1", "::1", "10.0.0", "a"])
TIMES = st.sampled_from(["2026-11-23T03:04:05Z", "2025-01-01 23:59:00", "2026-02-30", "noon"])


def keyed(keys: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    """`field|modifiers` with one value or several."""
    return st.tuples(
        st.builds(lambda field, suffix: field + suffix, st.sampled_from(FIELDS), st.sampled_from(keys)),
        values | st.lists(values, min_size=2, max_size=3),
    )


STRINGS = ["", "|contains", "|startswith", "|endswith", "|cased", "|contains|cased", "|neq", "|windash"]
LISTS = st.tuples(
    st.sampled_from(["f|contains|all", "tags|contains|all", "g|startswith|all"]),
    st.lists(PATTERN, min_size=2, max_size=3),
)
ITEMS = st.one_of(
    keyed(STRINGS, PATTERN),
    keyed(["", "|neq"], st.integers(-2, 90)),
    keyed(["|lt", "|lte", "|gt", "|gte"], st.integers(-2, 90)),
    keyed(["|cidr"], st.sampled_from(["10.0.0.0/25", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"])),
    keyed(["|hour", "|day", "|month", "|year", "|minute"], st.integers(0, 59) | st.just(2026)),
    keyed(["|re", "|re|i", "|re|s"], st.sampled_from(["a", "^a.b$", "b+", "[a-b]{2}", "x*", "海.?$"])),
    st.tuples(st.sampled_from(["f|exists", "tags|exists", "source.port|exists"]), st.booleans()),
    st.tuples(st.sampled_from(FIELDS), st.none()),
    st.tuples(
        st.sampled_from(["f|fieldref", "f|fieldref|contains", "tags|fieldref|startswith", "g|fieldref|neq"]),
        st.sampled_from(FIELDS),
    ),
    LISTS,
)
KEYWORDS = st.lists(st.text("aAbB海*?", min_size=1, max_size=3), min_size=1, max_size=2)
SEARCH = st.lists(ITEMS, min_size=1, max_size=3).map(dict) | KEYWORDS
CONDITIONS = ["a", "not a", "a and b", "a or b", "a and not b", "not (a and b)", "1 of them", "all of them"]
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "f": TEXT | ADDRESS | TIMES | st.none(),
        "g": TEXT | st.none(),
        "tags": st.lists(TEXT, max_size=3),
        "own": st.lists(TEXT.filter(bool), min_size=1, max_size=3),
        "source.port": st.integers(0, 90) | st.none(),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    a=SEARCH, b=SEARCH, condition=st.sampled_from(CONDITIONS), events=st.lists(EVENT, min_size=1, max_size=6)
)
def test_engine_is_the_oracle(a: Any, b: Any, condition: str, events: list[dict[str, Any]]) -> None:
    """Row by row the same truth, for any rule and any events."""
    detection = {"a": a, "b": b, "condition": condition}
    written = rulebook.rule(detection)
    typed = {"tags": rulebook.TEXTS, "own": rulebook.TEXTS, "f": rulebook.TEXT, "g": rulebook.TEXT}
    with tempfile.TemporaryDirectory() as folder:
        loaded = rulebook.rules(Path(folder), written)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    batch = rulebook.batch(events, types=typed)
    hits = loaded.match(batch).hits
    found = hits[0][1].tolist() if hits else []
    assert found == [i for i, event in enumerate(events) if sigma_oracle.holds(written, event)]
    rows = [Batch(batch.dataset, batch.frame[i : i + 1]) for i in range(len(events))]
    explained = [loaded.explain(written["id"], row) for row in rows]
    assert found == [i for i, one in enumerate(explained) if one.matched]
    for one in explained:
        consistent(one.condition)


def consistent(node: Node) -> None:
    """A node says what its parts say, a test what its values say, and spans lie within their value."""
    inner = [part.matched for part in node.parts]
    told = {"and": all(inner), "or": any(inner), "not": inner == [False], "search": inner == [True]}
    assert node.matched == told.get(node.kind, node.matched)
    if node.kind not in (*told, "null", "exists"):
        assert node.matched == any(seen.matched for seen in node.seen), node
    for seen in node.seen:
        assert all(0 <= start < end <= len(seen.value) for start, end in seen.spans), seen
        assert seen.matched or not seen.spans
    for part in node.parts:
        consistent(part)
