"""`explain`: which parts of a rule held of an event, and where in its values."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hinomi.errors import ContentError
from rules.engine.explain import batch_of, batches_of
from rules.engine.explanation import Explanation
from tests.rules.engine import rulebook

RULE_ID = rulebook.rule({})["id"]


def explained(folder: Path, body: str, event: dict[str, Any], **options: Any) -> Explanation:
    """A search called `sel` against one event."""
    loaded = rulebook.rules(
        folder, rulebook.rule({"sel": yaml.safe_load(body), "condition": "sel"}), **options
    )
    return loaded.explain(RULE_ID, event)


SPANS: list[tuple[str, Any, list[tuple[int, int]]]] = [
    ("f: WhoAmI", "whoami", [(0, 6)]),
    ("f: ''", "", []),
    ("f|contains: ab", "xABxab", [(1, 3), (4, 6)]),
    ("f|startswith: ab", "abab", [(0, 2)]),
    ("f|endswith: ab", "abab", [(2, 4)]),
    ("f: a*b*c", "a--b--bc", [(0, 1), (3, 4), (7, 8)]),
    ("f: '*b?d*'", "abcdbxd", [(1, 4), (4, 7)]),
    ("f: '*'", "any", []),
    ("f|contains: 窓口", "市民窓口課😀窓口", [(2, 4), (6, 8)]),
    ("f|contains: b", "İİb", [(2, 3)]),
    ("f|contains: i", "xİ", [(1, 2)]),
    ("f|contains|cased: b", "Bb", [(1, 2)]),
    ("f|contains|all: [b, a]", "ab", [(0, 1), (1, 2)]),
    ("f|re: 'a+b?'", "xaaab-海a", [(1, 5), (7, 8)]),
    (r"f|re: '(\w)\1'", "hello", [(2, 4)]),
    ("f|re|i: 窓.$", "市民窓口", [(2, 4)]),
    ("f|re: 'x*'", "yyy", []),
    ("f|fieldref|contains: g", "a-GG-gg", [(2, 4), (5, 7)]),
    ("f|fieldref: g", "gG", [(0, 2)]),
    ("f|gt: 5", "6", []),
    ("f|cidr: 10.0.0.0/8", "10.1.2.3", []),
    ("f|exists: true", "here", []),
    ("f|hour: 3", "2026-11-23T03:04:05Z", []),
]


@pytest.mark.parametrize(("body", "value", "spans"), SPANS, ids=[body for body, _, _ in SPANS])
def test_spans(tmp_path: Path, body: str, value: str, spans: list[tuple[int, int]]) -> None:
    """The text that matched, in the value's own characters; nothing where a value matches as a whole."""
    found = explained(tmp_path, body, {"f": value, "g": "gg"})
    assert found.matched and found.routed
    assert found.spans() == {"f": {value: spans}}


def test_tree_tells_what_did_not_match(tmp_path: Path) -> None:
    """Named searches with their tests; of a list each value; what is absent has none."""
    detection = {
        "sel": {"f|endswith": ["x.exe", "y.exe"], "tags": "b"},
        "filter": {"g": "no"},
        "condition": "sel and not filter",
    }
    event = {"f": r"C:\Y.exe", "tags": ["a", "B"], "event": {"dataset": rulebook.DATASET}}
    found = rulebook.rules(tmp_path, rulebook.rule(detection)).explain(RULE_ID, event)
    assert found.matched and found.condition.kind == "and"
    search, negation = found.condition.parts
    assert (search.kind, search.name, negation.kind) == ("search", "sel", "not")
    either, tags = search.parts[0].parts
    assert [(part.wanted, part.matched) for part in either.parts] == [("*x.exe", False), ("*y.exe", True)]
    assert [(seen.value, seen.matched) for seen in tags.seen] == [("a", False), ("B", True)]
    (inner,) = negation.parts
    assert (inner.name, inner.matched, inner.parts[0].seen) == ("filter", False, ())


def test_keywords_name_the_column(tmp_path: Path) -> None:
    """A keyword says in which field it was, the raw line among them."""
    found = explained(tmp_path, "[needle]", {"x": "hay", "event.original": "<13> a Needle", "source.port": 1})
    assert found.spans() == {"event.original": {"<13> a Needle": [(7, 13)]}}
    assert {seen.column for seen in found.condition.parts[0].seen} == {"x", "event.original"}


def test_log_source(tmp_path: Path) -> None:
    """An event of another log source does not match, though the condition holds; what was asked is told."""
    rule = rulebook.rule(
        {"s": {"f": "a"}, "condition": "s"}, logsource={"product": "hinomi", "category": "web"}
    )
    loaded = rulebook.rules(tmp_path, rule)
    elsewhere = loaded.explain(RULE_ID, {"f": "a", "event": {"category": ["file"]}})
    assert (elsewhere.matched, elsewhere.routed, elsewhere.condition.matched) == (False, False, True)
    assert [(node.field, node.wanted, node.matched) for node in elsewhere.source] == [
        ("event.category", "web", False)
    ]
    assert loaded.explain(RULE_ID, {"f": "a", "event.category": ["file", "Web"]}).matched
    signal = {"f": "a", "event.category": ["web"], "event.dataset": "hinomi.signal"}
    assert not loaded.explain(RULE_ID, signal).routed


def test_filter_and_placeholder(tmp_path: Path) -> None:
    """A filter is part of the tree by its title; a placeholder is tried with each of its values."""
    rule = rulebook.rule({"s": {"f|expand": "adm_%who%"}, "condition": "s"})
    exception = {
        "title": "Known host",
        "logsource": rule["logsource"],
        "filter": {"rules": [RULE_ID], "known": {"g": "ok"}, "condition": "not known"},
    }
    loaded = rulebook.rules(tmp_path, rule, exception, placeholders={"who": ["one", "two"]})
    found = loaded.explain(RULE_ID, {"f": "ADM_two", "g": "ok"})
    search, known = found.condition.parts
    assert not found.matched and search.matched and not known.matched
    assert search.parts[0].wanted == "adm_%who%"
    assert (known.kind, known.name) == ("search", "filter: Known host")


def test_after_a_warm_start_too(tmp_path: Path) -> None:
    """What a rule says is kept in the cache beside what it was compiled to."""
    detection = {"s": {"f|contains": "a"}, "condition": "s"}
    cold = rulebook.rules(tmp_path / "r", rulebook.rule(detection), cache=tmp_path / "c")
    warm = rulebook.rules(tmp_path / "r", rulebook.rule(detection), cache=tmp_path / "c")
    assert cold.explain(RULE_ID, {"f": "xa"}) == warm.explain(RULE_ID, {"f": "xa"})


def test_hostile_values(tmp_path: Path) -> None:
    """A megabyte, half a surrogate pair and NUL bytes: explained at once, spans bounded in number."""
    found = explained(tmp_path, r"f|re: '(a|b|ab)*c'", {"f": "ab" * 500_000})
    assert not found.matched
    many = explained(tmp_path, "f|contains: a", {"f": "a\0\ud800" * 300_000})
    assert many.matched and [len(spans) for spans in many.spans()["f"].values()] == [100]


def test_several_are_typed_together_as_each_alone() -> None:
    """Of several datasets and shapes, in their order; of too many names for one frame, none is left out."""
    events: list[dict[str, Any]] = [
        {"event.dataset": "a", "f": 5, "destination.port": 443},
        {"event.dataset": "b", "f": ["x", "y"], "event.category": ["web"]},
        {"event.dataset": "a", "f": "text", "g": True},
        {"event.dataset": "a", "f": 2.5, "destination.port": "https"},
    ]
    wide = [{"event.dataset": "a", **{f"v{n}.{i}": "x" for i in range(1_000)}} for n in range(2)]
    for one, event in zip(batches_of([*events, *wide]), [*events, *wide], strict=True):
        alone = batch_of(event)
        told = one.frame.row(0, named=True)
        assert one.dataset == alone.dataset and len(one) == 1
        own = alone.frame.drop("event.ingested", "@timestamp")
        assert {name: told[name] for name in own.columns} == own.row(0, named=True)
        assert all(told[name] is None for name in told.keys() - set(alone.frame.columns))


def test_refusals(tmp_path: Path) -> None:
    """A rule that is not there or cannot run is said so."""
    loaded = rulebook.rules(tmp_path, rulebook.rule({"s": {"f|expand": "%who%"}, "condition": "s"}))
    with pytest.raises(ContentError, match="there is no detection rule"):
        loaded.explain("nobody", {})
    with pytest.raises(ContentError, match="placeholder %who% has no value"):
        loaded.explain(RULE_ID, {})
