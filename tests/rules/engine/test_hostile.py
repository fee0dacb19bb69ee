"""Rules and values made to be slow or to break something: they end soon, and rightly."""

import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine.columns import Part
from rules.engine.predicates import values_matching
from tests.oracle import sigma_oracle
from tests.rules.engine import rulebook

LONG = "a" * 1_000_000
SOON = 20.0
"""Seconds: far beyond what any of these takes on a busy machine, far below what backtracking would."""

RULES: list[tuple[str, Any, list[str], list[str]]] = [
    ("f|re", "(a+)+$", [LONG], [LONG + "!"]),
    ("f|re", "(a|aa)+c", ["aac"], [LONG]),
    ("f|re", "a{1,1000}b{500}", ["a" + "b" * 500], [LONG]),
    ("f|re", "(.*a){12}!", [LONG + "!"], [LONG]),
    ("f|re", "|".join(f"w{i}x" for i in range(2000)), ["w1999x"], [LONG]),
    ("f|re", r"x\x00y", ["x\0y"], ["xy"]),
    ("f|re", "a(?!b)", ["xac"], ["ab", "b"]),
    ("f", "*a?b" * 2000, ["aab" * 2000], [LONG]),
    ("f", "*" + "?" * 5000 + "b", ["a" * 6000 + "b"], [LONG, "b"]),
    ("f", "*" + "?*a" * 3000, [LONG], ["a" * 5000 + "b"]),
    ("f|contains", "x" * 100_000, ["y" + "X" * 100_000], [LONG, "x" * 99_999]),
    ("f|contains", [f"value {i};" for i in range(5000)], ["Value 4999;"], [LONG, "value 5000;"]),
    ("f|contains", "\0a\0", ["x\0A\0y"], ["a", "\0"]),
    ("f|endswith", "aa", ["\0" * 1_000_000 + "AA"], ["aa\0"]),
    ("f|contains", "\u00ff\u00fe", ["\u0178\u00de"], ["\u00ff", "y"]),
    ("f", "\U0010ffff?", ["\U0010ffff\U0010fffe"], ["\U0010ffff"]),
]


@pytest.mark.parametrize(("key", "wanted", "hits", "misses"), RULES)
def test_ends_soon_and_rightly(
    tmp_path: Path, key: str, wanted: Any, hits: list[str], misses: list[str]
) -> None:
    """Nested repeats, thousands of wildcards and values, a megabyte, NUL bytes: linear time and the right rows."""
    begun = time.monotonic()
    events = [{"f": value} for value in [*hits, *misses]]
    detection = {"s": {key: wanted}, "condition": "s"}
    assert rulebook.matching(tmp_path, detection, events) == list(range(len(hits)))
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize(
    "expression",
    [
        r"(a+)+(?!x)$",
        "(a|aa)+(?=c)",
        r"(a*)*\1",
        "(a{1,300}b?){200}",
        "(?=x)(.*)(.*)(.*)(.*)(.*)z",
        "(?>a+)+b",
        "a.*a.*a.*a.*(?<!q)Z",
        "a.*a.*(?<!q)Z",
    ],
)
def test_what_could_take_for_ever_is_refused(tmp_path: Path, expression: str) -> None:
    """Only what Hyperscan can't decide: the rule says why it cannot run, the rest of the rules goes on."""
    begun = time.monotonic()
    loaded = rulebook.rules(tmp_path, rulebook.rule({"s": {"f|re": expression}, "condition": "s"}))
    assert "could take for ever" in (loaded.rules[0].unsupported or pytest.fail("supported")).en
    assert loaded.match(rulebook.batch([{"f": LONG}])).hits == []
    assert time.monotonic() - begun < SOON


@pytest.mark.parametrize(
    "expression", ["a.*(?<!q)Z", "(?<!q)a.{0,20000}b"], ids=["look-around", "large count"]
)
def test_one_long_repeat_of_a_very_long_value(tmp_path: Path, expression: str) -> None:
    """It is used, and a megabyte that an attacker chose ends soon."""
    begun = time.process_time()
    loaded = rulebook.rules(tmp_path, rulebook.rule({"s": {"f|re": expression}, "condition": "s"}))
    assert loaded.rules[0].unsupported is None
    values = ["a" * 1_000_000 + "qq", "x" * 1_000_000 + "aZb"]
    part = Part(values, np.arange(2))
    assert values_matching(part, "re", [expression, ""])[:2].tolist() == [False, True]
    assert time.process_time() - begun < SOON


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    """YAML refuses it in a rule; the problem says so, and the other rules are there."""
    (tmp_path / "half.yml").write_text('title: x\ndetection: {s: {f: "\\ud800"}, condition: s}\n')
    loaded = rulebook.rules(tmp_path, rulebook.rule({"s": {"f": "a"}, "condition": "s"}))
    assert ["invalid Unicode" in problem.reason.en for problem in loaded.problems] == [True]
    assert len(loaded.match(rulebook.batch([{"f": "a"}]))) == 1


LETTERS = st.sampled_from(["a", "b", "\0", "\n", "ÿ", "海", "😀", "\ud7ff", "\ufffd", "."])
VALUES = st.builds(
    lambda text, times, tail: text * times + tail,
    st.text(LETTERS, max_size=4),
    st.sampled_from([1, 1, 1, 50, 2_000]),
    st.text(LETTERS, max_size=3),
)
ATOMS = st.sampled_from(
    ["a", "b", ".", "海", "[ab]", "[^a]", "(a|b)", "(?:ab|a)", r"\.", "\\x00", "😀", "^", "$"]
)
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])
EXPRESSIONS = st.lists(st.tuples(ATOMS, REPEATS), min_size=1, max_size=5).map(
    lambda parts: "".join(atom + (repeat if atom not in "^$" else "") for atom, repeat in parts)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    expression=EXPRESSIONS, flags=st.sampled_from(["", "|i", "|s", "|m"]), values=st.lists(VALUES, min_size=1)
)
def test_any_expression_over_any_value(expression: str, flags: str, values: list[str]) -> None:
    """Generated expressions mean to the engine, and to `explain`, what they mean to Python on short values."""
    written = rulebook.rule({"s": {f"f|re{flags}": expression}, "condition": "s"})
    with tempfile.TemporaryDirectory() as folder:
        loaded = rulebook.rules(Path(folder), written)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    batch = rulebook.batch([{"f": value} for value in values], types={"f": rulebook.TEXT})
    found = {int(row) for _, rows in loaded.match(batch).hits for row in rows}
    for row, value in enumerate(values):
        if len(value) < 1000:
            assert (row in found) == sigma_oracle.holds(written, {"f": value}), (expression, value)
            assert loaded.explain(written["id"], {"f": value}).matched == (row in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parts=st.lists(
        st.sampled_from(["a", "b", "*", "?", "\0", "ÿ", "海", "?*", "\\*"]), min_size=1, max_size=8
    ),
    times=st.sampled_from([1, 1, 300]),
    values=st.lists(VALUES, min_size=1),
)
def test_any_wildcards_over_any_value(parts: list[str], times: int, values: list[str]) -> None:
    """Patterns of up to thousands of wildcards over values of up to 8,000 characters."""
    wanted = "".join(parts * times)
    written = rulebook.rule({"s": {"f": wanted}, "condition": "s"})
    with tempfile.TemporaryDirectory() as folder:
        loaded = rulebook.rules(Path(folder), written)
    batch = rulebook.batch([{"f": value} for value in values], types={"f": rulebook.TEXT})
    found = {int(row) for _, rows in loaded.match(batch).hits for row in rows}
    tokens = re.findall(r"\\[*?\\]|[*?]|.", wanted, re.S)
    expected = {row for row, value in enumerate(values) if simulated(tokens, sigma_oracle.fold(value))}
    assert found == expected, wanted


def simulated(tokens: list[str], value: str) -> bool:
    """The wildcards as a set of states, all followed at once (one bit a state): obvious, and never slow."""
    stars = sum(1 << i for i, token in enumerate(tokens) if token == "*")
    ones = sum(1 << i for i, token in enumerate(tokens) if token == "?")
    letters: dict[str, int] = {}
    for i, token in enumerate(tokens):
        if token not in ("*", "?"):
            letter = sigma_oracle.fold(token[-1])
            letters[letter] = letters.get(letter, 0) | 1 << i
    state = past(1, stars)
    for letter in value:
        state = past((state & stars) | (state & (ones | letters.get(letter, 0))) << 1, stars)
    return bool(state >> len(tokens) & 1)


def past(state: int, stars: int) -> int:
    """A star may also stand for nothing."""
    while (more := state | (state & stars) << 1) != state:
        state = more
    return state
