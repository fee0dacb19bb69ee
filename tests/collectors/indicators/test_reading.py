"""Lists of indicators: what each format says is taken as it says, and what must not be looked for is counted."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.indicators import Held
from collectors.indicators.indicator import Indicator, Kind, Refused, made
from collectors.indicators.reading import Terms, read

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TERMS = Terms("JPCERT/CC", 60, 90, now=NOW)


def stix(pattern: str, **more: object) -> dict[str, object]:
    """A STIX indicator."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2026-11-19T00:00:00.000Z",
        "modified": "2026-11-19T00:00:00.000Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-11-19T00:00:00Z",
        **more,
    }


def bundle(*objects: dict[str, object]) -> bytes:
    """A bundle of them."""
    return json.dumps(
        {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": objects}
    ).encode()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ipv4-addr:value = '203.0.113.9']", [("address", "203.0.113.9")]),
        ("[ipv4-addr:value = '203.0.113.0/24']", [("network", "203.0.113.0/24")]),
        ("[ipv6-addr:value = '2001:DB8::9']", [("address", "2001:db8::9")]),
        (
            "[domain-name:value = 'Bad.Example.NET' OR url:value = 'HTTP://Bad.example.net/A?b#c']",
            [("domain", "bad.example.net"), ("url", "http://bad.example.net/A?b")],
        ),
        (
            "[domain-name:value IN ('a.example.net', 'b.example.net')]",
            [("domain", "a.example.net"), ("domain", "b.example.net")],
        ),
        ("[file:hashes.'SHA-256' = '" + "AB" * 32 + "']", [("file", "ab" * 32)]),
        (
            "[file:hashes.MD5 = '" + "0f" * 16 + "' OR file:hashes.'SHA-1' = '" + "0e" * 20 + "']",
            [("file", "0f" * 16), ("file", "0e" * 20)],
        ),
        ("[email-addr:value = 'A@Example.net']", [("email", "a@example.net")]),
        (
            "[domain-name:value = 'x.example.net'] OR [url:value = 'https://it\\'s.example.net/']",
            [("domain", "x.example.net"), ("url", "https://it's.example.net")],
        ),
    ],
)
def test_stix_patterns(pattern: str, found: list[tuple[str, str]]) -> None:
    """Each comparison that is enough by itself is an indicator, in the spelling of events."""
    taken = read(bundle(stix(pattern)), TERMS)
    assert [(str(one.kind), one.value) for one in taken.taken] == found and not taken.refused


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (stix("[file:name = 'a.exe' AND file:size = 4]"), "pattern_of_several"),
        (
            stix("[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [url:value = 'http://x.example.net']"),
            "pattern_of_several",
        ),
        (stix("[process:name = 'a.exe']"), "pattern_not_supported"),
        (stix("[domain-name:value LIKE '%.example.net']"), "pattern_not_supported"),
        (stix("rule x { condition: true }", pattern_type="yara"), "other_pattern_language"),
        (stix("[ipv4-addr:value = '203.0.113.9']", revoked=True), "revoked"),
        (stix("[ipv4-addr:value = '203.0.113.9']", valid_until="2026-11-19T12:00:00Z"), "expired"),
        (stix("[ipv4-addr:value = '10.1.2.3']"), "own_network"),
        (stix("[ipv4-addr:value = '127.0.0.1']"), "own_network"),
        (stix("[ipv4-addr:value = '0.0.0.0/0']"), "too_wide"),
        (stix("[domain-name:value = 'localhost']"), "no_name"),
        (stix("[domain-name:value = 'x.example.net']", valid_from="9999-12-31T00:00:00Z"), "time"),
    ],
)
def test_what_is_not_taken_is_counted(one: dict[str, object], reason: str) -> None:
    """Patterns of several things, other languages, what is over, and what would ring for the city's own network."""
    taken = read(bundle(one), TERMS)
    assert taken.taken == [] and dict(taken.refused) == {reason: 1}


def test_source_confidence_and_end() -> None:
    """STIX's own confidence, end and creator win; where it says nothing, the terms hold."""
    identity = {"type": "identity", "id": "identity--1", "name": "J-LIS"}
    said = stix(
        "[ipv4-addr:value = '203.0.113.9']",
        confidence=85,
        valid_until="2026-12-24T00:00:00Z",
        created_by_ref="identity--1",
        name="C2",
    )
    plain = stix("[ipv4-addr:value = '203.0.113.10']")
    first, second = read(bundle(identity, said, plain), TERMS).taken
    assert (first.source, first.confidence, first.about) == ("J-LIS", 85, "C2")
    assert first.expires == datetime(2026, 12, 24, tzinfo=UTC)
    assert (second.source, second.confidence) == ("JPCERT/CC", 60)
    assert second.expires == datetime(2026, 11, 19, tzinfo=UTC) + timedelta(days=90)


@pytest.mark.parametrize("until", ["2300-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_what_holds_for_ever_is_kept(tmp_path: Path, until: str) -> None:
    """A time that 64 bits of nanoseconds cannot tell had become one of 1715, and the indicator was dead."""
    one = stix("[ipv4-addr:value = '203.0.113.9']", valid_until=until, modified=until)
    one["valid_from"] = "1601-01-01T00:00:00Z"
    taken, own = read(bundle(one), TERMS), Held(tmp_path)
    own.take(taken.taken, "feed", taken.stated)
    assert own.expire(NOW) == 0
    [(since, expires)] = own.frame().select("since", "expires").iter_rows()
    assert since < NOW < expires and own.take(taken.taken, "feed", taken.stated).height == 0


def test_a_misp_event() -> None:
    """Attributes with to_ids, of the event and its objects; pairs by the part that matters; context is left."""
    event = {
        "Event": {
            "info": "標的型メール",
            "Orgc": {"name": "CIRCL"},
            "Attribute": [
                {"type": "ip-dst", "value": "203.0.113.9", "to_ids": True, "timestamp": "1795100000"},
                {
                    "type": "ip-dst|port",
                    "value": "203.0.113.10|443",
                    "to_ids": True,
                    "timestamp": "1795100000",
                },
                {
                    "type": "filename|sha256",
                    "value": "a.exe|" + "ab" * 32,
                    "to_ids": True,
                    "timestamp": "1795100000",
                },
                {"type": "domain", "value": "context.example.net", "to_ids": False},
                {"type": "comment", "value": "x", "to_ids": True},
            ],
            "Object": [
                {
                    "Attribute": [
                        {
                            "type": "url",
                            "value": "hxxp://bad.example[.]net/a",
                            "to_ids": True,
                            "timestamp": "x",
                        }
                    ]
                }
            ],
        }
    }
    taken = read(json.dumps(event).encode(), TERMS)
    assert [(str(one.kind), one.value, one.source) for one in taken.taken] == [
        ("address", "203.0.113.9", "CIRCL"),
        ("address", "203.0.113.10", "CIRCL"),
        ("file", "ab" * 32, "CIRCL"),
        ("url", "http://bad.example.net/a", "CIRCL"),
    ]
    assert dict(taken.refused) == {"type_not_supported": 1}


def test_csv_lists() -> None:
    """A bare column whose kinds show by their form, and a table with a head in any order."""
    bare = read(b"# remark\n203.0.113.9\nbad[.]example.net\nhttp://x.example.net/a\n\n", TERMS)
    assert [str(one.kind) for one in bare.taken] == ["address", "domain", "url"]
    table = "\ufeffconfidence,value,expires,about\n90,203.0.113.9,2026-12-01T00:00:00+09:00,C2 サーバー\nx,203.0.113.8,,\n"
    taken = read(table.encode(), TERMS)
    assert [(one.value, one.confidence, one.about) for one in taken.taken] == [
        ("203.0.113.9", 90, "C2 サーバー")
    ]
    assert dict(taken.refused) == {"bad_line": 1}


@given(st.text(max_size=200), st.sampled_from(list(Kind)))
def test_any_text_is_taken_or_refused(text: str, kind: Kind) -> None:
    """No value raises anything but Refused, and one that is taken is taken again as it is."""
    try:
        own = made(Indicator(kind, text, "x", 50, NOW))
    except Refused:
        return
    assert made(own) == own


@example(b'{"Event": {"Object": 5}}')
@example(b'{"Event": {"Attribute": 5}}')
@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=9),
        lambda c: (
            st.lists(c, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "objects",
                        "type",
                        "pattern",
                        "Event",
                        "Attribute",
                        "Object",
                        "response",
                        "value",
                        "to_ids",
                    ]
                ),
                c,
                max_size=5,
            )
        ),
        max_leaves=20,
    ).map(lambda v: json.dumps(v).encode())
)
def test_any_document_is_read(data: bytes) -> None:
    """A hostile list gives no stack trace."""
    read(data, TERMS)
