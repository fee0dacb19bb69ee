"""Checking rules as content: what is wrong is said with its file and place, never with a stack trace."""

import json
from pathlib import Path

import pytest

from hinomi.errors import HinomiError
from rules import content

RULE = """\
title: Blocked
id: 3f0f5b7e-4a5c-4f8e-9d0a-0c4f7c1f2a10
name: blocked
level: high
logsource: {product: hinomi, service: fortinet.fortigate}
detection:
  selection: {event.action: deny}
  condition: selection
"""
CORRELATION = """\
---
title: Often
id: 8c1e2b14-6c37-4f65-8a0f-2f7f5f0d6b11
level: high
correlation: {type: event_count, rules: [RULE], group-by: [source.ip], timespan: 5m, condition: {gte: 3}}
"""
BASELINE = """\
---
title: Far
id: 5b2f0c6a-1d5e-4a0b-8e6d-3c0a9c1b7d12
level: high
baseline: {type: TYPE, rules: [RULE], entity: user.name}
"""
EXCEPTION = """\
---
title: Known
logsource: {product: any}
filter: {rules: [RULE], s: {source.ip: 192.0.2.1}, condition: not s}
"""
CASE = {"name": "one", "match": True, "events": [{"event.action": "deny"}]}


def written(folder: Path, text: str, cases: object = None) -> Path:
    """A folder with one rule file, and its cases."""
    (folder / "own.yml").write_text(text, encoding="utf-8")
    if cases is not None:
        (folder / "own.test.yml").write_text(json.dumps(cases), encoding="utf-8")
    return folder


def test_a_sound_rule_has_no_problems(tmp_path: Path) -> None:
    """A detection, a correlation and a baseline over it, and a case that holds."""
    text = RULE + CORRELATION.replace("RULE", "blocked")
    text += BASELINE.replace("TYPE", "off_hours").replace("RULE", "blocked")
    case = {**CASE, "events": [{"event.action": "deny", "source.ip": "192.0.2.1", "repeat": 3}]}
    report = content.check([written(tmp_path, text, [case])])
    assert report.problems == [] and (report.correlations, report.baselines) == (1, 1)
    assert content.test([tmp_path]).failed == []


def test_a_service_that_is_no_dataset_is_a_problem(tmp_path: Path) -> None:
    """`service: fortinet.fortgate` (a slip of the pen) loads, would never match, and is said with its file."""
    text = RULE.replace("fortinet.fortigate", "fortinet.fortgate")
    [problem] = content.check([written(tmp_path, text)]).problems
    assert "own.yml" in problem and "fortinet.fortgate" in problem and "logsource.service" in problem


@pytest.mark.parametrize(
    "text",
    [
        RULE + CORRELATION.replace("RULE", "nobody"),
        RULE + BASELINE.replace("TYPE", "off_hours").replace("RULE", "nobody"),
        RULE + BASELINE.replace("TYPE", "nothing").replace("RULE", "blocked"),
        RULE + EXCEPTION.replace("RULE", "nobody"),
    ],
    ids=["correlation", "baseline", "type", "exception"],
)
def test_what_refers_to_nothing_is_a_problem(tmp_path: Path, text: str) -> None:
    """A name that no rule has, a type that there is not: a problem that names the file."""
    problems = content.check([written(tmp_path, text)]).problems
    assert problems and all("own.yml" in problem for problem in problems)


@pytest.mark.parametrize(
    ("cases", "place"),
    [
        ({"name": "x"}, "own.test.yml"),
        (["x"], "own.test.yml:1"),
        ([{"name": "x", "match": True}], "own.test.yml:1"),
        ([CASE, {**CASE, "match": "maybe"}], "1.match"),
        ([{**CASE, "alerts": "two"}], "0.alerts"),
        ([{**CASE, "events": "all"}], "0.events"),
        ([{**CASE, "events": ["deny"]}], "0.events"),
        ([{**CASE, "events": [{"at": "soon"}]}], "0.events.0.at"),
        ([{**CASE, "events": [{"at": "2026-11-20T10:00:00"}]}], "0.events.0.at"),
        ([{**CASE, "events": [{}, {"every": "often"}]}], "0.events.1.every"),
        ([{**CASE, "events": [{"repeat": "many"}]}], "0.events.0.repeat"),
        ([{**CASE, "events": [{"repeat": -1}]}], "0.events.0.repeat"),
    ],
)
def test_a_bad_case_is_said_with_its_place(tmp_path: Path, cases: object, place: str) -> None:
    """Each slip in a test file names the file, the line and the key."""
    with pytest.raises(HinomiError) as caught:
        content.test([written(tmp_path, RULE, cases)])
    assert "own.test.yml" in str(caught.value) and place in str(caught.value)


def test_a_test_file_that_is_no_yaml(tmp_path: Path) -> None:
    """Broken YAML names the file and the line."""
    written(tmp_path, RULE)
    (tmp_path / "own.test.yml").write_text("- name: [x\n", encoding="utf-8")
    with pytest.raises(HinomiError, match=r"own\.test\.yml:\d"):
        content.test([tmp_path])


def test_a_case_that_does_not_hold_says_so(tmp_path: Path) -> None:
    """Matched where it must not, and the other way, and a wrong number of alerts."""
    cases = [{**CASE, "match": False}, {**CASE, "events": [{"event.action": "allow"}]}, {**CASE, "alerts": 2}]
    said = [case.said for case in content.test([written(tmp_path, RULE, cases)]).cases]
    assert ["matched" in said[0], "did not match" in said[1], "expected 2" in said[2]] == [True] * 3


def test_a_case_may_be_about_one_rule_of_its_file(tmp_path: Path) -> None:
    """Three refusals are a burst and one is none, though the detection of the same file matches; a name that the file does
    not have is said."""
    text = RULE + CORRELATION.replace("RULE", "blocked").replace("level: high", "name: often\nlevel: high")
    event = {"event.action": "deny", "source.ip": "192.0.2.1"}
    whose = [
        {"name": "three", "rule": "often", "match": True, "events": [{**event, "repeat": 3}]},
        {"name": "one", "rule": "often", "match": False, "events": [event]},
    ]
    assert content.test([written(tmp_path, text, whose)]).failed == []
    with pytest.raises(HinomiError, match="oftn") as error:
        content.test([written(tmp_path, text, [{**whose[0], "rule": "oftn"}])])
    assert "own.test.yml" in str(error.value) and "often" in str(error.value)
