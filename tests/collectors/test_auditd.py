"""Linux audit: the records of one event know what the others tell."""

import io
import os
from itertools import zip_longest
from pathlib import Path

import orjson
import polars as pl
import pytest

from collectors import catalogue, event_numbers, file_records, hunt_parts, parse
from collectors.continued import KEPT, Carry
from collectors.hunt_input import HuntInput
from collectors.source import Parsed, Source
from tests.collectors import content

LINES = (
    (
        "type=SYSCALL msg=audit(1763608445.123:7): syscall=59 success=yes exit=0 ppid=10 pid=11"
        ' auid=1000 uid=0 comm="sh" exe="/bin/sh" key="exec"'
    ),
    'type=EXECVE msg=audit(1763608445.123:7): argc=2 a0="sh" a1="/tmp/x.sh"',
    'type=CWD msg=audit(1763608445.123:7): cwd="/tmp"',
    'type=PATH msg=audit(1763608445.123:7): item=0 name="/tmp/x.sh" nametype=NORMAL',
    "type=PROCTITLE msg=audit(1763608445.123:7): proctitle=7368002F746D702F782E7368",
    'type=SYSCALL msg=audit(1763608446.000:8): syscall=2 success=no exit=-2 pid=12 comm="ls" exe="/bin/ls"',
)


def _parsed() -> pl.DataFrame:
    parsed = catalogue.find("linux.auditd").parse(content.intake(*LINES))
    assert not parsed.rejected.height
    return parsed.frames[0].sort("row")


def test_each_record_has_the_process_of_its_event() -> None:
    """The file that was opened is known with who opened it, by which command."""
    path = _parsed().row(3, named=True)
    assert path["file.path"] == "/tmp/x.sh"
    assert path["process.executable"] == "/bin/sh"
    assert path["process.command_line"] == "sh /tmp/x.sh"
    assert path["process.working_directory"] == "/tmp"
    assert path["user.audit.id"] == "1000"
    assert path["rule.name"] == "exec"


def test_records_of_other_events_are_not_mixed() -> None:
    """Another serial is another process; the join leaves no columns behind."""
    frame = _parsed()
    assert frame["process.pid"].to_list() == [11, 11, 11, 11, 11, 12]
    assert frame["process.command_line"][5] is None
    assert not [name for name in frame.columns if ".of." in name]


def test_an_argument_that_is_no_utf_8_costs_no_other_line() -> None:
    """auditd writes odd arguments as hexadecimal digits, and whoever runs a command chooses its bytes."""
    odd = 'type=EXECVE msg=audit(1763608445.123:9): argc=2 a0="curl" a1=2F7764D02F612062'
    [frame] = catalogue.find("linux.auditd").parse(content.intake(LINES[1], odd)).frames
    assert frame["process.command_line"].to_list() == ["sh /tmp/x.sh", "curl /wd\ufffd/a b"]


def test_a_made_up_number_of_an_argument_costs_no_line() -> None:
    """The kernel counts a0, a1, …: another sign for a number is no argument, and no other line is lost by it."""
    made_up = 'type=EXECVE msg=audit(1763608447.000:9): argc=1 a0="id" a01="x" a²="y"'
    parsed = catalogue.find("linux.auditd").parse(content.intake(LINES[1], made_up))
    assert not parsed.rejected.height
    commands = parsed.frames[0].sort("row")["process.command_line"].to_list()
    assert commands == ["sh /tmp/x.sh", "id"]


def _in_two(at: int, *, carry: Carry, peer: str = "192.0.2.1") -> pl.DataFrame:
    """The lines as two batches of one sender, the second beginning at a place."""
    source = catalogue.find("linux.auditd")
    carry.parse(source, content.intake(*LINES[:at]).with_row_index("row"), "audit", "192.0.2.1")
    parsed = carry.parse(source, content.intake(*LINES[at:]).with_row_index("row"), "audit", peer)
    assert not parsed.rejected.height
    return pl.concat(parsed.frames, how="diagonal").sort("row")


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_records_of_an_event_in_two_batches_know_those_before(at: int) -> None:
    """Wherever an event is cut, its later records are as they would be in one batch, and none comes twice."""
    whole, later = _parsed()[at:], _in_two(at, carry=Carry())
    assert later["row"].to_list() == list(range(len(LINES) - at))
    for name in ("process.executable", "process.pid", "user.audit.id", "rule.name", "file.path"):
        assert later[name].to_list() == whole[name].to_list(), name


def test_another_senders_records_are_not_carried_over() -> None:
    """Two machines count their events alike."""
    later = _in_two(3, carry=Carry(), peer="192.0.2.2")
    assert later["process.executable"].to_list() == [None, None, "/bin/ls"]


def test_what_is_kept_for_events_that_go_on_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Senders that come and go, and lines of any length, cost no memory for long."""
    monkeypatch.setattr("collectors.continued._SENDERS", 40)
    source, carry = catalogue.find("linux.auditd"), Carry()
    lines = content.intake(*LINES * 40, LINES[1] + "x" * 100_000).with_row_index("row")
    for number in range(62):
        carry.parse(source, lines[-1:] if number % 20 else lines, "audit", str(number))
    kept = carry._kept.values()
    assert 0 < len(kept) <= 40
    assert max(frame.height for frame in kept) <= KEPT
    assert max(frame["message"].str.len_chars().max() for frame in kept) <= 16_384


def test_what_is_kept_of_all_senders_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Senders made up over UDP, each with long lines: the longest silent are forgotten."""
    monkeypatch.setattr("collectors.continued._BYTES", 1_000_000)
    source, carry = catalogue.find("linux.auditd"), Carry()
    lines = content.intake(*[LINES[3] + "x" * 5_000] * 10).with_row_index("row")
    for number in range(60):
        carry.parse(source, lines, "audit", str(number))
    assert sum(frame.estimated_size() for frame in carry._kept.values()) == carry._bytes <= 1_000_000
    assert [peer for *_, peer in carry._kept] == [str(number) for number in range(60)][-len(carry._kept) :]


def test_what_is_kept_holds_no_batch_in_memory() -> None:
    """Of ten batches of 40 MB some lines are kept, and not the buffers of the others with them."""
    carry, before = Carry(), _resident()
    for number in range(10):
        lines = pl.DataFrame({"message": [f"{number}.{row} " + "x" * 2_000 for row in range(20_000)]})
        carry._keep(("linux.auditd", "audit", str(number)), lines.with_columns(pl.lit("1").alias("_event")))
        del lines
    assert _resident() - before < 200_000_000


def _resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_what_had_begun_stands_before_what_comes() -> None:
    """Of two EXECVE records the first tells the others of its event the command, also where a batch ends between them."""
    lines = (LINES[1], LINES[1].replace("sh", "other"), LINES[2])
    source, carry = catalogue.find("linux.auditd"), Carry()
    [whole] = source.parse(content.intake(*lines)).frames
    carry.parse(source, content.intake(lines[0]).with_row_index("row"))
    [later] = carry.parse(source, content.intake(*lines[1:]).with_row_index("row")).frames
    commands = later.sort("row")["process.command_line"].to_list()
    assert commands == whole.sort("row")["process.command_line"].to_list()[1:]
    assert commands[1] == "sh /tmp/x.sh"


def test_other_lines_behind_it_do_not_push_an_event_out() -> None:
    """Only lines of events count among those that are kept."""
    source, carry = catalogue.find("linux.auditd"), Carry()
    carry.parse(source, content.intake(LINES[0], *["cron: ok"] * KEPT).with_row_index("row"))
    [later] = carry.parse(source, content.intake(LINES[3]).with_row_index("row")).frames
    assert later["process.executable"].to_list() == ["/bin/sh"]


def test_a_batch_that_a_parser_fails_at_costs_the_next_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What had begun before it is still known."""
    source, carry = catalogue.find("linux.auditd"), Carry()
    carry.parse(source, content.intake(LINES[0]).with_row_index("row"))
    with monkeypatch.context() as patched:
        patched.setattr(Source, "parse", _fails)
        with pytest.raises(RuntimeError):
            carry.parse(source, content.intake(LINES[2]).with_row_index("row"))
    [later] = carry.parse(source, content.intake(LINES[3]).with_row_index("row")).frames
    assert later["process.executable"].to_list() == ["/bin/sh"]


def _fails(source: Source, intake: pl.DataFrame) -> Parsed:
    raise RuntimeError(f"{source.name}: {intake.height}")


def test_parse_and_hunt_join_over_their_own_batches(tmp_path: Path) -> None:
    """`hinomi parse` reads 10,000 lines at once, `hinomi hunt` as many as it is told."""
    filler = LINES[5].replace(":8)", ":6)")
    raw = [filler] * 9_998 + list(LINES)
    messages = tmp_path / "messages.jsonl"
    messages.write_bytes(b"".join(orjson.dumps({"message": line}) + b"\n" for line in raw))
    out = io.BytesIO()
    parse.parse_messages(catalogue.find("linux.auditd"), messages, out, lambda error: None)
    path = orjson.loads(out.getvalue().splitlines()[10_001])
    assert (path["file"]["path"], path["process"]["executable"]) == ("/tmp/x.sh", "/bin/sh")
    log = tmp_path / "audit.log"
    log.write_text("\n".join(LINES) + "\n")
    batches = HuntInput(source="linux.auditd", lines=2).batches([log])
    assert [name for batch in batches for name in batch.frame["process.executable"]] == ["/bin/sh"] * 5 + [
        "/bin/ls"
    ]


OTHER = "Nov 20 03:14:05 web01 sshd[9]: Accepted publickey for x"


def _in_turn(events: list[list[str]]) -> list[str]:
    """A record of each event in turn, and a line of another program behind each."""
    turns = zip_longest(*events)
    return [line for turn in turns for record in turn if record is not None for line in (record, OTHER)]


@pytest.mark.parametrize("size", range(60, 2400, 97))
@pytest.mark.parametrize("interleaved", [False, True])
def test_a_hunt_cuts_no_event_in_two(
    size: int, *, interleaved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a large file would be cut, all records of an event are in one part, be it that two events are written at once or
    another program's lines stand between; no line is lost or read twice."""
    monkeypatch.setattr(hunt_parts, "_TEXT", size)
    log = tmp_path / "audit.log"
    events = [
        [line.replace(":7)", f":{n})").replace(":8)", f":{n}9)") for line in LINES] for n in range(11, 19)
    ]
    pairs = zip(events[::2], events[1::2], strict=True) if interleaved else ()
    lines = [line for pair in pairs for line in _in_turn(list(pair))] or [
        line for one in events for line in one
    ]
    log.write_text("\n".join(lines) + "\n")
    pieces = [piece for part in hunt_parts.parts([log], cut=True) for piece in part]
    read = [file_records.lines_between(piece.path, piece.start, piece.end)[1] for piece in pieces]
    assert [line.decode() for part in read for line in part] == lines
    numbers = [
        {line.partition(b"):")[0].rpartition(b":")[2] for line in part if b"audit(" in line} for part in read
    ]
    assert all(not one & other for place, one in enumerate(numbers) for other in numbers[:place])
    assert len(pieces) > 1


def test_a_hunt_cuts_where_events_never_cease_to_interleave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event whose number stands in every other line, and events that begin before the last has ended, keep no part from ending;
    those of which all lines are near and had begun at a cut are whole."""
    monkeypatch.setattr(hunt_parts, "_TEXT", 6_000)
    monkeypatch.setattr(hunt_parts, "_NEAR", 1_000)
    log = tmp_path / "audit.log"
    told = [f"type=PATH msg=audit(1763608445.123:{n}): item={i}" for n in range(400) for i in (0, 1)]
    lines = [
        told[0],
        *(line for pair in zip(told[2::2], told[1::2], strict=False) for line in pair),
        told[-1],
    ]
    log.write_text("\n".join(lines) + "\n")
    pieces = [piece for part in hunt_parts.parts([log], cut=True) for piece in part]
    assert len(pieces) > 4
    read = [file_records.lines_between(piece.path, piece.start, piece.end)[1] for piece in pieces]
    assert [line.decode() for part in read for line in part] == lines


def test_a_hunt_knows_the_events_of_every_source() -> None:
    """It cuts files before it loads the sources."""
    found = {source.event_of for source in catalogue.sources().values() if source.event_of}
    assert found == set(event_numbers.EVERY)
