"""Linux audit: the records of one event know what the others tell."""

import polars as pl

from collectors import catalogue
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
