"""Windows events that come in another tool's wrapping say the same as the bare event, also to a hunt."""

import io
import json
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from collectors.catalogue import recognise
from collectors.sources.windows_eventlog import source
from ops.hunt import Hunt
from rules.in_force import InForce

_CHANNEL, _PROVIDER = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon"
_COMPUTER, _TIME = "ws01.city.example.jp", "2026-11-20T18:52:07.1230000Z"
_DATA = {
    "UtcTime": "2026-11-20 18:52:07.120",
    "Image": "C:\\Windows\\System32\\whoami.exe",
    "CommandLine": 'whoami /priv "x"',
    "User": "CITY\\sato",
    "IntegrityLevel": "High",
}
_XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
    f"<Provider Name='{_PROVIDER}'/><EventID>1</EventID><TimeCreated SystemTime='{_TIME}'/>"
    f"<Channel>{_CHANNEL}</Channel><Computer>{_COMPUTER}</Computer></System><EventData>"
    + "".join(f"<Data Name='{name}'>{value}</Data>" for name, value in _DATA.items())
    + "</EventData></Event>"
)
_EVTXECMD = {
    "PayloadData1": "whoami",
    "Channel": _CHANNEL,
    "Provider": _PROVIDER,
    "EventId": 1,
    "Computer": _COMPUTER,
    "TimeCreated": "2026-11-20T18:52:07.1230000+00:00",
    "Payload": orjson.dumps(
        {"EventData": {"Data": [{"@Name": name, "#text": value} for name, value in _DATA.items()]}}
    ).decode(),
}
_WAZUH = {
    "timestamp": "2026-11-20T18:52:09.000+0000",
    "agent": {"name": "ws01"},
    "data": {
        "win": {
            "system": {
                "providerName": _PROVIDER,
                "eventID": "1",
                "systemTime": _TIME,
                "channel": _CHANNEL,
                "computer": _COMPUTER,
            },
            "eventdata": {name[:1].lower() + name[1:]: value for name, value in _DATA.items()},
        }
    },
}
_OPENWEC = {
    "System": {
        "Provider": {"Name": _PROVIDER},
        "EventID": 1,
        "TimeCreated": _TIME,
        "Channel": _CHANNEL,
        "Computer": _COMPUTER,
    },
    "EventData": _DATA,
    "OpenWEC": {"IpAddress": "192.0.2.5"},
}
WRAPPED: dict[str, dict[str, Any]] = {
    "azure": {"properties": {"RawXml": _XML}},
    "splunk": {"preview": False, "result": {"_raw": _XML}},
    "openwec": _OPENWEC,
    "openwec-raw": {"meta": {"OpenWEC": {}}, "data": _XML},
    "wazuh": _WAZUH,
    "evtxecmd": _EVTXECMD,
}
_RULE = """
title: A person asks for their privileges
id: 6f8b2a0e-2c58-4d0a-9a53-2d1f0c7b9f11
status: test
logsource: {product: windows, category: process_creation}
detection:
  selection: {Image|endswith: '\\whoami.exe', CommandLine|contains: '/priv "'}
  condition: selection
level: medium
"""


def _event(line: str) -> dict[str, Any]:
    [frame] = source.parse(pl.DataFrame({"message": [line]})).frames
    row = frame.row(0, named=True)
    return {name: value for name, value in row.items() if value is not None and name != "event.original"}


@pytest.mark.parametrize("tool", [*WRAPPED])
def test_a_wrapped_event_is_the_bare_event(tool: str) -> None:
    """Every column, time included, is as of the event's own XML, and the form is recognised."""
    line = orjson.dumps(WRAPPED[tool]).decode()
    assert _event(line) == _event(_XML)
    if tool != "azure":  # an Azure record is told by its category
        assert recognise([line]) == "windows.eventlog"


@pytest.mark.parametrize("tool", [*WRAPPED])
def test_a_hunt_finds_it(tool: str, tmp_path: Path) -> None:
    """What a hunt passes over never hides a wrapped event: quotes and backslashes are escaped twice in some."""
    log, rules = tmp_path / "log.jsonl", tmp_path / "rules"
    rules.mkdir()
    (rules / "rule.yml").write_text(_RULE, encoding="utf-8")
    other = '{"EventID": 5, "Channel": "Security", "SourceName": "x", "UtcTime": "2026-11-20 00:00:00"}\n'
    log.write_text(other * 50 + json.dumps(WRAPPED[tool]) + "\n", encoding="utf-8")
    out = io.BytesIO()
    Hunt([log], InForce([rules]), tmp_path / "cache", source="windows.eventlog").write_jsonl(out)
    assert len(out.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"win": {"system": {"eventID": 1}, "eventdata": {"param1": "a"}}}},
        {"EventId": 7, "Payload": '{"EventData": "text"}'},
        {"EventId": 7, "Payload": '{"EventData": {"Data": "only one"}}'},
        {"EventId": 7, "Payload": "["},
        {"OpenWEC": 1, "System": {"EventID": 3, "Provider": "x"}, "UserData": "<a><b>1</b>"},
        {"result": {"_raw": "<Event><System><EventID>1</EventID>"}},
        {"data": {"win": []}},
    ],
)
def test_half_an_envelope_is_an_event_or_a_dead_letter(document: dict[str, Any]) -> None:
    """Odd contents never raise: the line becomes one event or stays a rejected line, never both, never nothing."""
    parsed = source.parse(pl.DataFrame({"message": [orjson.dumps(document).decode()]}))
    assert sum(frame.height for frame in parsed.frames) + parsed.rejected.height == 1
