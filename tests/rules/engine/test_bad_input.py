"""Whatever a rule file holds, loading says what is wrong and goes on; matching never raises."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sigma.modifiers import modifier_mapping

from rules.engine import load
from tests.rules.engine import rulebook

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(
        ["*", "\\", "%x%", "10.0.0.0/8", "::/0", "(", "a and", "1 of", "not", "2026-11-23", "(?=a)b"]
    ),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MODIFIERS = st.sampled_from([*modifier_mapping, "utf16le", "nosuch"])
KEYS = st.builds(
    lambda field, modifiers: "|".join([field, *modifiers]),
    st.sampled_from(["f", "tags", "source.port", "@timestamp", "", "*"]),
    st.lists(MODIFIERS, max_size=3),
)
SEARCH = st.dictionaries(KEYS, SCALARS | st.lists(SCALARS, max_size=3), max_size=3) | ANYTHING
DETECTION = st.fixed_dictionaries(
    {"a": SEARCH, "condition": st.sampled_from(["a", "not a", "1 of a*", "all of them", "b", ""]) | ANYTHING}
)
RULE = st.fixed_dictionaries(
    {"detection": DETECTION | ANYTHING},
    optional=dict.fromkeys(
        ("title", "id", "name", "level", "status", "tags", "date", "action", "related", "fields"), ANYTHING
    )
    | {
        "title": st.just("t") | ANYTHING,
        "logsource": st.just({"product": "hinomi", "service": rulebook.DATASET}) | ANYTHING,
    },
)
CORRELATION = st.fixed_dictionaries({"title": st.just("t"), "correlation": ANYTHING})
FILTER = st.fixed_dictionaries({"title": st.just("t"), "logsource": ANYTHING, "filter": ANYTHING})
EVENTS = [
    {"f": "a", "tags": ["x", "10.1.2.3"], "source.port": 443},
    {"f": None, "tags": [], "source.port": None},
    {"f": "2026-11-23T00:00:00Z", "tags": ["\0", "%x%"], "source.port": 0},
]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents=st.lists(RULE | CORRELATION | FILTER | ANYTHING, min_size=1, max_size=3))
def test_any_rule_file(documents: list[Any]) -> None:
    """A good rule beside any other file is loaded and matches."""
    good = rulebook.rule({"s": {"f": "a"}, "condition": "s"}, id="31111111-2222-4333-8444-555555555555")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "any.yml").write_text(yaml.safe_dump_all(documents, allow_unicode=True), encoding="utf-8")
        loaded = rulebook.rules(folder, good)
    assert good["id"] in {rule.id for rule in loaded.rules}
    batch = rulebook.batch(EVENTS)
    found = {rule.id: rows.tolist() for rule, rows in loaded.match(batch).hits}
    if not any("filter" in d for d in documents if isinstance(d, dict)):
        assert found[good["id"]] == [0]
    loaded.signals(batch, loaded.match(batch))


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60))
def test_any_bytes(content: bytes) -> None:
    """Bytes that are no YAML, or no text, are a problem and no more."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "any.yml").write_bytes(content)
        assert load([Path(name)]).rules == []
