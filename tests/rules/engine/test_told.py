"""What is wrong with a rule is told with its line, field and remedy; nothing that could never match is taken in silence."""

from pathlib import Path

import pytest
import yaml

from rules.engine import load, regex_form
from rules.engine.explanation import Explanation
from tests.rules.engine import rulebook

HEAD = """title: A rule
id: 11111111-2222-4333-8444-555555555555
logsource: {product: hinomi, service: city.test}
detection:
"""

TOLD: list[tuple[str, int, str, str]] = [
    ("  sel:\n    g: a\n    f|gte: many\n  condition: sel", 7, "「f|gte」の値「many」: 数", '"many" of "f|gte": it takes a number'),
    ("  sel:\n    f|contains:\n      - a\n      - null\n  condition: sel", 8, "検索を分けて", "goes with no modifier"),
    ("  sel:\n    - g: a\n    - f|contain: b\n  condition: sel", 7, "近いもの: contains", "near: contains"),
    ("  sel:\n    f|cidr: 10.0.0.1/8\n  condition: sel", 6, "192.0.2.0/24 のような", "has host bits set"),
    ("  sel:\n    f|re: '(a'\n  condition: sel", 6, "正規表現として読めません", "unterminated subpattern"),
    ("  sel:\n    f|re: null\n  condition: sel", 6, "検索を分けて", "goes with no modifier"),
    ("  sel:\n    f|exists: 1\n  condition: sel", 6, "true か false", "it takes true or false"),
    ("  sel:\n    f: {g: 1}\n  condition: sel", 6, "文字列、数、true", "a value is a text, a number"),
    ("  sel:\n    f: a\n  other:\n  condition: sel", 7, "「other」に中身がありません", '"other" is empty'),
    ("  sel: []\n  condition: sel", 5, "中身がありません", "is empty"),
    ("  sel: {f: a}\n  timeframe: 5m\n  condition: 1 of them", 6, "timespan に", "write a correlation"),
    ("  sel: {f: a}\n  condition: sel and selektion", 6, "「selektion」という検索はありません", "there is sel"),
    ("  sel: {f: a}\n  condition: 2 of sel*", 6, "1 of、any of、all of", "it is `1 of`"),
    ("  sel: {f: a}\n  condition: (sel or", 6, "条件の終わり", "word 4 of the condition is the end"),
    ("  sel: {f: a}\n  condition: (sel", 6, "「)」が要りますが", "`)` is needed"),
    ("  sel: {f: a}\n  condition: sel sel", 6, "2 語目にはand、orが要りますが", "where `and` or `or` is needed"),
    ("  sel: {f: a}\n  condition:", 6, "条件(condition)が空です", "the condition is empty"),
    ("  sel: {f: NO}\n  condition: sel", 5, "'NO' と囲んで", "write 'NO'"),
    ("  sel:\n    f:\n      - a\n      - 010\n  condition: sel", 8, "'010' と囲んで", "reads 010 as another value"),
    ("  sel: {f: 1.10}\n  condition: sel", 5, "'1.10' と囲んで", "reads 1.10 as another value"),
    ("  sel: {f: +81}\n  condition: sel", 5, "'+81' と囲んで", "reads +81 as another value"),
    ("  sel: {a.hour: 010}\n  condition: sel", 5, "'010' と囲んで", "reads 010 as another value"),
    ("  sel: {f: 12:30}\n  condition: sel", 5, "'12:30' と囲んで", "reads 12:30 as another value"),
]  # fmt: skip


@pytest.mark.parametrize(("detection", "line", "ja", "en"), TOLD, ids=[en for *_, en in TOLD])
def test_what_is_wrong_is_told_where_it_stands(
    tmp_path: Path, detection: str, line: int, ja: str, en: str
) -> None:
    """The line of the very field or value, what it is, and what may stand there, in both languages."""
    (tmp_path / "rule.yml").write_text(HEAD + detection, encoding="utf-8")
    [problem] = load([tmp_path]).problems
    assert (problem.path.name, problem.line) == ("rule.yml", line)
    assert ja in problem.reason.ja
    assert en in problem.reason.en
    assert "object at 0x" not in problem.reason.en


def test_a_filter_is_told_of_in_the_same_way(tmp_path: Path) -> None:
    """Its searches stand under `filter`."""
    text = "title: F\nlogsource: {product: hinomi}\nfilter:\n  rules: any\n  sel:\n    f|gt: x\n  condition: not sel\n"
    (tmp_path / "filter.yml").write_text(text, encoding="utf-8")
    [problem] = load([tmp_path]).problems
    assert problem.line == 6
    assert "it takes a number" in problem.reason.en


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ("notepad", [0]),
        ("not notepad", [1, 2]),
        ("検索", [1]),
        ("notepad or 検索", [0, 1]),
        ("1 of sel-*", [2]),
        ("1 of se.*", []),
        ("any of *-b and not all of them", [2]),
    ],
)
def test_a_search_may_have_any_name(tmp_path: Path, condition: str, hits: list[int]) -> None:
    """Names that begin like an operator, in Japanese, with a hyphen; a full stop in a pattern is a full stop."""
    detection = {"notepad": {"f": "a"}, "検索": {"f": "b"}, "sel-b": {"f": "c"}, "condition": condition}
    assert rulebook.matching(tmp_path, detection, [{"f": "a"}, {"f": "b"}, {"f": "c"}]) == hits


def test_numbers_that_are_compared_may_be_written_in_any_way(tmp_path: Path) -> None:
    """`0x10` beside `gt` is a number however it is written, `yes` beside `exists` a truth."""
    body = yaml.safe_load("{f|gte: 0x10, g|exists: yes}")
    events = [{"f": "16", "g": "x"}, {"f": "15", "g": "x"}, {"f": "16", "g": None}]
    assert rulebook.matching(tmp_path, {"sel": body, "condition": "sel"}, events) == [0]
    (tmp_path / "odd.yml").write_text(HEAD + "  sel: {f|gte: 0x10, g|exists: yes}\n  condition: sel\n")
    assert not load([tmp_path / "odd.yml"]).problems


def test_an_expression_is_case_sensitive_already(tmp_path: Path) -> None:
    """`cased` may stand beside `re`, which it does not change."""
    body = {"f|re|cased": "a.c"}
    events = [{"f": "abc"}, {"f": "ABC"}]
    assert rulebook.matching(tmp_path, {"sel": body, "condition": "sel"}, events) == [0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a{,2}b", "a{0,2}b"),
        (r"a\{,2}[{,2}]", r"a\{,2}[{,2}]"),
        ("[[:digit:]x]{,3}", "[0-9x]{0,3}"),
        ("[^[:space:]]", r"[^\s]"),
        ("[[a]", r"[\[a]"),
        (r"[\]a[]", r"[\]a[]"),
        ("[a-z]+", "[a-z]+"),
    ],
)
def test_expressions_mean_the_same_to_both_engines(written: str, meant: str) -> None:
    """What `re` and Hyperscan read differently is written in the one way that both read alike."""
    assert regex_form.alike(written) == meant


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("^a{,2}b$", ["ab", "aab", "b"]),
        ("^[[:digit:]]+$", ["12"]),
        ("^[[a]$", ["[", "a"]),
        ("^[[:^digit:]]+$", ["ab", "aab", "aaab", "b", "[", "a", ":]", "火", "١"]),
        ("^[^[:^digit:]]+$", ["12"]),
        ("^[[:^alnum:]1]+$", ["[", ":]", "火", "١"]),
        ("(?i)^[[:^xdigit:]]$", ["[", "火", "١"]),
    ],
)
def test_match_and_explain_agree_on_expressions(tmp_path: Path, text: str, hits: list[str]) -> None:
    """Before, matching and its explanation said different things of these, and `[[` put a warning out."""
    values = ["ab", "aab", "aaab", "b", "12", "1a", "[", "a", ":]", "火", "١"]
    batch = rulebook.batch([{"f": value} for value in values])
    loaded = rulebook.rules(tmp_path, rulebook.rule({"sel": {"f|re": text}, "condition": "sel"}))
    found = loaded.match(batch).hits
    assert [values[row] for row in (found[0][1] if found else [])] == hits
    told: list[Explanation] = [
        loaded.explain(loaded.rules[0].id, type(batch)(batch.dataset, batch.frame[i : i + 1]))
        for i in range(len(values))
    ]
    assert [value for value, one in zip(values, told, strict=True) if one.matched] == hits


@pytest.mark.parametrize("name", ["alpha", "alnum", "word", "graph", "print"])
@pytest.mark.parametrize("letters", [True, False])
def test_letters_are_no_others_where_case_does_not_count(tmp_path: Path, name: str, *, letters: bool) -> None:
    """Signs beyond ASCII fold to i, k and s; of the signs that are no letters these are none for it."""
    text = f"(?i)^[^[:^{name}:]]$" if letters else f"(?i)^[[:^{name}:]]$"
    values = [*"ikszIKSZ", "火", " \t"]
    loaded = rulebook.rules(tmp_path, rulebook.rule({"sel": {"f|re": text}, "condition": "sel"}))
    batch = rulebook.batch([{"f": value} for value in values])
    found = loaded.match(batch).hits
    hits = [values[row] for row in (found[0][1] if found else [])]
    assert hits == ([*"ikszIKSZ"] if letters else ["火"])
    for place, value in enumerate(values):
        one = loaded.explain(loaded.rules[0].id, type(batch)(batch.dataset, batch.frame[place : place + 1]))
        assert one.matched == (value in hits)
