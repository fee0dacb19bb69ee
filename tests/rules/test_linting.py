"""`rules.linting`: what our loader, sigma-cli's checks and our own conventions have to say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.folders import packs_folder
from rules import linting
from tests.rules.engine import rulebook

GOOD: dict[str, Any] = {
    "title": "Sign-in refused to the firewall",
    "title_ja": "ファイアウォールへのサインイン失敗",
    "id": "31111111-2222-4333-8444-555555555555",
    "status": "test",
    "description": "Somebody was refused.",
    "author": "h.sato",
    "date": "2026-11-28",
    "tags": ["attack.credential-access", "attack.t1110"],
    "logsource": {"product": "hinomi", "service": "fortinet.fortigate"},
    "detection": {"selection": {"event.action": "ssl-login-fail"}, "condition": "selection"},
    "falsepositives": ["Typing errors"],
    "level": "low",
    "what_to_do_ja": "本人に確かめてください。",
    "hinomi": {"guideline": ["MIC-5.4"]},
}
CASE = {"name": "a", "match": True, "events": [{"event.action": "ssl-login-fail"}]}
CASES = [CASE, CASE, {**CASE, "match": False}, {**CASE, "match": False}]


def said(folder: Path, *documents: dict[str, Any], cases: Any = CASES, **more: Any) -> dict[str, str]:
    """Findings of one file, by key with their level."""
    folder.mkdir(exist_ok=True)
    file = folder / "own_rule_file.yml"
    file.write_text(
        "---\n".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents), encoding="utf-8"
    )
    if cases is not None:
        (folder / "own_rule_file.test.yml").write_text(json.dumps(cases), encoding="utf-8")
    return {one.key: one.level for one in linting.lint([file], **more)}


def test_a_good_rule_and_our_packs_have_nothing_to_say(tmp_path: Path) -> None:
    """Neither a whole rule of one's own nor any rule that comes with Hinomi."""
    assert said(tmp_path / "good", GOOD) == {}
    assert [str(one) for one in linting.lint([packs_folder()])] == []


@pytest.mark.parametrize(
    ("without", "key", "level"),
    [
        ("what_to_do_ja", "what_to_do_ja", "error"),
        ("title_ja", "title_ja", "warning"),
        ("level", "level", "warning"),
        ("author", "author", "warning"),
        ("falsepositives", "falsepositives", "warning"),
        ("hinomi", "hinomi", "warning"),
        ("tags", "tags", "warning"),
    ],
)
def test_each_convention(tmp_path: Path, without: str, key: str, level: str) -> None:
    """Each thing that a rule must say is missed when it is not said, and not asked of public rules."""
    document = {name: value for name, value in GOOD.items() if name != without}
    assert said(tmp_path / "own", document)[key] == level
    assert key not in said(tmp_path / "own", document, public=True)


def test_words_in_the_wrong_language(tmp_path: Path) -> None:
    """What to do must be Japanese: the staff on call read it at night."""
    assert said(tmp_path / "own", {**GOOD, "what_to_do_ja": "Ask the person."}) == {"what_to_do_ja": "error"}


def test_tests_beside(tmp_path: Path) -> None:
    """None, too few, and unreadable ones."""
    assert said(tmp_path / "none", GOOD, cases=None) == {"no_test": "error"}
    assert said(tmp_path / "few", GOOD, cases=CASES[:2]) == {"few_tests": "warning"}
    assert said(tmp_path / "bad", GOOD, cases=[{"name": "x"}]) == {"bad_test": "error"}


def test_sigma_cli_says_the_same(tmp_path: Path) -> None:
    """Each check of sigma-cli that fails is among ours: the program itself is asked."""
    bad = {**GOOD, "references": ["https://example.jp", "https://example.jp"], "date": "2026-11-28"}
    bad["detection"] = {"them": {"event.action": "a*"}, "selection": {"f": "x"}, "condition": "1 of them"}
    found = said(tmp_path / "bad", bad)
    program = str(Path(sys.executable).with_name("sigma"))
    command = [
        program,
        "check",
        "-x",
        "attacktag",
        "-x",
        "d3_fendtag",
        str(tmp_path / "bad/own_rule_file.yml"),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout
    theirs = {word.removeprefix("issue=") for word in told.split() if word.startswith("issue=")}
    assert theirs and {one.removesuffix("Issue") for one in theirs} <= found.keys()


EXCEPTION: dict[str, Any] = {
    "title": "Scanner",
    "id": "41111111-2222-4333-8444-555555555555",
    "logsource": {"product": "hinomi"},
    "filter": {"rules": [GOOD["id"]], "selection": {"source.ip": "10.0.0.9"}, "condition": "not selection"},
    "hinomi": {"owner": "h.sato", "reason": "検査機", "expires": "2999-12-31"},
}


def test_exceptions(tmp_path: Path) -> None:
    """The trap of `condition: selection`, which keeps what it names; exceptions without owner, reason or end; ended ones."""
    assert said(tmp_path / "good", GOOD, EXCEPTION) == {}
    keeps = {**EXCEPTION, "filter": {**EXCEPTION["filter"], "condition": "selection"}}
    assert said(tmp_path / "keeps", GOOD, keeps) == {"filter_keeps": "warning"}
    loose = {**EXCEPTION, "hinomi": {}}
    assert said(tmp_path / "loose", GOOD, loose) == {"filter_unowned": "warning", "filter_endless": "warning"}
    over = {**EXCEPTION, "hinomi": {**EXCEPTION["hinomi"], "expires": "2020-01-01"}}
    assert said(tmp_path / "over", GOOD, over) == {"filter_ended": "warning"}


def test_hours_are_not_the_citys(tmp_path: Path) -> None:
    """A part of a time is compared in UTC, which a rule of ours should not mean; a minute is the same in both."""
    for field, warned in (("@timestamp|hour|gte", True), ("@timestamp|minute|gte", False)):
        rule = {**GOOD, "detection": {**GOOD["detection"], "late": {field: 9}}}
        assert ("time_part_utc" in said(tmp_path / "a", rule)) == warned
        assert "time_part_utc" not in said(tmp_path / "a", rule, public=True)


def test_ids_and_what_cannot_be_read(tmp_path: Path) -> None:
    """Two documents of one id, and a file that is no rule: named with their line."""
    assert said(tmp_path / "twice", GOOD, {**GOOD, "title": "Another of the same"})["id_twice"] == "error"
    (tmp_path / "bad.yml").write_text("title: x\n  y: z\n", encoding="utf-8")
    [found] = [one for one in linting.lint([tmp_path / "bad.yml"]) if one.key == "not_read"]
    assert found.line == 2 and "bad.yml:2" in str(found)


def test_a_condition_that_other_tools_cannot_read(tmp_path: Path) -> None:
    """It runs here, sigma-cli's checks leave it out, and lint says so (it ended with an unforeseen error)."""
    detection = {"検索": {"f": "a"}, "notepad": {"f": "b"}, "condition": "検索 or notepad"}
    (tmp_path / "rule.yml").write_text(
        yaml.safe_dump(rulebook.rule(detection), allow_unicode=True), encoding="utf-8"
    )
    found = {one.key: one for one in linting.lint([tmp_path], public=True)}
    assert "not_read" not in found
    assert "not beginning with `not`" in found["only_here"].said.en
