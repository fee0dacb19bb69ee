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
    ("one backslash", r"f: C:\x", [{"f": r"C:\X"}], [{"f": r"C:\\x"}]),
    ("doubled backslash", r"f: C:\\x", [{"f": r"C:\x"}], [{"f": r"C:\\x"}]),
    ("three backslashes", r"f: C:\\\x", [{"f": r"C:\\x"}], [{"f": r"C:\x"}]),
    ("escaped backslash and escaped star", r"f: C:\\\*", [{"f": r"C:\*"}], [{"f": r"C:\x"}]),
    ("escaped question mark", r"f|contains: a\?b", [{"f": "xa?b"}], [{"f": "xacb"}]),
    ("trailing backslash", "f|startswith: 'C:\\'", [{"f": r"C:\x"}], [{"f": "C:x"}]),
    ("two backslashes", r"f: \\\\host\\x", [{"f": r"\\host\x"}], [{"f": r"\host\x"}]),
    ("only a star: any value", "f: '*'", [{"f": ""}, {"f": "x"}], [{"f": None}, {"g": "x"}]),
    ("empty", "f: ''", [{"f": ""}], [{"f": None}, {"f": " "}]),
    ("empty or null", "f: ['', null]", [{"f": ""}, {"f": None}], [{"f": "x"}]),
    ("no value at all", "f: []", [{"f": None}], [{"f": ""}, {"f": "x"}]),
    ("null of a list", "f: null", [{"f": []}], [{"f": [""]}]),
    ("null", "f: null", [{"f": None}, {"g": "x"}], [{"f": ""}, {"f": "x"}]),
    ("exists", "f|exists: true", [{"f": ""}, {"f": "x"}], [{"f": None}, {"g": "x"}]),
    ("does not exist", "f|exists: false", [{"f": None}], [{"f": ""}]),
    ("5.0 is the number five", "f: 5.0", [{"f": "5"}], [{"f": "5.00"}, {"f": "50"}]),
    ("of a text modifier it is what is written", "f|contains: 5.0", [{"f": "v5.0"}], [{"f": "v5"}]),
    ("number against text", "f: 4688", [{"f": "4688"}], [{"f": "46880"}, {"f": "x4688"}]),
    ("boolean against text", "f: true", [{"f": "True"}, {"f": "true"}], [{"f": "1"}]),
    ("list of values: any", "f: [a, b]", [{"f": "a"}, {"f": "b"}], [{"f": "ab"}]),
    ("contains a number", "f|contains: 500", [{"f": "x500x"}], [{"f": "50"}]),
    ("startswith and endswith a number", "{f|startswith: 5, f|endswith: 0}", [{"f": "500"}], [{"f": "50x"}]),
    (
        "cased number, cased truth",
        "[{f|cased: 5}, {f|cased: true}]",
        [{"f": "5"}, {"f": "true"}],
        [{"f": "True"}],
    ),
    ("base64 of a number", "f|base64: 5", [{"f": "NQ=="}], [{"f": "5"}]),
    ("all of one", "f|contains|all: a", [{"f": "xa"}], [{"f": "b"}]),
    ("all over a list", "f|all: [a, b]", [{"f": ["b", "A"]}], [{"f": ["a"]}, {"f": ["ab"]}]),
    ("all", "f|contains|all: [aaa, bbb]", [{"f": "bbbaaa"}], [{"f": "aaa"}]),
    ("map: all items", "{f: a, g: b}", [{"f": "a", "g": "b"}], [{"f": "a"}, {"g": "b"}]),
    ("list of maps: any", "[{f: a}, {g: b}]", [{"f": "a"}, {"g": "b"}], [{"f": "b", "g": "a"}]),
    ("list field: any element", "f|startswith: b", [{"f": ["a", "bc"]}], [{"f": ["ab"]}, {"f": []}]),
    ("windash", "f|windash|contains: ' -a'", [{"f": "x /a"}, {"f": "x ―a"}, {"f": "x –A"}], [{"f": "x +a"}]),
    ("windash from /", "f|windash|contains: ' /a'", [{"f": "x -a"}, {"f": "x —a"}], [{"f": "x a"}]),
    ("windash from an en dash", "f|windash|contains: ' –a'", [{"f": "x -a"}, {"f": "x /a"}], [{"f": "x a"}]),
    ("windash: the last of two", "f|windash|contains: '--a'", [{"f": "-/a"}, {"f": "--a"}], [{"f": "//a"}]),
    (
        "windash, all",
        "f|contains|all|windash: [' -a', ' /b']",
        [{"f": "x /a -b"}, {"f": "x –a ―b"}],
        [{"f": "x -a"}],
    ),
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
    ("numbers as text", "f|gt: 5", [{"f": "+6"}, {"f": "6."}, {"f": "1e1"}, {"f": ".6e2"}], [{"f": " 6"}]),
    ("no numbers", "f|gt: 5", [], [{"f": v} for v in ("0x10", "1_0", "１２", "nan", "inf", "6e", "", "6 ")]),
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
    ("neq of null", "f|neq: null", [{"f": ""}, {"f": "x"}], [{"f": None}]),
    ("neq of empty", "f|neq: ''", [{"f": "x"}, {"f": None}], [{"f": ""}]),
    ("neq of a number", "f|neq: 5", [{"f": "6"}, {"f": "5.0"}, {"f": None}], [{"f": "5"}]),
    ("neq over a list: none", "f|neq: a", [{"f": ["b"]}, {"f": []}], [{"f": ["b", "A"]}]),
    ("neq contains", "f|contains|neq: [ab, cd]", [{"f": "a"}, {"f": None}], [{"f": "xAB"}, {"f": "cdx"}]),
    ("neq all: not all", "f|contains|all|neq: [ab, cd]", [{"f": "ab"}], [{"f": "cdab"}]),
    ("neq re", "f|re|neq: a.b", [{"f": "ab"}, {"f": None}], [{"f": "xa-b"}]),
    ("neq cidr", "f|cidr|neq: 10.0.0.0/8", [{"f": "192.0.2.1"}, {"f": "x"}], [{"f": "10.0.0.1"}]),
    ("neq of several", "f|neq: [a, b]", [{"f": "c"}], [{"f": "a"}, {"f": "b"}]),
    ("fieldref", "f|fieldref: g", [{"f": "A", "g": "a"}], [{"f": "a", "g": "b"}, {"f": "a"}, {"g": "a"}]),
    ("fieldref startswith", "f|fieldref|startswith: g", [{"f": "abc", "g": "AB"}], [{"f": "xab", "g": "ab"}]),
    ("fieldref endswith", "f|fieldref|endswith: g", [{"f": "abc", "g": "bc"}], [{"f": "abc", "g": "ab"}]),
    ("fieldref contains", "f|fieldref|contains: g", [{"f": "abcd", "g": "bc"}], [{"f": "abcd", "g": "ac"}]),
    ("startswith fieldref", "f|startswith|fieldref: g", [{"f": "aB", "g": "Ab"}], [{"f": "xab", "g": "ab"}]),
    ("fieldref cased", "f|fieldref|cased: g", [{"f": "A", "g": "A"}], [{"f": "A", "g": "a"}]),
    (
        "fieldref contains cased",
        "f|cased|fieldref|contains: g",
        [{"f": "xAb", "g": "A"}],
        [{"f": "xab", "g": "A"}],
    ),
    ("fieldref over lists", "f|fieldref: g", [{"f": ["a", "b"], "g": ["B"]}], [{"f": ["a"], "g": ["b"]}]),
    ("fieldref contains neq", "f|fieldref|contains|neq: g", [{"f": "a", "g": "b"}], [{"f": "ab", "g": "B"}]),
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
    ("week", "f|week: 48", [{"f": "2026-11-23T03:59:00Z"}], [{"f": "2026-11-22"}, {"f": "2026-02-30"}]),
    ("hour compared", "f|hour|gte: 9", [{"f": "2026-11-23 09:00"}], [{"f": "2026-11-23T08:59:59Z"}]),
    (
        "hour neq",
        "f|hour|neq: 9",
        [{"f": "2026-11-23 08:00"}, {"f": "x"}, {"g": "x"}],
        [{"f": "2026-11-23 09:00"}],
    ),
    ("one of some hours", "f|hour: [9, 10]", [{"f": "2026-11-23T10:00"}], [{"f": "2026-11-23"}]),
    ("minute compared", "f|minute|lt: 5", [{"f": "2026-11-23T09:04:59Z"}], [{"f": "2026-11-23T09:05:00Z"}]),
    ("hour", "f|hour: 3", [{"f": "2026-11-23T03:59:00Z"}], [{"f": "2026-11-23T13:00:00Z"}, {"f": "3"}]),
    ("minute", "f|minute: 59", [{"f": "2026-11-23T03:59:00Z"}], [{"f": "2026-11-23T03:58:59Z"}]),
    ("day", "f|day: 23", [{"f": "2026-11-23"}], [{"f": "2026-11-24"}]),
    ("month", "f|month: 11", [{"f": "2026-11-23"}], [{"f": "2026-01-11"}]),
    ("year", "f|year: 2026", [{"f": "2026-11-23"}], [{"f": "2025-11-23"}]),
    ("keywords", "[mimikatz, 'sek*lsa']", [{"x": "a MimiKatz b"}, {"y": "xsekurlsa"}], [{"x": "mimi"}]),
    ("keywords in lists", "[needle]", [{"x": ["hay", "a needle"]}], [{"x": ["hay"]}]),
    ("keywords, all", "'|all': [aaa, bbb]", [{"x": "aaa", "y": "bbb"}], [{"x": "aaa"}]),
    ("keyword in the raw line", "[needle]", [{"event.original": "<13> needle"}], [{"event.original": "x"}]),
    ("keywords: a single value", "needle", [{"x": "a needle"}], [{"x": "hay"}]),
    ("keywords: a number", "[4688]", [{"x": "id 4688;"}], [{"x": "468"}]),
    ("keywords by regular expression", "{'|re': 'a.b'}", [{"x": "xa-bx"}], [{"x": "ab"}, {"x": "A-B"}]),
    ("keywords, encoded", "{'|base64offset|contains': ping}", [{"x": "cGluZw=="}], [{"x": "ping"}]),
    ("keywords, cased", "{'|cased': ab}", [{"x": "xab"}], [{"x": "xAB"}]),
    ("keywords are not numbers' fields", "[443]", [{"x": "443"}], [{"source.port": 443}]),
    (
        "keywords are not looked for in what we say of an event",
        "[mynumber]",
        [{"event.original": "mynumber"}, {"message": "at mynumber"}, {"url.original": "/mynumber"}],
        [
            {"source.zone": "mynumber"},
            {"related.user": ["mynumber"]},
            {"user.staff.department": "mynumber"},
            {"event.category": ["mynumber"]},
            {"cloud.provider": "mynumber"},
            {"threat.indicator.name": "mynumber"},
            {"winlog.logon.type": "mynumber"},
        ],
    ),
    ("keywords and maps", "[needle, {f: b}]", [{"f": "B"}, {"x": "needle"}], [{"f": "bb"}]),
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
    ("a AND NOT b", [0]),
    ("1 OF THEM", [0, 1, 3]),
    ("a and not 1 of filter*", [0, 3]),
    ("a or 1 of filter*", [0, 3]),
    ("a and 1 of filter*", []),
    ("((a)) and\n  b", [3]),
    ("not not a", [0, 3]),
    ("1 of *", [0, 1, 3]),
    ("not a or not b", [0, 1, 2]),
    ("not (a and b) and 1 of them", [0, 1]),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_condition(tmp_path: Path, condition: str, expected: list[int]) -> None:
    """Operators, precedence and selectors."""
    detection = {"a": {"f": "one"}, "b": {"g": "two"}, "_c": {"f": "x"}, "condition": condition}
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


PLACED: list[tuple[str, list[str]]] = [
    ("f|expand: '%net%'", ["10.0.0.0/8", "192.0.2.0/24"]),
    ("f|expand: '%who%x'", ["annx", "BOBxx", "7x"]),
    ("f|expand: '%who% %who%'", ["ann bob!", "bob ann", "7 7"]),
    (r"f|expand: '\%x%who%'", ["%xann"]),
    ("f: '%who%'", ["%who%"]),
    ("f|expand|contains: '-%who%'", ["x-annx"]),
    ("f|contains|expand: '-%who%'", ["x-annx"]),
    ("f|expand|cased: '%who%'", ["ann", "bob", "bob!", "7"]),
    ("f|re|expand: '^%who%$'", ["ann", "7"]),
    ("f|expand|re: '^%who%$'", ["ann", "7"]),
    ("f|cidr|expand: '%net%'", ["10.9.9.9", "192.0.2.1"]),
    ("f|expand|cidr: ['%net%', '203.0.113.0/24']", ["10.9.9.9", "192.0.2.1", "203.0.113.1"]),
    ("f|expand|cidr|neq: '%net%'", ["x", "198.51.100.1"]),
]


@pytest.mark.parametrize(("body", "hits"), PLACED, ids=[body for body, _ in PLACED])
def test_placeholder(tmp_path: Path, body: str, hits: list[str]) -> None:
    """Each of a placeholder's values (patterns where the field is one), beside any other modifier."""
    given = {"who": ["ann", "bob*", "7"], "net": ["10.0.0.0/8", "192.0.2.0/24"]}
    others = ["net", "ANN", "none", "%who%who"] if "neq" not in body else ["10.0.0.1", "192.0.2.255"]
    detection = {"sel": yaml.safe_load(body), "condition": "sel"}
    events = [{"f": value, "g": "GG"} for value in [*hits, *others] if value != "ANN" or "cased" in body]
    assert rulebook.matching(tmp_path, detection, events, placeholders=given) == list(range(len(hits)))


def test_placeholder_that_is_no_network(tmp_path: Path) -> None:
    """It is the rule's reason not to run, with the value."""
    detection = {"sel": {"f|cidr|expand": "%net%"}, "condition": "sel"}
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection), placeholders={"net": ["10.0.0.300"]})
    assert '"10.0.0.300" is not a network' in (loaded.rules[0].unsupported or pytest.fail("supported")).en


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"a": {"f": 1}, "condition": "a and all of nope*"}, '"all of nope*" in the condition names no search'),
    ({"a": {"f": 1}, "condition": "1 of nope*"}, ""),
    ({"a": {"f": 1}, "condition": "a | count() > 5"}, "replaced by Sigma correlations"),
    ({"a": {"f": 1}, "condition": "none of them"}, "there is no `none of`"),
    ({"a": {"f|windash": " -a" * 20}, "condition": "a"}, "windash over 20 dashes"),
    ({"a": {"f|cidr": "10.0.0.1/8"}, "condition": "a"}, "has host bits set"),
    ({"a": {"f|base64": "a*"}, "condition": "a"}, "can't be encoded"),
    ({"a": {"f|gt": "many"}, "condition": "a"}, "it takes a number and one comparison"),
    ({"a": {"f": {"g": 1}}, "condition": "a"}, "Unsupported type"),
]


@pytest.mark.parametrize(("detection", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_refused(tmp_path: Path, detection: dict[str, Any], said: str) -> None:
    """What has no meaning is a problem that says so; `1 of` nothing has one: never true."""
    loaded = rulebook.rules(tmp_path, rulebook.rule(detection))
    assert [said in problem.reason.en for problem in loaded.problems] == ([True] if said else [])
    assert loaded.match(rulebook.batch([{"f": "1"}, {"f": None}])).hits == []


def test_yaml_types(tmp_path: Path) -> None:
    """What YAML makes of plain values: dates, truths and numbers are the texts that they stand for."""
    cases = [
        ("f: 2026-11-23", ["2026-11-23"], ["2026"]),
        ("f|exists: 'true'", ["", "x"], [None]),
        ("f|gt: '5'", ["6"], ["5", "x"]),
        ("f|re: 5", ["x5"], ["x"]),
        ("f|windash: -5", ["-5", "/5"], ["5"]),
        ("f: 1.5", ["1.5"], ["1.50"]),
    ]
    for number, (body, hits, misses) in enumerate(cases):
        detection = {"s": yaml.safe_load(body), "condition": "s"}
        events = [{"f": value} for value in [*hits, *misses]]
        assert rulebook.matching(tmp_path / str(number), detection, events) == list(range(len(hits))), body


def test_hostile_wildcards(tmp_path: Path) -> None:
    """Thousands of wildcards against a megabyte end at once and rightly."""
    events = [{"f": "a" * 1_000_000}, {"f": "ab" * 3000}]
    detection = {"s": {"f": "*a*b" * 2000 + "*"}, "condition": "s"}
    assert rulebook.matching(tmp_path, detection, events) == [1]
