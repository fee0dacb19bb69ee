"""Cutting a stream into messages: both framings, every split of the bytes, and senders that count wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.settings import Framing
from collectors.transports.framing import Framer

TEXT = st.binary(min_size=1, max_size=40).map(lambda raw: b"<13>" + raw.replace(b"\n", b"x") + b".")


def feed(framer: Framer, stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts})
    found: list[bytes] = []
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        if end > start:
            found += framer.feed(stream[start:end])
    return found + framer.flush()


@given(st.lists(TEXT, min_size=1), st.lists(st.integers(0, 5000), max_size=30), st.booleans())
def test_any_split_of_the_stream_gives_the_same_messages(
    messages: list[bytes], cuts: list[int], counted: bool
) -> None:
    """Octet counting and newlines are told apart, and how TCP cuts the bytes does not matter."""
    framed = [b"%d %s" % (len(text), text) if counted else text + b"\n" for text in messages]
    stream = b"".join(framed)
    framer = Framer(limit=1000)
    assert feed(framer, stream, cuts) == messages
    assert framer.take_counts() == (0, 0, 0)
    assert framer.mode == (Framing.OCTET if counted else Framing.NEWLINE)


@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=10), st.sampled_from(list(Framing)))
def test_any_bytes_are_taken_without_error_and_bounded(raw: bytes, cuts: list[int], mode: Framing) -> None:
    """Hostile bytes never raise, never make a message over the limit, never hold more than a little."""
    framer = Framer(limit=64, mode=mode)
    messages = feed(framer, raw, cuts)
    assert all(0 < len(message) <= 64 for message in messages)
    assert framer.held == 0


@given(st.binary(max_size=500).map(lambda raw: raw.replace(b"\r", b"").replace(b"\0", b"")))
def test_newline_framing_keeps_every_byte(raw: bytes) -> None:
    """Joined again, the messages are the stream without its empty lines."""
    framer = Framer(limit=1000, mode=Framing.NEWLINE)
    assert b"\n".join(feed(framer, raw, [7, 99])) == b"\n".join(line for line in raw.split(b"\n") if line)


@pytest.mark.parametrize("chunk", [1, 100, 5000, 50_000])
@pytest.mark.parametrize("counted", [True, False])
def test_a_message_over_the_limit_is_cut_and_counted(chunk: int, counted: bool) -> None:
    """The start is kept, the rest skipped, the next message whole, however the bytes arrive."""
    long, after = b"<13>" + b"a" * 30_000, b"<13>after"
    frames = b"%d %s%d %s" % (len(long), long, len(after), after)
    stream = frames if counted else long + b"\n" + after + b"\n"
    framer = Framer(limit=10_000)
    found: list[bytes] = []
    for start in range(0, len(stream), chunk):
        found += framer.feed(stream[start : start + chunk])
        assert framer.held <= 10_000 + chunk + 20
    assert found == [long[:10_000], after]
    assert framer.take_counts() == (1, 0, 0)


def test_a_wrong_count_costs_one_message_only() -> None:
    """After a count that is too small or too large the frames behind it are found again; nothing vanishes."""
    framer = Framer(limit=1000)
    small = b"8 <13>too small9 <13>after"
    assert framer.feed(small) == [b"<13>too ", b"small", b"<13>after"]
    large = b"12 <13>big9 <13>lost9 <13>fine."
    assert framer.feed(large)[-1] == b"<13>fine."
    assert framer.take_counts()[1] == 2


def test_endless_junk_after_a_frame_is_passed_on_in_pieces() -> None:
    """A stream that stops being syslog is not held in memory."""
    framer = Framer(limit=1 << 20)
    found = framer.feed(b"6 <13>ab")
    for _ in range(40):
        found += framer.feed(b"7" * 10_000)
        assert framer.held <= 80_000
    found += framer.flush()
    assert sum(map(len, found[1:])) == 400_000


@pytest.mark.parametrize(
    "line",
    [
        b"1732345678.123 5 192.0.2.1 TCP_MISS/200",
        b"20 words without a priority",
        b"2026-11-20 10:00 x",
        b"{}",
    ],
)
def test_lines_that_begin_with_digits_are_no_counts(line: bytes) -> None:
    """Squid's and others' lines start with numbers; only a number, a blank and a priority is a count."""
    assert Framer(limit=1000).feed(line + b"\n") == [line]


def test_ends_that_devices_add_are_taken_off_and_empty_lines_counted() -> None:
    """CR LF, NUL after a message, blank lines between."""
    framer = Framer(limit=1000)
    assert framer.feed(b"<13>a\r\n\n<13>b\0\n\0\n") == [b"<13>a", b"<13>b"]
    assert framer.take_counts() == (0, 0, 2)
