"""Every modifier of Sigma 2.1 in every order and company that it allows, over generated events, as the slow evaluator says.

Beside `test_property` (texts, numbers, networks, times over small alphabets) this one generates chains of modifiers:
encodings over encodings, placeholders, dashes, references to other fields, flags of expressions, keywords, quantifiers
over named searches, several conditions, global actions and filters.
"""

import base64
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.batch import Batch
from rules.engine import RuleSet, load
from tests.oracle import sigma_oracle
from tests.oracle.provoked import Provoker
from tests.rules.engine import rulebook

PLACEHOLDERS = {"people": ["ab", "b*", "a?"], "none": [], "one": ["ping"]}
WORDS = ("ab", "ping", "市", "A b", "-x", "a/b", "5", "5.0", "true", "", "ﬀ", "ß", "İ")
BYTES = [word.encode() for word in WORDS] + [word.encode("utf-16-le") for word in WORDS]
SHIFTED = [
    base64.b64encode(b"\x07" * shift + data + b"\x09" * 2).decode() for data in BYTES for shift in range(3)
]
WIDE = [
    word.encode(codec).decode("latin-1") for word in WORDS for codec in ("utf-16-le", "utf-16-be", "utf-16")
]
TEXTS = st.sampled_from([*WORDS, *SHIFTED, *WIDE]) | st.text("aAbBß -/–—―*?\\5.\0\n市", max_size=7)
FIELDS = st.sampled_from(["f", "g", "tags", "user.name", "source.port", "event.risk_score"])
SCOPES = st.sampled_from(["", "|contains", "|startswith", "|endswith"])
ENCODINGS = st.sampled_from(
    ["|base64", "|base64offset", "|wide|base64offset", "|utf16le|base64", "|utf16be|base64offset", "|utf16|base64",
     "|wide", "|utf16be"]
)  # fmt: skip
ENDS = st.sampled_from(["", "", "|neq", "|cased", "|cased|neq"])


def _keyed(key: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    many = values | st.lists(values, min_size=2, max_size=3)
    return st.tuples(key, many).map(lambda pair: {pair[0]: pair[1]})


def _joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


def _all(key: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(key, st.lists(values, min_size=2, max_size=3)).map(lambda pair: {pair[0]: pair[1]})


PATTERNS = st.text("aAbB-/ß5.*?\\ 市", max_size=5)
MIXED = PATTERNS | st.integers(-5, 99) | st.booleans() | st.sampled_from([5.0, 0.5, -2.25])
EXPRESSIONS = st.sampled_from(
    ["a", "^a", "b$", "a.b", "^b$", "[^a]", "(a|b)+", "A{1,2}", "^$", "ping", r"\*", r"a\s?b", "%people%"]
)
ITEM = st.one_of(
    _keyed(_joined(FIELDS, SCOPES, ENDS), MIXED),
    _all(_joined(FIELDS, st.sampled_from(["|contains|all", "|all", "|all|startswith", "|contains|all|neq"])), MIXED),
    _keyed(_joined(FIELDS, ENCODINGS, SCOPES), st.sampled_from(["ab", "ping", "市", "A b", "xyz", "a"])),
    _keyed(_joined(FIELDS, st.sampled_from(["|windash", "|windash|contains", "|contains|windash|neq"])), PATTERNS),
    _keyed(
        _joined(FIELDS, st.sampled_from(["|expand", "|contains|expand", "|expand|neq", "|expand|cased"])),
        st.sampled_from(["%people%", "x%one%", "%people%%one%", "%none%", "100%", r"\%one%", "%one"]),
    ),
    _keyed(_joined(FIELDS, st.sampled_from(["|re", "|re|i", "|re|m", "|re|s", "|re|i|m|s", "|re|neq"])), EXPRESSIONS),
    _keyed(
        _joined(FIELDS, st.sampled_from(["|fieldref", "|fieldref|cased", "|fieldref|neq", "|fieldref|contains",
                                         "|fieldref|startswith", "|endswith|fieldref", "|fieldref|contains|cased"])),
        FIELDS,
    ),
    st.tuples(_joined(FIELDS, st.just("|exists")), st.booleans()).map(lambda pair: {pair[0]: pair[1]}),
    _keyed(_joined(FIELDS, st.sampled_from(["", "|neq"])), st.none() | PATTERNS),
    _keyed(
        _joined(FIELDS, st.sampled_from(["|lt", "|lte", "|gt", "|gte"])),
        st.integers(-5, 99) | st.sampled_from([0.5, 5.0, -2.25]),
    ),
    _keyed(st.sampled_from(["f|minute|gte", "f|hour", "g|day|neq", "f|month|lt", "g|year", "f|week|lte"]), st.integers(0, 59)),
)  # fmt: skip
KEYWORDS = st.one_of(
    st.lists(st.text("abAB5市*?", min_size=1, max_size=3) | st.integers(0, 9), min_size=1, max_size=2),
    st.lists(st.text("abAB5市", min_size=1, max_size=2), min_size=2, max_size=3).map(
        lambda words: {"|all": words}
    ),
)
SEARCH = st.one_of(
    st.lists(ITEM, min_size=1, max_size=2).map(
        lambda items: {k: v for item in items for k, v in item.items()}
    ),
    st.lists(ITEM, min_size=2, max_size=3),
    KEYWORDS,
)
CONDITION = st.sampled_from(
    ["sel_a", "not sel_b", "1 of sel*", "all of sel_*", "1 of them", "all of them", "any of s*_b", "not 1 of *_a",
     "sel_a and not (sel_b or other)", "1 of sel* and not other", "not all of sel*", "sel_a or sel_b and not other"]
)  # fmt: skip
TIMES = st.sampled_from(["2026-11-23T03:04:05Z", "2025-01-01 23:59:00", "2024-02-29", "2026-02-30", "noon"])
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "f": TEXTS | TIMES | st.none(),
        "g": TEXTS | st.none(),
        "tags": st.lists(TEXTS, max_size=3),
        "user.name": TEXTS,
        "source.port": st.integers(0, 99) | st.none(),
        "event.risk_score": st.sampled_from([5.0, 0.5, -2.25, 99.0, None]),
    },
)
TYPES = {"tags": rulebook.TEXTS, **dict.fromkeys(("f", "g", "user.name", "message"), rulebook.TEXT)}
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _loaded(*documents: dict[str, Any]) -> RuleSet:
    with tempfile.TemporaryDirectory() as folder:
        text = yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False)
        (Path(folder) / "rules.yml").write_text(text, encoding="utf-8")
        return load([Path(folder)], placeholders=PLACEHOLDERS)


def _matched(rules: RuleSet, batch: Batch) -> dict[str, list[int]]:
    return {rule.id: rows.tolist() for rule, rows in rules.match(batch).hits}


def _provoked(rules: RuleSet, seed: int) -> list[dict[str, Any]]:
    """Events made to fulfil the rule, or nearly; columns that hold numbers or lists keep to that."""
    rule = rules.rules[0]
    [route] = rules.tables.routes(rule.logsource)
    maker = Provoker(route, seed, PLACEHOLDERS)
    return [_typed(maker.event(rules.said(rule))) for _ in range(5)]


def _typed(event: dict[str, str]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        name: value for name, value in event.items() if name in ("f", "g", "user.name", "message")
    }
    if "tags" in event:
        kept["tags"] = ["other", event["tags"]]
    for name, kind in (("source.port", int), ("event.risk_score", float)):
        with suppress(ValueError, KeyError):
            kept[name] = kind(event[name])
    return kept


def _expected(rule: dict[str, Any], events: list[dict[str, Any]]) -> list[int]:
    return [i for i, event in enumerate(events) if sigma_oracle.holds(rule, event, PLACEHOLDERS)]


@SLOW
@given(
    searches=st.fixed_dictionaries({"sel_a": SEARCH, "sel_b": SEARCH, "other": SEARCH}),
    condition=CONDITION | st.lists(CONDITION, min_size=2, max_size=2),
    events=st.lists(EVENT, min_size=1, max_size=3),
    seed=st.integers(0, 1 << 16),
)
def test_any_chain_of_modifiers(
    searches: dict[str, Any], condition: Any, events: list[dict[str, Any]], seed: int
) -> None:
    """The same rows, and `explain` says the same of each event."""
    rule = rulebook.rule({**searches, "condition": condition})
    loaded = _loaded(rule)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    events = [*events, *_provoked(loaded, seed)]
    batch = rulebook.batch(events, types=TYPES)
    expected = _expected(rule, events)
    assert _matched(loaded, batch).get(rule["id"], []) == expected
    told = [
        loaded.explain(rule["id"], Batch(batch.dataset, batch.frame[i : i + 1])) for i in range(len(events))
    ]
    assert [i for i, one in enumerate(told) if one.matched] == expected


@settings(SLOW, max_examples=25)
@given(
    common=SEARCH,
    own=st.tuples(SEARCH, SEARCH),
    excepted=SEARCH,
    events=st.lists(EVENT, min_size=1, max_size=6),
)
def test_global_actions_and_filters(
    common: Any, own: tuple[Any, Any], excepted: Any, events: list[dict[str, Any]]
) -> None:
    """What stands in a global document holds for each rule after it; a filter is an `and` to the rules that it names."""
    ids = [f"{n}1111111-2222-4333-8444-555555555555" for n in range(2)]
    condition = "sel and 1 of common*"
    shared = {
        "action": "global",
        "logsource": rulebook.rule({})["logsource"],
        "detection": {"common": common},
    }
    documents = [
        {"title": f"Rule {n}", "id": ids[n], "detection": {"sel": own[n], "condition": condition}}
        for n in range(2)
    ]
    exception = {
        "title": "Exception",
        "logsource": {"product": "hinomi"},
        "filter": {"rules": [ids[1]], "sel": excepted, "condition": "not sel"},
    }
    loaded = _loaded(shared, *documents, exception)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    found = _matched(loaded, rulebook.batch(events, types=TYPES))
    whole = [{"detection": {"common": common, **document["detection"]}} for document in documents]
    left = _expected({"detection": {"sel": excepted, "condition": "not sel"}}, events)
    assert found.get(ids[0], []) == _expected(whole[0], events)
    assert found.get(ids[1], []) == [row for row in _expected(whole[1], events) if row in left]
