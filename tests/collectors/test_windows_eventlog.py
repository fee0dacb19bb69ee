"""windows.eventlog: forms, the split into kinds, exact event data, hostile input."""

from typing import Any

import orjson
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.sources.windows_eventlog import source
from collectors.windows import kinds

SECURITY = "Microsoft-Windows-Security-Auditing"


def _parse(*lines: object) -> Any:
    texts = [line if isinstance(line, str) else orjson.dumps(line).decode() for line in lines]
    return source.parse(pl.DataFrame({"message": texts}, schema={"message": pl.String}))


def _beats(code: int, data: dict[str, object], provider: str = SECURITY) -> dict[str, object]:
    return {
        "@timestamp": "2026-11-20T18:52:07.123Z",
        "host": {"name": "dc01"},
        "winlog": {
            "event_id": code,
            "channel": "Security",
            "provider_name": provider,
            "computer_name": "dc01.city.hinomi.example.jp",
            "event_data": data,
        },
    }


def _flat(code: int, **data: object) -> dict[str, object]:
    return {
        "EventTime": "2026-11-21 03:44:10",
        "Hostname": "dc01",
        "EventID": code,
        "SourceName": SECURITY,
        **data,
    }


def test_each_kind_of_event_gets_its_own_frame() -> None:
    """Two event ids in any order make two frames; rows say where they came from."""
    parsed = _parse(
        _beats(4624, {"TargetUserName": "a"}),
        _beats(4688, {"NewProcessName": "C:\\x.exe"}),
        _beats(4624, {"TargetUserName": "b"}),
    )
    rows = {frame["winlog.event_id"][0]: frame["row"].to_list() for frame in parsed.frames}
    assert rows == {"4624": [0, 2], "4688": [1]}
    logons = next(frame for frame in parsed.frames if frame["winlog.event_id"][0] == "4624")
    assert "winlog.event_data.NewProcessName" not in logons.columns


def test_the_same_event_in_two_forms_is_one_kind() -> None:
    """Winlogbeat and NXLog records of one event id meet in one frame with the same columns."""
    parsed = _parse(
        _beats(4625, {"TargetUserName": "a", "IpAddress": "192.0.2.9"}),
        _flat(4625, TargetUserName="b", IpAddress="192.0.2.10", Channel="Security"),
    )
    [frame] = parsed.frames
    assert frame.sort("row")["source.ip"].to_list() == ["192.0.2.9", "192.0.2.10"]
    assert frame["event.outcome"].to_list() == ["failure", "failure"]


def test_event_data_is_exactly_the_events_text() -> None:
    """Blanks, hyphens, case, numbers and Japanese stay in winlog.event_data; only ECS fields are cleaned."""
    data = {
        "LogonProcessName": "Advapi  ",
        "TargetUserName": " 佐藤 ",
        "IpAddress": "-",
        "KeyLength": 128,
        "X": "",
    }
    [frame] = _parse(_beats(4624, data)).frames
    kept = {name: frame[f"winlog.event_data.{name}"][0] for name in data}
    assert kept == {**data, "KeyLength": "128"}
    assert frame["user.name"][0] == "佐藤"
    assert frame["source.ip"][0] is None


def test_local_time_of_flat_records_is_japans_and_an_offset_wins() -> None:
    """03:44 without an offset is 18:44 UTC; with an offset it is what it says."""
    parsed = _parse(
        _flat(4634, TargetUserName="a"),
        {**_flat(4634, TargetUserName="b"), "EventTime": "2026-11-21T03:44:10+00:00"},
    )
    times = pl.concat([frame.select("row", "@timestamp") for frame in parsed.frames]).sort("row")[
        "@timestamp"
    ]
    assert [str(time)[11:19] for time in times.to_list()] == ["18:44:10", "03:44:10"]


def test_what_is_no_windows_event_is_rejected_with_a_reason() -> None:
    """Other JSON, other XML and text are rejected; nothing vanishes."""
    parsed = _parse('{"a":1}', "<html></html>", "plain", _beats(4634, {}), "<Event><System>", "")
    assert parsed.rejected["row"].to_list() == [0, 1, 2, 4, 5]
    assert set(parsed.rejected["reason"]) == {"not_windows.eventlog"}


def test_xml_with_a_document_type_is_refused() -> None:
    """Entity definitions never reach the XML reader."""
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb">]><Event><System><EventID>1</EventID></System></Event>'
    assert _parse(bomb).rejected.height == 1


def test_an_azure_diagnostic_record_is_the_event_inside() -> None:
    """A virtual machine's WindowsEventLogsTable record carries the event's XML."""
    event = (
        "<Event xmlns='x'><System><Provider Name='Microsoft-Windows-Sysmon'/><EventID>5</EventID></System>"
        "<EventData><Data Name='Image'>C:\\a.exe</Data></EventData></Event>"
    )
    line = {
        "category": "WindowsEventLogsTable",
        "properties": {"Channel": "x", "EventId": 5, "RawXml": event},
    }
    [frame] = _parse(line).frames
    assert frame["process.executable"].to_list() == ["C:\\a.exe"]


def test_unnamed_values_are_numbered_and_joined() -> None:
    """Classic events: param1, param2 … and Data, whichever of the two the shipper wrote."""
    evtx = {
        "Event": {
            "System": {
                "EventID": 1040,
                "Channel": "Application",
                "Provider": {"#attributes": {"Name": "MsiInstaller"}},
            },
            "EventData": {"Data": {"#text": ["C:\\a.msi", "2128"]}, "Binary": None},
        }
    }
    beats = _beats(1040, {"param1": "C:\\a.msi", "param2": "2128"}, provider="MsiInstaller")
    for line in (evtx, beats):
        [frame] = _parse(line).frames
        assert frame["winlog.event_data.Data"][0] == "C:\\a.msi\n2128"
        assert frame["winlog.event_data.param2"][0] == "2128"


def test_a_record_without_its_log_is_told_by_its_data() -> None:
    """Exports that dropped channel or provider: both are told from what is left."""
    [frame] = _parse({"EventID": 1, "UtcTime": "2026-11-20 18:00:00.000", "Image": "C:\\a.exe"}).frames
    assert frame["winlog.channel"][0] == "Microsoft-Windows-Sysmon/Operational"
    assert frame["process.name"][0] == "a.exe"


def test_the_event_overrules_what_a_shipper_made_of_it() -> None:
    """The action is ours, but a value that only the shipper has is kept."""
    line = _beats(4624, {"TargetUserName": "a"}) | {"event": {"action": "Logon"}, "process": {"pid": 12}}
    [frame] = _parse(line).frames
    assert frame["event.action"][0] == "logged-in"
    assert frame["process.pid"][0] == 12


def test_kinds_are_well_formed() -> None:
    """Each known event id has ECS categories and types that ECS allows."""
    types = {
        "access",
        "admin",
        "allowed",
        "change",
        "connection",
        "creation",
        "deletion",
        "denied",
        "end",
        "error",
        "group",
        "info",
        "protocol",
        "start",
        "user",
    }
    categories = {
        "authentication",
        "configuration",
        "driver",
        "file",
        "host",
        "iam",
        "intrusion_detection",
        "library",
        "malware",
        "network",
        "process",
        "registry",
        "session",
    }
    tables = [kinds.SECURITY, kinds.SYSMON, kinds.POWERSHELL, *kinds.OTHERS.values()]
    for kind in (kind for table in tables for kind in table.values()):
        assert set(kind.type) <= types
        assert set(kind.category) <= categories


_VALUE = (
    st.none()
    | st.text(max_size=20)
    | st.integers(-(2**63), 2**64 - 1)
    | st.lists(st.text(max_size=5), max_size=3)
    | st.booleans()
)
_DATA = st.dictionaries(
    st.sampled_from(
        [
            "TargetUserName",
            "SubjectUserName",
            "IpAddress",
            "IpPort",
            "ProcessId",
            "Hashes",
            "UtcTime",
            "TargetObject",
            "Data",
            "param1",
            "Image",
            "QueryResults",
            "MemberName",
            "Status",
            "Protocol",
            "ShareLocalPath",
            "url",
            "ContextInfo",
        ]
    )
    | st.text(max_size=6),
    _VALUE,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(SECURITY, c) for c in (4624, 4625, 4728, 4688, 5145, 5156, 4657, 4768)]
        + [("Microsoft-Windows-Sysmon", c) for c in (1, 3, 7, 11, 13, 22)]
        + [("PowerShell", 400), ("Microsoft-Windows-Bits-Client", 59), ("Service Control Manager", 7045)]),
    _DATA,
    st.text(max_size=30),
)  # fmt: skip
def test_no_event_data_can_raise(kind: tuple[str, int], data: dict[str, object], line: str) -> None:
    """Any value under any name, beside any line: each row is in a frame or rejected, never both."""
    provider, code = kind
    parsed = _parse(_beats(code, data, provider), _flat(code, **data), line)
    rows = [row for frame in parsed.frames for row in frame["row"]] + parsed.rejected["row"].to_list()
    assert sorted(rows) == [0, 1, 2]


_JSON = st.recursive(
    _VALUE,
    lambda inner: st.dictionaries(st.sampled_from(["name", "ip", "id", "Data", "*"]), inner, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(
    [
        "host",
        "event",
        "user",
        "process",
        "@timestamp",
        "message",
        "source",
        "log",
        "row",
        "registry",
        "Event",
        "EventID",
        "Channel",
        "Hostname",
        "EventTime",
        "Keywords",
        "UserID",
        "Message",
        "winlog",
        "winlog.event_id",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NAMES, _JSON, max_size=4), st.dictionaries(_NAMES, _JSON, max_size=4))
def test_no_document_can_raise(outer: dict[str, object], inner: dict[str, object]) -> None:
    """Any JSON where shippers write names, times and objects."""
    beats = _beats(4624, {"TargetUserName": "a"})
    within = {**beats, "winlog": {**beats["winlog"], **inner}}  # type: ignore[dict-item]
    evtx = {"Event": {"System": {"EventID": 1, **inner}, "EventData": outer}}
    parsed = _parse({**beats, **outer}, within, evtx, {**_flat(4624), **outer})
    rows = [row for frame in parsed.frames for row in frame["row"]] + parsed.rejected["row"].to_list()
    assert sorted(rows) == [0, 1, 2, 3]
