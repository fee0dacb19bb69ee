"""`hinomi hunt` with bad luck or an enemy: whatever lies in a folder and whatever happens to its output has an answer, with one
process as with two, and what can be read is read."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from collectors import file_records, hunt_parts
from collectors.hunt_input import HuntInput
from hinomi.errors import InputError
from tests.ops import shell_rule
from tests.shared import program

SMALL = "from collectors import hunt_parts; hunt_parts._TEXT = 24_000; from ops.cli import main; main()"
HITS = 10


def _lines(count: int = 7 * HITS) -> bytes:
    """A hit in every seventh line."""
    event = {
        "EventID": 1,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "SourceName": "Microsoft-Windows-Sysmon",
        "Computer": "pc",
        "EventTime": "2026-11-20 19:31:05",
    }
    images = ("C:\\x.exe", "C:\\cmd.exe")
    lines = [json.dumps({**event, "ProcessId": n * 7919, "Image": images[n % 7 == 0]}) for n in range(count)]
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a rule and an empty folder of logs."""
    shell_rule.put(tmp_path)
    (tmp_path / "logs").mkdir()
    return tmp_path


def _argv(place: Path, workers: int, *said: str, log: str = "logs") -> list[str]:
    said = ("hunt", "--rules", "r.yml", "--workers", str(workers), *said, log)
    return [sys.executable, "-c", SMALL, *said]


def _environment(place: Path) -> dict[str, str]:
    return {**os.environ, "HINOMI_CACHE": str(place / "cache")}


def _hunt(
    place: Path, workers: int, *before: str, log: str = "logs", said: Sequence[str] = ()
) -> tuple[int, bytes, str]:
    """Exit code, output but for when events were read, and what people are told."""
    found = subprocess.run(
        [*before, *_argv(place, workers, "--jsonl", *said, log=log)],
        capture_output=True,
        timeout=120,
        cwd=place,
        env=_environment(place),
    )
    output = re.sub(rb'"ingested":"[^"]*"', b'"ingested":""', found.stdout)
    return found.returncode, output, found.stderr.decode()


def test_whatever_lies_in_a_folder(place: Path) -> None:
    """Names that are no text, hold escapes and newlines; UTF-8 and UTF-16 with marks, CRLF; empty and blank files; pipes; links in
    circles and to nowhere; a gzip that is cut off, overwritten, none at all: all that can be read is found, every
    damage is told, no escape reaches the terminal, and two processes say the same."""
    logs, whole = place / "logs", _lines()
    files: dict[bytes, bytes] = {
        "監査".encode("cp932") + b".jsonl": whole,
        b"a\x1b[31m\x1b]0;x\x07\nb.jsonl": whole,
        b"c\x1b[31m\n.log": b"???\n" * 10,
        b"bom.jsonl": b"\xef\xbb\xbf" + whole,
        b"out-file.jsonl": b"\xff\xfe" + whole.decode().encode("utf-16-le"),
        b"big-endian.jsonl": b"\xfe\xff" + whole.decode().encode("utf-16-be"),
        b"crlf.jsonl": whole.replace(b"\n", b"\r\n"),
        b"empty.jsonl": b"",
        b"blank.jsonl": b"\n \n",
        b"empty.evtx": b"",
        b"short.evtx": b"ElfFile\x00",
        b"ok.gz": gzip.compress(whole),
        b"cut.gz": gzip.compress(_lines(21_000))[:-9],
        b"junk.gz": b"\x1f\x8bxxxx",
        b"large.jsonl": _lines(700),
    }
    for name, data in files.items():
        Path(os.fsdecode(bytes(logs) + b"/" + name)).write_bytes(data)
    os.mkfifo(logs / "pipe.log")
    (logs / "circle").symlink_to(".")
    (logs / "self").symlink_to("self")
    (logs / "nowhere").symlink_to("none")
    one = _hunt(place, 1)
    code, output, told = one
    assert code == 1  # not all of it was read
    by_file = [json.loads(line)["log"]["file"]["path"] for line in output.splitlines()]
    assert by_file.count("logs/cut.gz") >= 2_900
    assert len(by_file) - by_file.count("logs/cut.gz") == 7 * HITS + 100
    assert "\x1b" not in told
    for name in ("logs/cut.gz: ", "logs/junk.gz: ", "logs/short.evtx: ", "logs/c\\x1b[31m .log: "):
        assert name in told
    assert len(told.splitlines()) == 4
    assert _hunt(place, 3) == one


@pytest.mark.parametrize("workers", [1, 2])
def test_what_may_not_be_read_is_told(place: Path, workers: int) -> None:
    """A file and a folder without permission are named with the reason; the file beside them is searched."""
    logs = place / "logs"
    (logs / "a.jsonl").write_bytes(_lines())
    (logs / "shut.jsonl").write_bytes(_lines())
    (logs / "shut.jsonl").chmod(0)
    (logs / "shut").mkdir()
    (logs / "shut" / "b.jsonl").write_bytes(_lines())
    (logs / "shut").chmod(0)
    caps = "-dac_override,-dac_read_search"
    unprivileged = [program("setpriv"), f"--inh-caps={caps}", f"--bounding-set={caps}"]
    try:
        code, output, told = _hunt(place, workers, *(unprivileged if os.geteuid() == 0 else []))
    finally:
        (logs / "shut").chmod(0o700)
    assert code == 1
    assert output.count(b"\n") == HITS
    assert sorted(line.partition(": ")[0] for line in told.splitlines()) == ["logs/shut", "logs/shut.jsonl"]
    assert told.count("Permission denied") == 2


def test_a_named_pipe_is_refused(place: Path) -> None:
    """Without being opened: that would wait for ever, or eat what it gives."""
    os.mkfifo(place / "logs" / "pipe")
    code, output, told = _hunt(place, 1, log="logs/pipe")
    assert (code, output) == (2, b"")
    assert "ふつうのファイルではありません" in told


def test_a_bomb_is_not_unpacked(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packed document that can only be read as a whole has a limit; a packed line is cut, what is behind it is read."""
    monkeypatch.setattr(file_records, "MOST_UNPACKED", 1_000_000)
    monkeypatch.setattr(file_records, "_LONGEST", 1_000_000)
    bomb, line = place / "logs" / "bomb.gz", place / "logs" / "line.gz"
    bomb.write_bytes(gzip.compress(b"[{}" + b",{}" * 5_000_000 + b"]"))
    line.write_bytes(gzip.compress(b"x" * 40_000_000 + b"\n" + b"behind\n"))
    with pytest.raises(OSError, match="unpack it"):
        list(file_records.records(bomb))
    assert [(at, text[:6]) for at, text in file_records.records(line)] == [
        (0, "xxxxxx"),
        (40_000_001, "behind"),
    ]
    assert len(file_records.records(line).__next__()[1]) == 1_000_000
    reader = HuntInput()
    assert not list(reader.read([bomb]))
    reason = reader.damaged[0].reason
    assert reason.count("unpack it") == reason.count("展開すると") == 1


def test_an_endless_line_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk image among the logs: no more of a line is held than is read of one."""
    monkeypatch.setattr(file_records, "_LONGEST", 2_000_000)
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert sum(map(len, file_records.first_lines(path, 200))) <= 2_000_000
    assert len(file_records.lines_between(path, 0, 24_000)[1][0]) <= 24_000 + 3 * 1024 * 1024


def test_a_file_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that grows is read to its end; of one that was made shorter, that is told."""
    monkeypatch.setattr(hunt_parts, "_TEXT", 4_000)
    grows, shrinks = tmp_path / "grows.jsonl", tmp_path / "shrinks.jsonl"
    for path in (grows, shrinks):
        path.write_bytes(_lines())
    parts = hunt_parts.parts([tmp_path], cut=True)
    with grows.open("ab") as file:
        file.write(_lines())
    with shrinks.open("r+b") as file:
        file.truncate(6_000)
    reader = HuntInput(sieves=None)
    reads = [read for number, part in enumerate(parts) for read in reader.read_part(number, part)]
    reads += reader.read_held()
    files = [name for read in reads for name in read.batch.frame["log.file.path"]]
    assert files.count(str(grows)) == 2 * 7 * HITS
    assert 0 < files.count(str(shrinks)) < 7 * HITS
    assert {damage.path for damage in reader.damaged} == {shrinks}
    (tmp_path / "empty").mkdir()
    assert not hunt_parts.parts([tmp_path / "empty"], cut=True)
    with pytest.raises(InputError, match="no such file"):
        hunt_parts.parts([tmp_path / "none"], cut=True)


@pytest.mark.parametrize(("workers", "jsonl"), [(1, ["--jsonl"]), (2, ["--jsonl"]), (1, [])])
def test_a_full_disk(place: Path, workers: int, jsonl: list[str]) -> None:
    """Said, with an exit code of its own and no trace; likewise where standard output is closed."""
    (place / "logs" / "a.jsonl").write_bytes(_lines(700))
    argv = _argv(place, workers, *jsonl)
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(
            argv, stdout=full, stderr=subprocess.PIPE, timeout=60, cwd=place, env=_environment(place)
        )
    told = found.stderr.decode()
    assert (found.returncode, told.count("\n")) == (74, 2)
    assert "結果を書き出せません" in told
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" >&- <&-', "-", *argv],
        stderr=subprocess.PIPE,
        timeout=60,
        cwd=place,
        env=_environment(place),
    )
    assert (closed.returncode, closed.stderr.decode().count("\n")) == (74, 2)


def test_a_terminal_without_japanese(place: Path) -> None:
    """LANG=C and ASCII without mercy: signs that cannot be shown are escapes, the table is there."""
    (place / "logs" / "監査.jsonl").write_bytes(_lines(700))
    (place / "logs" / "x.log").write_bytes(b"???\n")
    plain = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict"}
    found = subprocess.run(
        _argv(place, 2),
        capture_output=True,
        timeout=60,
        cwd=place,
        env={**_environment(place), **plain},
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.isascii()
    assert b"shell" in found.stdout
    assert b"\\u" in found.stdout


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c(place: Path, workers: int) -> None:
    """Ends with 130 and a sentence, no trace, no process left; what was written before is lines, the last perhaps cut."""
    (place / "logs" / "a.jsonl").write_bytes(_lines(60_000))
    with subprocess.Popen(
        _argv(place, workers, "--jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=place,
        env=_environment(place),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the command
        rest, told = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    assert told.decode().split() == ["中断しました。(interrupted)"]
    assert all(json.loads(line) for line in (first + rest).splitlines()[:-1])
    until = time.monotonic() + 10
    while _group(process.pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _group(process.pid)


def _group(number: int) -> list[int]:
    """Living processes of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = (
                path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[:3]
            )
        except (OSError, ValueError):
            continue
        if int(group) == number and state != "Z":
            found.append(int(path.parent.name))
    return found


def test_a_line_that_is_cut_short_is_told(place: Path) -> None:
    """A copy that broke off: the file is named once, with how many lines; with --strict the exit code says it, too."""
    (place / "logs" / "a.jsonl").write_bytes(_lines() + _lines(1)[:-40])
    code, output, told = _hunt(place, 1)
    assert output.count(b"\n") == HITS
    assert code == 0 and "a.jsonl: 解析できない行があります / lines not understood (1)" in told
    assert _hunt(place, 1, said=["--strict"]) == (1, output, told)


def test_a_rule_whose_placeholder_has_no_values_is_named(place: Path) -> None:
    """It is not used, in one line, and changes no exit code: a folder of public rules holds some for everybody."""
    more = {**shell_rule.RULE, "id": "00000000-0000-4000-8000-000000000002"}
    more["detection"] = {"s": {"Image|expand": "%servers%"}, "condition": "s"}
    with (place / "r.yml").open("a", encoding="utf-8") as file:
        file.write("---\n" + yaml.safe_dump(more))
    (place / "logs" / "a.jsonl").write_bytes(_lines())
    code, output, told = _hunt(place, 1)
    assert (code, output.count(b"\n")) == (0, HITS)
    assert "1 件のルールは動かしていません(--placeholder): %servers% / 1 rules did not run" in told
