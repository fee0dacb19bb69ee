"""Syslog headers: every form that the docstring names, hostile lines, and the speed that was asked for."""

import time
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.syslog import HEADER, split

RECEIVED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def intake(lines: list[str | None], received: datetime = RECEIVED) -> pl.DataFrame:
    frame = pl.DataFrame({"message": pl.Series(lines, dtype=pl.String)})
    return frame.with_columns(pl.lit(received).cast(pl.Datetime("ns", "UTC")).alias("received"))


def header(line: str, received: datetime = RECEIVED, **options: str) -> dict[str, object]:
    """The header's fields that are not null, without their prefix, and the rest of the message."""
    row = split(intake([line], received), **options).drop("received").to_dicts()[0]
    return {name.removeprefix("header."): value for name, value in row.items() if value is not None}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "<34>1 2026-10-11T22:14:15.003Z host.example.jp su 77 ID47 - \ufeff'su root' failed",
            {
                "pri": 34,
                "offset": "Z",
                "timestamp": utc(2026, 10, 11, 22, 14, 15, 3000),
                "host": "host.example.jp",
                "app": "su",
                "pid": "77",
                "msgid": "ID47",
                "message": "'su root' failed",
            },
        ),
        (
            r'<165>1 2026-10-11T22:14:15+09:00 192.0.2.1 ev - - [a@1 x="1\]" y="\""][b@2] text ] here',
            {
                "pri": 165,
                "offset": "+09:00",
                "timestamp": utc(2026, 10, 11, 13, 14, 15),
                "host": "192.0.2.1",
                "app": "ev",
                "structured": r'[a@1 x="1\]" y="\""][b@2]',
                "message": "text ] here",
            },
        ),
        ("<13>1 - - - - - -", {"pri": 13, "message": ""}),
        (
            "<38>Nov  3 10:00:00 web01 sshd[123]: Failed password",
            {
                "pri": 38,
                "timestamp": utc(2026, 11, 3, 1),
                "host": "web01",
                "app": "sshd",
                "pid": "123",
                "message": "Failed password",
            },
        ),
        (
            "Nov  3 10:00:00 web01 postfix/smtpd: 接続",
            {"timestamp": utc(2026, 11, 3, 1), "host": "web01", "app": "postfix/smtpd", "message": "接続"},
        ),
        (
            "<38>Nov  3 2026 10:00:00 fw-seg01 : %ASA-6-302013: Built",
            {
                "pri": 38,
                "timestamp": utc(2026, 11, 3, 1),
                "host": "fw-seg01",
                "message": "%ASA-6-302013: Built",
            },
        ),
        (
            "<166>Nov 03 2026 10:00:00: %ASA-4-106023: Deny",
            {"pri": 166, "timestamp": utc(2026, 11, 3, 1), "message": "%ASA-4-106023: Deny"},
        ),
        ("<166>%ASA-4-106023: Deny", {"pri": 166, "message": "%ASA-4-106023: Deny"}),
        (
            "<189>45: *Nov  3 10:00:00.123: %SYS-5-CONFIG_I: x",
            {"pri": 189, "timestamp": utc(2026, 11, 3, 1, 0, 0, 123000), "message": "%SYS-5-CONFIG_I: x"},
        ),
        (
            "<38>2026-11-03T10:00:00.5+09:00 web01 sudo:  a : b",
            {
                "pri": 38,
                "offset": "+09:00",
                "timestamp": utc(2026, 11, 3, 1, 0, 0, 500000),
                "host": "web01",
                "app": "sudo",
                "message": "a : b",
            },
        ),
        (
            "2026-11-03T10:00:00 fe80::1 cron[1]: x",
            {"timestamp": utc(2026, 11, 3, 1), "host": "fe80::1", "app": "cron", "pid": "1", "message": "x"},
        ),
        (
            "Nov  3 10:00:00 sshd[1]: x",
            {"timestamp": utc(2026, 11, 3, 1), "app": "sshd", "pid": "1", "message": "x"},
        ),
        ("<189>date=2026-11-20 time=03:12:09", {"pri": 189, "message": "date=2026-11-20 time=03:12:09"}),
        ("<13>CEF:0|a|b", {"pri": 13, "message": "CEF:0|a|b"}),
        ('<13>{"a": 1}', {"pri": 13, "message": '{"a": 1}'}),
        ("<38>sshd[1]: x", {"pri": 38, "app": "sshd", "pid": "1", "message": "x"}),
        ("<13>1 broken header", {"pri": 13, "message": "1 broken header"}),
        ("<13>November rain", {"pri": 13, "message": "November rain"}),
    ],
)
def test_forms_of_headers(line: str, expected: dict[str, object]) -> None:
    """Each known form gives its fields, and the message without them."""
    assert header(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "date=2026-11-20 x=1",
        "1795000000.123 5 192.0.2.1 TCP_MISS/200",
        '{"a":1}',
        "<999999>x",
        "<x>y",
        "Nov",
        " \n",
    ],
)
def test_a_line_without_header_passes_unchanged(line: str) -> None:
    """No field is invented."""
    assert header(line) == {"message": line}


def test_a_line_inside_a_shippers_document_is_taken_out() -> None:
    """Filebeat's and omelasticsearch's documents; other JSON stays as it is."""
    wrapped = (
        '{"@timestamp":"2026-11-20T00:00:00Z","message":"<38>Nov  3 10:00:00 web01 sshd[1]: 失敗 \\"x\\""}'
    )
    assert header(wrapped)["message"] == '失敗 "x"'
    assert header(wrapped)["host"] == "web01"
    assert header('{"other": 1}') == {"message": '{"other": 1}'}
    assert header('{"message": "broken') == {"message": '{"message": "broken'}


@pytest.mark.parametrize(
    ("stamp", "received", "expected"),
    [
        ("Dec 31 23:59:59", utc(2026, 12, 31, 15, 0, 5), utc(2026, 12, 31, 14, 59, 59)),
        ("Jan  1 00:00:01", utc(2026, 12, 31, 14, 59, 58), utc(2026, 12, 31, 15, 0, 1)),
        ("Dec 31 23:59:59", utc(2027, 1, 1, 3, 0, 0), utc(2026, 12, 31, 14, 59, 59)),
        ("Nov 25 09:00:00", utc(2026, 11, 23, 1), utc(2026, 11, 25, 0)),
        ("Nov 26 10:00:00", utc(2026, 11, 23, 1), utc(2025, 11, 26, 1)),
        ("Feb 29 10:00:00", utc(2028, 3, 1, 1), utc(2028, 2, 29, 1)),
    ],
)
def test_the_year_is_inferred_from_the_arrival(stamp: str, received: datetime, expected: datetime) -> None:
    """Around New Year, for clocks that run ahead, for backlogs, on leap days."""
    assert header(f"{stamp} web01 a: b", received)["timestamp"] == expected


def test_impossible_times_give_null_and_keep_the_rest() -> None:
    """The 31st of November, hour 99, no leap year."""
    for stamp in ("Nov 31 10:00:00", "Nov  3 99:00:00", "Feb 29 10:00:00"):
        assert header(f"{stamp} web01 a: b") == {"host": "web01", "app": "a", "message": "b"}


def test_the_zone_is_a_parameter_for_times_without_one() -> None:
    """UTC devices can be declared; a written offset wins over the parameter."""
    assert header("Nov  3 10:00:00 h a: b", zone="UTC")["timestamp"] == utc(2026, 11, 3, 10)
    assert header("2026-11-03T10:00:00Z h a: b", zone="Asia/Tokyo")["timestamp"] == utc(2026, 11, 3, 10)


LINE = st.one_of(
    st.text(),
    st.text().map(lambda text: "<13>" + text),
    st.text().map(lambda text: "<13>1 " + text),
    st.text().map(lambda text: "<13>1 2026-01-01T00:00:00Z h a p m - " + text),
    st.text().map(lambda text: "Nov  3 10:00:00 " + text),
    st.none(),
)


@given(st.lists(LINE))
def test_no_line_is_lost_or_moved(lines: list[str | None]) -> None:
    """Hostile text never raises; rows keep their order; what is left is the line's own end."""
    frame = split(intake(lines))
    assert frame.height == len(lines)
    assert frame.schema == pl.Schema({"message": pl.String, "received": pl.Datetime("ns", "UTC"), **HEADER})
    for before, after in zip(lines, frame["message"].to_list(), strict=True):
        assert (before is None and after is None) or (before is not None and before.endswith(after))
    assert split(frame).equals(frame)


def test_speed() -> None:
    """150,000 lines a second and core were asked for; a quarter of it must hold on a busy machine."""
    lines: list[str | None] = [
        f"<38>Nov  3 10:{n // 60 % 60:02d}:{n % 60:02d} web01 sshd[{n}]: Failed password for u{n} from 192.0.2.1"
        for n in range(20_000)
    ]
    frame = intake(lines)
    split(frame)
    start = time.process_time()
    split(frame)
    assert 20_000 / (time.process_time() - start) > 37_500
