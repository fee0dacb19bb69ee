"""A city's own mapping works with the commands that need no service: parse, hunt and rules check, each as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_MAPPING = """\
source: city.gate
title: {ja: 入退室, en: Gates}
format: key_value
recognise: "gate=\\\\S+ card="
fields:
  at: {to: "@timestamp", type: time}
  card: user.name
  gate: [event.action, {to: event.category, values: {}, otherwise: [iam]}]
required: [card]
"""
_RULE = """\
title: Gate of the machine room
id: 6f1d8f3c-7b1a-4b6e-9a53-1f0c4a0f4e11
logsource: {product: hinomi, service: city.gate}
detection: {s: {event.action: machine-room}, condition: s}
level: high
"""
_LINE = "at=2026-11-20T03:14:05+09:00 gate=machine-room card=t.yamada"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A folder with a mapping, a rule and a log."""
    for name, text in (
        ("sources/city_gate.source.yml", _MAPPING),
        ("rules/gate.yml", _RULE),
        ("logs/gate.log", f"{_LINE}\n" * 3),
        ("messages.jsonl", json.dumps({"message": _LINE}) + "\n"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def _hinomi(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ops.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_parse_reads_a_line_by_the_citys_mapping(city: Path) -> None:
    """Named by --source, found below --sources; without it the name is unknown."""
    said = ("parse", "--source", "city.gate", "--messages", city / "messages.jsonl")
    assert _hinomi(*said).returncode != 0
    done = _hinomi(*said, "--sources", city / "sources")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["user"]["name"] == "t.yamada"
    assert document["@timestamp"].startswith("2026-11-19T18:14:05")


@pytest.mark.parametrize("workers", [1, 2])
def test_hunt_recognises_the_citys_log(city: Path, workers: int) -> None:
    """Its fields are what the rule asks for, in workers, too."""
    (city / "logs" / "second.log").write_text(f"{_LINE}\n", encoding="utf-8")
    said = ("hunt", city / "logs", "--rules", city / "rules", "--jsonl", "--workers", workers)
    assert not _hinomi(*said).stdout
    done = _hinomi(*said, "--sources", city / "sources")
    assert [json.loads(line)["user"]["name"] for line in done.stdout.splitlines()] == ["t.yamada"] * 4


def test_rules_check_knows_the_citys_dataset(city: Path) -> None:
    """A rule on it was one on a dataset that does not exist, whose field nobody fills."""
    unknown = _hinomi("rules", "check", city / "rules", "--json")
    assert unknown.returncode == 1
    assert json.loads(unknown.stdout)["problems"]
    done = _hinomi("rules", "check", city / "rules", "--sources", city / "sources", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["feeds"], report["unmapped"], report["problems"]) == ({"city.gate": 1}, 0, [])


def test_rules_test_reads_raw_lines_of_the_citys_log(city: Path) -> None:
    """The test beside a rule names the city's source."""
    case = {"name": "opened", "match": True, "events": [{"source": "city.gate", "raw": _LINE}]}
    (city / "rules" / "gate.test.yml").write_text(json.dumps([case]), encoding="utf-8")
    assert _hinomi("rules", "test", city / "rules").returncode != 0
    done = _hinomi("rules", "test", city / "rules", "--sources", city / "sources")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 0 failed" in done.stdout


def test_a_mistake_in_a_mapping_is_told(city: Path) -> None:
    """File and field, and no stack trace."""
    broken = city / "sources" / "city_gate.source.yml"
    broken.write_text(_MAPPING.replace("card: user.name", "card: {to: 5}"), encoding="utf-8")
    done = _hinomi("rules", "check", city / "rules", "--sources", city / "sources")
    assert done.returncode != 0
    assert "city_gate.source.yml" in done.stderr and "Traceback" not in done.stderr
