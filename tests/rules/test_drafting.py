"""Drafts out of events: one of every product's test lines matches its own event, and hostile values stay values."""

import uuid
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import drafting, engine
from rules.case_lines import Lines
from rules.cases import START
from rules.engine import logsource
from rules.engine.explain import batch_of
from rules.scalar import scalar
from tests.collectors import content

TABLES = logsource.read()


def draft(event: Mapping[str, Any]) -> str:
    """A draft as the command makes it."""
    identity = str(uuid.uuid4())
    return drafting.draft(event, TABLES, identity=identity, author="h.sato", today=date(2026, 11, 28))


def test_every_product_s_drafts_match_their_own_events(tmp_path: Path) -> None:
    """Every test line of every source: the draft loads, can run, is fed by the line's dataset and matches the line."""
    lines = Lines(START)
    cases = [case for case in content.cases() if case.ecs is not None]
    lines.read([(case.source, str(case.raw)) for case in cases])
    events: list[dict[str, Any]] = []
    for case in cases:
        if (fields := lines.of(case.source, str(case.raw))) is not None:
            events.append({**fields, "event.dataset": case.source})
    assert len(events) > 400
    for number, event in enumerate(events):
        (tmp_path / f"{number}.yml").write_text(draft(event), encoding="utf-8")
    loaded = engine.load([tmp_path])
    assert loaded.problems == [] and loaded.unsupported == []
    by_file = {rule.path.stem: rule for rule in loaded.rules}
    for number, event in enumerate(events):
        rule = by_file[str(number)]
        assert event["event.dataset"] in rule.feeds
        assert rule.id in {one.id for one, _ in loaded.match(batch_of(event)).hits}, rule.path.read_text()


def test_a_windows_event_speaks_sigma() -> None:
    """A process that Sysmon saw: category process_creation, Sigma's own names, words instead of the whole command line."""
    event = {
        "event.dataset": "windows.eventlog",
        "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
        "winlog.event_id": "1",
        "winlog.event_data.Image": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        "winlog.event_data.ParentImage": r"C:\Program Files\Office\WINWORD.EXE",
        "winlog.event_data.CommandLine": "powershell.exe -NoProfile -EncodedCommand SQBFAFgA",
        "user.name": "t.yamada",
    }
    made = yaml.safe_load(draft(event))
    assert made["logsource"] == {"product": "windows", "category": "process_creation"}
    assert made["detection"]["selection"]["Image|endswith"] == r"\powershell.exe"
    assert made["detection"]["selection"]["CommandLine|contains|all"] == [
        "-NoProfile",
        "-EncodedCommand",
        "SQBFAFgA",
    ]
    assert "# user.name: t.yamada" in draft(event)


HOSTILE = [
    "a: b # c",
    "x\n- evil: true",
    "\u202etxt.exe",
    "*?\\",
    "''\"",
    "\x1b[2J",
    "\x00",
    "😀",
    "null",
    "0x1",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_values(value: str, tmp_path: Path) -> None:
    """A value cannot break out of the YAML, is no wildcard, shows no escape or mark, and is matched as it is."""
    event = {"event.dataset": "squid.access", "url.domain": value, "event.action": value, "user.name": value}
    text = draft(event)
    assert not {"\x1b", "\u202e", "\x00"} & set(text)
    file = tmp_path / "draft.yml"
    file.write_text(text, encoding="utf-8")
    loaded = engine.load([file])
    assert [rule.id for rule, _ in loaded.match(batch_of(event)).hits] == [yaml.safe_load(text)["id"]]
    other = {**event, "url.domain": f"{value}x", "event.action": f"{value}x"}
    assert len(loaded.match(batch_of(other))) == 0
    assert yaml.safe_load(scalar(value)) == value
