"""A rule that names an IPv6 address finds it in every spelling, in event data and in ECS columns, sieve or not."""

import io
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from benchmarks._fortigate_lines import lines as fortigate
from ops.hunt import Hunt
from rules.in_force import InForce

NAMED = ["0:0:0:0:0:0:0:1", "::1", "0000:0000:0000:0000:0000:0000:0000:0001"]
OTHER = ["::2", "0:0:0:0:0:0:0:2", "127.0.0.1", "-", "::1 x"]


def _rule(folder: Path, logsource: dict[str, str], field: str, value: str) -> Path:
    folder.mkdir()
    rule = {
        "title": "address",
        "id": "00000000-0000-4000-8000-000000000001",
        "logsource": logsource,
        "detection": {"s": {field: value}, "condition": "s"},
        "level": "low",
    }
    (folder / "r.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    return folder


def _found(path: Path, rules: Path, cache: Path, *, sieve: bool) -> list[Any]:
    out = io.BytesIO()
    Hunt([path], InForce([rules]), cache, sieve=sieve).write_jsonl(out)
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("sieve", [True, False])
@pytest.mark.parametrize("value", NAMED)
def test_windows(value: str, *, sieve: bool, tmp_path: Path) -> None:
    """Sysmon writes the long form, other programs the short one."""
    rules = _rule(
        tmp_path / "rules", {"product": "windows", "category": "network_connection"}, "DestinationIp", value
    )
    events = [
        {"EventID": 3, "Channel": "Microsoft-Windows-Sysmon/Operational", "SourceName": "Microsoft-Windows-Sysmon",
         "Computer": "pc", "UtcTime": "2026-11-20 19:31:05.063", "DestinationIp": one}
        for one in (*NAMED, *OTHER, "0:0::1", "::0001")
    ]  # fmt: skip
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, events)) + "\n", encoding="utf-8")
    found = _found(path, rules, tmp_path / "cache", sieve=sieve)
    said = [one["winlog"]["event_data"]["DestinationIp"] for one in found]
    assert sorted(said) == sorted([*NAMED, "0:0::1", "::0001"])


@pytest.mark.parametrize("sieve", [True, False])
@pytest.mark.parametrize("value", ["2001:DB8:0:0:0:0:0:7", "2001:db8::7"])
def test_firewall(value: str, *, sieve: bool, tmp_path: Path) -> None:
    """Lines hold what the firewall wrote, the column the short form, the rule what its author wrote."""
    rules = _rule(
        tmp_path / "rules", {"product": "hinomi", "service": "fortinet.fortigate"}, "source.ip", value
    )
    spellings = [
        "2001:db8::7",
        "2001:0db8:0000:0000:0000:0000:0000:0007",
        "2001:DB8:0:0:0:0:0:7",
        "2001:db8::8",
    ]
    [line] = [line.decode() for line in fortigate(1)]
    head, _, rest = line.partition(" srcip=")
    assert rest
    lines = [f"{head} srcip={one} {rest.partition(' ')[2]}" for one in spellings]
    path = tmp_path / "fw.log"
    path.write_text("\n".join(lines * 3) + "\n", encoding="utf-8")
    found = _found(path, rules, tmp_path / "cache", sieve=sieve)
    assert [one["source"]["ip"] for one in found] == ["2001:db8::7"] * 9
