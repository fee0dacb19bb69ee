"""Microsoft 365 and Entra sources: how values are written, kinds apart, hostile documents."""

from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.records import address, time, url
from collectors.source import Parsed, Source
from collectors.sources.microsoft_entra import source as entra
from collectors.sources.microsoft_entra_graph import source as graph
from collectors.sources.microsoft_m365_audit import source as m365

SOURCES = [m365, entra, graph]
AUDIT = {
    "CreationTime": "2026-11-20T19:31:05",
    "Operation": "FileDownloaded",
    "RecordType": 6,
    "Workload": "SharePoint",
    "UserId": "t.yamada@city.hinomi.example.jp",
    "UserKey": "1",
    "ClientIP": "203.0.113.66",
}
SIGN_IN = {
    "createdDateTime": "2026-11-20T17:19:58Z",
    "appId": "a",
    "userPrincipalName": "t.yamada@city.hinomi.example.jp",
    "ipAddress": "192.0.2.45",
    "status": {"errorCode": 0},
}
EXPORT = {
    "time": "2026-11-20T17:20:03Z",
    "category": "SignInLogs",
    "operationName": "Sign-in activity",
    "properties": SIGN_IN,
}


def _parse(source: Source, *documents: object) -> Parsed:
    lines = [line if isinstance(line, str) else orjson.dumps(line).decode() for line in documents]
    return source.parse(pl.DataFrame({"message": lines}, schema={"message": pl.String}))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20T19:31:05", "2026-11-20T19:31:05+00:00"),
        ("2026-11-20T19:31:05.1234567Z", "2026-11-20T19:31:05.123456+00:00"),
        ("2026-11-21T04:31:05+09:00", "2026-11-20T19:31:05+00:00"),
        ("2023-10-26T5:32:08.107Z", "2023-10-26T05:32:08.107000+00:00"),
        ("11/20/2026 5:42:35 PM", "2026-11-20T17:42:35+00:00"),
        ("2026-13-45T99:00:00", None),
        ("", None),
        (7, None),
    ],
)
def test_times_as_microsoft_writes_them(written: object, meant: str | None) -> None:
    """ISO with seven digits, without a zone (UTC), one-digit hours, and the American form."""
    found = time(written)
    assert (found and found.isoformat()) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("203.0.113.66:53122", ("203.0.113.66", 53122)),
        ("[2001:0db8::0066]:443", ("2001:db8::66", 443)),
        ("::ffff:192.0.2.1", ("192.0.2.1", None)),
        ("fe80::1%12", ("fe80::1", None)),
        ("999.1.1.1", (None, None)),
        ("<null>", (None, None)),
        (None, (None, None)),
    ],
)
def test_addresses_with_and_without_ports(written: object, meant: tuple[str | None, int | None]) -> None:
    """Every way in which the audit log writes a client address."""
    assert address(written) == meant


def test_a_web_address_with_a_bad_port_keeps_its_text() -> None:
    """An address that cannot be taken apart is kept as it was."""
    assert url("https://example.jp:port/a") == {"url.original": "https://example.jp:port/a"}


def test_each_operation_gets_its_own_frame() -> None:
    """A frame has only the columns of its kind."""
    rule = {
        **AUDIT,
        "RecordType": 1,
        "Operation": "New-InboxRule",
        "Parameters": [{"Name": "ForwardTo", "Value": "x"}],
    }
    frames = _parse(m365, AUDIT, rule, AUDIT).frames
    assert [frame["row"].to_list() for frame in frames] == [[0, 2], [1]]
    assert "o365.audit.parameters.ForwardTo" not in frames[0].columns


def test_a_wrapper_around_one_record_is_taken_off() -> None:
    """Event Hub wraps records; one in a wrapper is that record."""
    [frame] = _parse(entra, {"records": [EXPORT]}).frames
    assert frame["source.ip"].to_list() == ["192.0.2.45"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_other_documents_are_rejected(source: Source) -> None:
    """JSON of another kind, arrays and text are rejected with a reason."""
    parsed = _parse(source, {"a": 1}, [1], "text", "{", "")
    assert parsed.rejected["row"].to_list() == [0, 1, 2, 3, 4]


def test_names_that_polars_reads_as_patterns_do_no_harm() -> None:
    """A parameter named `*` or `^.*$` is an ordinary column."""
    hostile = {**AUDIT, "Parameters": [{"Name": "*", "Value": "1"}, {"Name": "^.*$", "Value": "2"}], "*": "3"}
    [frame] = _parse(m365, hostile).frames
    assert frame["o365.audit._"][0] == "3"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    [
        *AUDIT,
        *SIGN_IN,
        *EXPORT,
        "Parameters",
        "ExtendedProperties",
        "ModifiedProperties",
        "Data",
        "Item",
        "AffectedItems",
        "FileData",
        "MessageURLs",
        "Recipients",
        "targetResources",
        "initiatedBy",
        "location",
        "deviceDetail",
        "additionalDetails",
        "additionalInfo",
        "activityDisplayName",
        "riskEventType",
    ]
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SOURCES), st.dictionaries(_NAMES, _JSON, max_size=5))
def test_no_value_under_a_known_name_can_raise(source: Source, hostile: dict[str, Any]) -> None:
    """Any JSON where Microsoft has text, lists or objects: the row is in a frame or rejected."""
    inner = {**EXPORT, "properties": {**SIGN_IN, **hostile}}
    parsed = _parse(source, {**AUDIT, **hostile}, {**SIGN_IN, **hostile}, {**EXPORT, **hostile}, inner)
    rows = [row for frame in parsed.frames for row in frame["row"]] + parsed.rejected["row"].to_list()
    assert sorted(rows) == [0, 1, 2, 3]
