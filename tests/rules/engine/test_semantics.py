"""Each modifier and special value of Sigma 2.1: what it must and must not match."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.oracle import sigma_oracle
from tests.rules.engine import rulebook

CASES: list[tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    ("equal, case ignored", "f: WhoAmI", [{"f": "whoami"}], [{"f": "whoami2"}, {"f": None}, {"g": "whoami"}]),
    ("case beyond ASCII", "f: ÄÖÉΣ", [{"f": "äöéς"}, {"f": "ÄÖÉσ"}], [{"f": "aoes"}]),
    ("full-width and kana keep apart", "f: ｶﾅ", [{"f": "ｶﾅ"}], [{"f": "カナ"}]),
    ("Japanese", "f|contains: 窓口", [{"f": "市民窓口課"}], [{"f": "市民課"}]),
    ("cased", "f|cased: Admin", [{"f": "Admin"}], [{"f": "admin"}]),
    ("cased contains", "f|contains|cased: Adm", [{"f": "xAdmin"}], [{"f": "xadmin"}]),
    ("contains", "f|contains: mid", [{"f": "aMIDb"}, {"f": "mid"}], [{"f": "mi-d"}]),
    ("startswith", "f|startswith: pre", [{"f": "PREfix"}], [{"f": "xpre"}]),
    ("endswith", r"f|endswith: \cmd.exe", [{"f": r"C:\W\CMD.EXE"}], [{"f": r"C:\cmd.exe.bak"}]),
    ("short contains", "f|contains: ' '", [{"f": "a b"}], [{"f": "ab"}, {"f": ""}]),
    ("star", "f: a*z", [{"f": "az"}, {"f": "a\nz"}, {"f": "A--Z"}], [{"f": "az "}, {"f": "za"}]),
    ("question mark is one character", "f: a?z", [{"f": "abz"}, {"f": "a海z"}, {"f": "a😀z"}], [{"f": "az"}]),
    ("escaped star", r"f: a\*z", [{"f": "a*z"}], [{"f": "abz"}]),
    ("backslash before a wildcard", r"f: C:\\*", [{"f": r"C:\x"}], [{"f": "C:x"}]),
    ("two backslashes", r"f: \\\\host\\x", [{"f": r"\\host\x"}], [{"f": r"\host\x"}]),
    ("only a star: any value", "f: '*'", [{"f": ""}, {"f": "x"}], [{"f": None}, {"g": "x"}]),
    ("empty", "f: ''", [{"f": ""}], [{"f": None}, {"f": " "}]),
    ("null", "f: null", [{"f": None}, {"g": "x"}], [{"f": ""}, {"f": "x"}]),
    ("exists", "f|exists: true", [{"f": ""}, {"f": "x"}], [{"f": None}, {"g": "x"}]),
    ("does not exist", "f|exists: false", [{"f": None}], [{"f": ""}]),
    ("number against text", "f: 4688", [{"f": "4688"}], [{"f": "46880"}, {"f": "x4688"}]),
    ("boolean against text", "f: true", [{"f": "True"}, {"f": "true"}], [{"f": "1"}]),
    ("list of values: any", "f: [a, b]", [{"f": "a"}, {"f": "b"}], [{"f": "ab"}]),
    ("all", "f|contains|all: [aaa, bbb]", [{"f": "bbbaaa"}], [{"f": "aaa"}]),
    ("map: all items", "{f: a, g: b}", [{"f": "a", "g": "b"}], [{"f": "a"}, {"g": "b"}]),
    ("list of maps: any", "[{f: a}, {g: b}]", [{"f": "a"}, {"g": "b"}], [{"f": "b", "g": "a"}]),
    ("list field: any element", "f|startswith: b", [{"f": ["a", "bc"]}], [{"f": ["ab"]}, {"f": []}]),
    ("windash", "f|windash|contains: ' -a'", [{"f": "x /a"}, {"f": "x ―a"}, {"f": "x –A"}], [{"f": "x +a"}]),
    ("re is a search, cased", "f|re: 'a.c$'", [{"f": "xxabc"}], [{"f": "ABC"}, {"f": "abcd"}]),
    ("re dot is not a new line", "f|re: 'a.c'", [{"f": "abc"}], [{"f": "a\nc"}]),
    ("re i", "f|re|i: 'äb'", [{"f": "ÄB"}], [{"f": "AB"}]),
    ("re m", "f|re|m: '^b$'", [{"f": "a\nb"}], [{"f": "ab"}]),
    ("re s", "f|re|s: 'a.c'", [{"f": "a\nc"}], [{"f": "ac"}]),
    ("re with a look-ahead", "f|re: 'a(?!b)c?d'", [{"f": "acd"}], [{"f": "abd"}]),
    ("re with a back-reference", r"f|re: '(\w)\1'", [{"f": "hello"}], [{"f": "helo"}]),
    ("re that may be empty", "f|re: 'x*'", [{"f": ""}, {"f": "y"}], [{"f": None}]),
    ("cidr", "f|cidr: 192.0.2.0/25", [{"f": "192.0.2.127"}], [{"f": "192.0.2.128"}, {"f": "192.0.2.x"}]),
    ("cidr is not a prefix of text", "f|cidr: 10.0.0.0/8", [{"f": "10.9.9.9"}], [{"f": "10.9.9.9.9"}]),
    ("cidr of IPv6", "f|cidr: 2001:db8::/32", [{"f": "2001:DB8:1::1"}], [{"f": "2001:db9::1"}, {"f": "1"}]),
    ("lt", "f|lt: 5", [{"f": "4.5"}, {"f": "-1"}], [{"f": "5"}, {"f": "x"}, {"f": None}]),
    ("lte", "f|lte: 5", [{"f": "5"}], [{"f": "6"}]),
    ("gt", "f|gt: 9", [{"f": "10"}], [{"f": "9"}]),
    ("gte beyond 2^53", "f|gte: 9007199254740994", [{"f": "9007199254740994"}], [{"f": "9007199254740993"}]),
    (
        "gt beyond 64 bits",
        "f|gt: 1.0e+20",
        [{"f": "100000000000000000001000000"}],
        [{"f": "5"}, {"f": "inf"}],
    ),
    ("lt below 64 bits", "f|lt: 100000000000000000000", [{"f": "5"}], [{"f": "x"}]),
    ("neq", "f|neq: a", [{"f": "b"}, {"f": None}], [{"f": "A"}]),
    ("neq of several", "f|neq: [a, b]", [{"f": "c"}], [{"f": "a"}, {"f": "b"}]),
    ("fieldref", "f|fieldref: g", [{"f": "A", "g": "a"}], [{"f": "a", "g": "b"}, {"f": "a"}, {"g": "a"}]),
    ("fieldref startswith", "f|fieldref|startswith: g", [{"f": "abc", "g": "AB"}], [{"f": "xab", "g": "ab"}]),
    ("fieldref endswith", "f|fieldref|endswith: g", [{"f": "abc", "g": "bc"}], [{"f": "abc", "g": "ab"}]),
    ("fieldref contains", "f|fieldref|contains: g", [{"f": "abcd", "g": "bc"}], [{"f": "abcd", "g": "ac"}]),
    ("fieldref neq", "f|fieldref|neq: g", [{"f": "a", "g": "b"}, {"f": "a"}], [{"f": "a", "g": "A"}]),
    ("base64", "f|base64|contains: 市役所", [{"f": "x5biC5b255omA"}], [{"f": "市役所"}]),
    (
        "base64offset",
        "f|base64offset|contains: http://",
        [{"f": "aHR0cDovL2V4"}, {"f": "eGh0dHA6Ly9l"}, {"f": "eHhodHRwOi8v"}],
        [{"f": "http://"}],
    ),
    ("wide base64offset", "f|wide|base64offset|contains: ping", [{"f": "cABpAG4AZwA="}], [{"f": "cGluZw=="}]),
    ("wide beyond ASCII", "f|wide|base64|contains: 市", [{"f": "Al4="}], [{"f": "5biC"}]),
    ("utf16le", "f|utf16le|base64|contains: ab", [{"f": "YQBiAA=="}], [{"f": "YWI="}]),
    ("utf16be", "f|utf16be|base64|contains: ab", [{"f": "AGEAYg=="}], [{"f": "YQBiAA=="}]),
    ("utf16 has a mark", "f|utf16|base64|contains: a", [{"f": "//5hAA=="}], [{"f": "YQA="}]),
    ("wide without base64", "f|wide|contains: ab", [{"f": "xa\0b\0"}], [{"f": "ab"}]),
    ("hour", "f|hour: 3", [{"f": "2026-11-23T03:59:00Z"}], [{"f": "2026-11-23T13:00:00Z"}, {"f": "3"}]),
    ("minute", "f|minute: 59", [{"f": "2026-11-23T03:59:00Z"}], [{"f": "2026-11-23T03:58:59Z"}]),
    ("day", "f|day: 23", [{"f": "2026-11-23"}], [{"f": "2026-11-24"}]),
    ("month", "f|month: 11", [{"f": "2026-11-23"}], [{"f": "2026-01-11"}]),
    ("year", "f|year: 2026", [{"f": "2026-11-23"}], [{"f": "2025-11-23"}]),
    ("keywords", "[mimikatz, 'sek*lsa']", [{"x": "a MimiKatz b"}, {"y": "xsekurlsa"}], [{"x": "mimi"}]),
    ("keywords in lists", "[needle]", [{"x": ["hay", "a needle"]}], [{"x": ["hay"]}]),
    ("keywords, all", "'|all': [aaa, bbb]", [{"x": "aaa", "y": "bbb"}], [{"x": "aaa"}]),
    ("keyword in the raw line", "[needle]", [{"event.original": "<13> needle"}], [{"event.original": "x"}]),
    ("NUL and separators", r"f|contains: 'a'", [{"f": "\0a\0"}], [{"f": "\0"}]),
]


@pytest.mark.parametrize(("body", "hits", "misses"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_value(tmp_path: Path, body: str, hits: list[dict[str, Any]], misses: list[dict[str, Any]]) -> None:
    """The search matches every hit and no miss, and the slow evaluator says the same."""
    detection = {"sel": yaml.safe_load(body), "condition": "sel"}
    events = [*hits, *misses]
    expected = list(range(len(hits)))
    assert rulebook.matching(tmp_path, detection, events) == expected
    written = rulebook.rule(detection)
    assert [i for i, event in enumerate(events) if sigma_oracle.holds(written, event)] == expected


CONDITIONS: list[tuple[str, list[int]]] = [
    ("a", [0, 3]),
    ("not a", [1, 2]),
    ("a and b", [3]),
    ("a or b", [0, 1, 3]),
    ("a and not b", [0]),
    ("not (a or b)", [2]),
    ("a or b and not b", [0, 3]),
    ("1 of them", [0, 1, 3]),
    ("all of them", [3]),
    ("any of them", [0, 1, 3]),
    ("1 of a*", [0, 3]),
    ("not 1 of them", [2]),
    ("all of a* or b", [0, 1, 3]),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_condition(tmp_path: Path, condition: str, expected: list[int]) -> None:
    """Operators, precedence and selectors."""
    detection = {"a": {"f": "one"}, "b": {"g": "two"}, "condition": condition}
    events = [{"f": "one"}, {"g": "two"}, {"f": "x"}, {"f": "one", "g": "two"}]
    assert rulebook.matching(tmp_path, detection, events) == expected


def test_several_conditions(tmp_path: Path) -> None:
    """Of a list of conditions any suffices."""
    detection = {"a": {"f": "one"}, "b": {"f": "two"}, "condition": ["a", "b"]}
    assert rulebook.matching(tmp_path, detection, [{"f": "two"}, {"f": "x"}, {"f": "one"}]) == [0, 2]


def test_typed_columns(tmp_path: Path) -> None:
    """Integers, floats and booleans compare with numbers, texts and wildcards alike."""
    port, score, flag = "source.port", "event.risk_score", "process.interactive"
    events = [{port: 443, score: 1.0, flag: True}, {port: 44, score: 1.5, flag: False}, {port: None}]
    cases: list[tuple[str, Any, list[int]]] = [
        (port, 443, [0]),
        (port, "44*", [0, 1]),
        (score, 1, [0]),
        (f"{score}|gt", 1.2, [1]),
        (flag, True, [0]),
        (flag, "FALSE", [1]),
        (f"{port}|exists", False, [2]),
    ]
    for number, (key, value, expected) in enumerate(cases):
        detection = {"s": {key: value}, "condition": "s"}
        assert rulebook.matching(tmp_path / str(number), detection, events) == expected, key


def test_time_column(tmp_path: Path) -> None:
    """Parts of `@timestamp`, also compared."""
    events = [{"x": "a", "@timestamp": rulebook.NOW}]
    for field, expected in [("hour", 9), ("week", 48), ("year", 2026)]:
        detection = {"s": {f"@timestamp|{field}": expected}, "condition": "s"}
        assert rulebook.matching(tmp_path / field, detection, events) == [0]
    assert rulebook.matching(
        tmp_path / "gte", {"s": {"@timestamp|hour|gte": 9}, "condition": "s"}, events
    ) == [0]
    assert (
        rulebook.matching(tmp_path / "lt", {"s": {"@timestamp|hour|lt": 9}, "condition": "s"}, events) == []
    )


def test_hostile_wildcards(tmp_path: Path) -> None:
    """Thousands of wildcards against a megabyte end at once and rightly."""
    events = [{"f": "a" * 1_000_000}, {"f": "ab" * 3000}]
    detection = {"s": {"f": "*a*b" * 2000 + "*"}, "condition": "s"}
    assert rulebook.matching(tmp_path, detection, events) == [1]
