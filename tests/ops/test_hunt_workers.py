"""A hunt by several processes finds exactly what one finds, in the same order, and loses nothing when one of them dies."""

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from collectors import file_records, hunt_parts
from collectors.hunt_input import HuntInput
from collectors.hunt_parts import Piece
from collectors.hunt_waiting import Waiting
from collectors.windows.narrow import WindowsNarrow
from hinomi.errors import HinomiError, InputError
from ops.hunt import Hunt
from rules.in_force import InForce
from tests.ops import shell_rule
from tests.shared import corpus

SYSMON = "Microsoft-Windows-Sysmon/Operational"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """One rule."""
    folder = tmp_path / "rules"
    folder.mkdir()
    shell_rule.put(folder)
    return folder


def _hunt(paths: list[Path], rules: Path, cache: Path, workers: int) -> Hunt:
    return Hunt(paths, InForce([rules]), cache, workers=workers, zone="Asia/Tokyo")


def _found(hunt: Hunt) -> tuple[list[Any], dict[str, Any]]:
    """Documents in order, and all that is counted but time; when an event was read is no part of what is found."""
    out = io.BytesIO()
    hunt.write_jsonl(out)
    documents = [orjson.loads(line) for line in out.getvalue().splitlines()]
    for document in documents:
        del document["event"]["ingested"]
    counted = hunt.tally.as_json()
    del counted["seconds"]
    counted = {name: sorted(said) if isinstance(said, list) else said for name, said in counted.items()}
    return documents, counted


def _event(number: int) -> str:
    image = "C:\\\\Windows\\\\cmd.exe" if number % 97 == 0 else "C:\\\\Windows\\\\notepad.exe"
    return (
        f'{{"EventID": 1, "Channel": "{SYSMON}", "SourceName": "Microsoft-Windows-Sysmon", "Computer": "pc",'
        f' "EventTime": "2026-11-20 19:31:05",'
        f' "UtcTime": "2026-11-20 19:31:05.063", "ProcessId": {number}, "Image": "{image}"}}'
    )


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few kilobytes, so that small files make many."""
    monkeypatch.setattr(hunt_parts, "_TEXT", 24_000)
    monkeypatch.setattr(hunt_parts, "_EVTX", 4_000_000)


@pytest.mark.usefixtures("small_parts")
def test_same_with_any_number(rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines cut into many parts, a file of no known format, an array, one of an unknown product, broken lines: documents and
    their order, counts, and what people are told about files are the same."""
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [_event(number) for number in range(400)]
    lines[50] = lines[50][:-9]
    lines[60] = ""
    (logs / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (logs / "b.log").write_text("\n".join(f"??? {n}" for n in range(900)) + "\n", encoding="utf-8")
    (logs / "c.json").write_text("[" + ",".join(_event(97 * n) for n in range(9)) + "]", encoding="utf-8")
    (logs / "d.jsonl").write_text("\n".join(_event(n) for n in range(97)) + "\n", encoding="utf-8")
    (logs / "e.log").write_text('{"app": "x", "number": 1}\n' * 400, encoding="utf-8")
    assert len(hunt_parts.parts([logs], cut=True)) > 6
    one = _found(_hunt([logs], rules, tmp_path / "cache", 1))
    said = capsys.readouterr().err
    assert len(one[0]) == 5 + 9 + 1
    assert one[1]["lost"] == [[str(logs / "b.log"), "unknown_format", 900]]
    assert one[1]["generic"] == [[str(logs / "e.log"), "generic.json"]]
    hunt = _hunt([logs], rules, tmp_path / "cache", 3)
    documents, counted = _found(hunt)
    assert documents == one[0]
    assert counted == one[1]
    assert hunt.used == 3
    assert capsys.readouterr().err == said


@pytest.mark.usefixtures("small_parts")
def test_same_however_much_waits(rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of several parts are sifted together, or those of each part alone: documents, their order and counts are the same,
    with lines of another source between them and a line that holds several events."""
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [_event(number) for number in range(300)]
    lines[7] = '{"Records": [' + ",".join(_event(97 * number) for number in range(5)) + "]}"
    (logs / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (logs / "b.log").write_text('{"app": "x", "number": 1}\n' * 400, encoding="utf-8")
    (logs / "c.jsonl").write_text("\n".join([*lines[:3], " ", _event(0)]) + "\n", encoding="utf-8")
    (logs / "d.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    together = _found(_hunt([logs], rules, tmp_path / "cache", 1))
    monkeypatch.setattr("collectors.hunt_input.FULL", 1)
    assert _found(_hunt([logs], rules, tmp_path / "cache", 1)) == together
    assert len(together[0]) == (4 + 5) + 2 + (4 + 5)
    assert together[1]["events"] == 304 + 400 + 4 + 304


def test_a_packed_file_is_read_as_it_comes(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A packed file is one part however much is in it: what waits for the sieve is sifted within the part, and what passes is
    read there, so that gigabytes need no more memory than what may wait and be held. Signals and counts are the same, in the
    same order, with any number of workers."""
    logs = tmp_path / "logs"
    logs.mkdir()
    packed = logs / "a.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(map(_event, range(600))).encode()))
    (logs / "b.jsonl").write_text("\n".join(map(_event, range(300))) + "\n", encoding="utf-8")
    together = _found(_hunt([logs], rules, tmp_path / "cache", 1))
    monkeypatch.setattr("collectors.hunt_input.FULL", 1)
    monkeypatch.setattr("collectors.hunt_input.HELD", 1)
    sieve = InForce([rules]).load(tmp_path / "cache").sieve
    reader = HuntInput(lines=97, sieves=sieve)
    [part] = hunt_parts.parts([packed], cut=True)
    read = [len(one.batch) for one in reader.read_part(0, part)]
    assert read == [2] * 3
    assert [len(one.batch) for one in reader.read_held()] == [1]
    assert _found(_hunt([logs], rules, tmp_path / "cache", 1)) == together
    assert _found(_hunt([logs], rules, tmp_path / "cache", 2)) == together
    assert len(together[0]) == 7 + 4


def test_kinds_of_events_weigh_what_waits(tmp_path: Path) -> None:
    """Each event with an id of its own: what is held for its kind is two hundred times its line, and counts; of one kind it is
    held once. What was sifted weighs nothing."""
    rule = {**shell_rule.RULE, "logsource": {"product": "windows", "service": "security"}}
    rule["detection"] = {"s": {f"A{number}|contains": "x" for number in range(9)}, "condition": "s"}
    (tmp_path / "r.yml").write_text(yaml.safe_dump(rule), encoding="utf-8")
    sieve = InForce([tmp_path]).load(tmp_path / "cache").sieve("windows.eventlog")
    event = '{{"EventID":{},"Channel":"Security","SourceName":"Microsoft-Windows-Security-Auditing"}}'
    weights = []
    for ids in (range(500), [4624] * 500):
        waiting = Waiting(WindowsNarrow(), sieve)
        lines = [event.format(number).encode() for number in ids]
        waiting.lines(tmp_path / "a.jsonl", 0, lines, 0)
        weights.append(waiting.weight - sum(map(len, lines)))
        assert sum(frame.height for frame in waiting.passing()) == 0
        assert waiting.weight == 0
    assert weights[0] > 500 * 9 * 500
    assert weights[1] * 500 == weights[0]


@pytest.mark.usefixtures("small_parts")
def test_names_that_are_no_utf8(rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files and folders named in Shift_JIS: what is found, and what is told of them, is the same with workers."""
    sjis = tmp_path / os.fsdecode("ログ".encode("cp932"))
    logs = sjis / "logs"
    logs.mkdir(parents=True)
    (logs / os.fsdecode("表.jsonl".encode("cp932"))).write_text("\n".join(map(_event, range(300))))
    (logs / os.fsdecode("不明.log".encode("cp932"))).write_text("??? 1\n" * 900)
    (logs / os.fsdecode("他.log".encode("cp932"))).write_text('{"app": "x", "number": 1}\n' * 900)
    one = _found(_hunt([logs], rules, sjis / "cache", 1))
    said = capsys.readouterr().err
    assert len(one[0]) == 4 and one[1]["lost"] and one[1]["generic"]
    assert _found(_hunt([logs], rules, sjis / "cache", 2)) == one
    assert capsys.readouterr().err == said
    _hunt([logs], rules, sjis / "cache", 2).show(progress=False)
    assert "\\udc95s\\udc96\\udcbe.log" in capsys.readouterr().out


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_same_over_attack_samples(tmp_path: Path) -> None:
    """Every recorded sample, whole files and lines, with every public Windows rule."""
    public, folder = corpus("sigma", "rules", "windows"), corpus("evtx")
    one = _found(_hunt([folder], public, tmp_path / "cache", 1))
    assert len(one[0]) > 500
    assert _found(_hunt([folder], public, tmp_path / "cache", 2)) == one


def test_lines_of_pieces_are_the_lines_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a file is cut, each line is in one piece, with its place: empty lines, long ones, no end at the end. So is each
    in one of the blocks in which it is read."""
    path = tmp_path / "log"
    for text in (b"a\nbb\n\nccc\n", b"a\nbb\n\n\nccc", b"\n\n", b"", b"x" * 50 + b"\ny", b"x" * 50):
        path.write_bytes(text)
        whole = file_records.lines_between(path, 0, None)[1]
        assert b"\n".join(whole) == text.removesuffix(b"\n")
        for size in (1, 2, 3, 7, 60):
            found = []
            for start in range(0, max(len(text), 1), size):
                last = start + size >= len(text)
                at, lines = file_records.lines_between(path, start, None if last else start + size)
                for line in lines:
                    assert text[at : at + len(line)] == line
                    assert start <= at < start + size
                    at += len(line) + 1
                found += lines
            assert found == whole
            monkeypatch.setattr(file_records, "_STEP", size)
            blocks = list(file_records.blocks_between(path, 0, None))
            assert [line for _, lines in blocks for line in lines] == whole
            assert all(lines and text[at:].startswith(lines[0]) for at, lines in blocks)
            assert list(file_records.blocks_between(path, 0, len(text))) == blocks


def test_parts_do_not_depend_on_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files share a part, large ones are cut, EVTX comes first; a file that grows is read to its end."""
    monkeypatch.setattr(hunt_parts, "_TEXT", 100)
    (tmp_path / "a.log").write_bytes(b"x\n" * 20)
    (tmp_path / "b.log").write_bytes(b"x\n" * 20)
    (tmp_path / "c.log").write_bytes(b"x\n" * 120)
    (tmp_path / "z.evtx").write_bytes(b"ElfFile\x00" + bytes(100))
    a, b, c, z = (tmp_path / name for name in ("a.log", "b.log", "c.log", "z.evtx"))
    assert hunt_parts.parts([tmp_path], cut=True) == [
        (Piece(z, "evtx"),),
        (Piece(a, "lines"), Piece(b, "lines")),
        (Piece(c, "lines", 0, 100),),
        (Piece(c, "lines", 100, 200),),
        (Piece(c, "lines", 200, None),),
    ]


@pytest.mark.usefixtures("small_parts")
def test_a_worker_that_is_killed_is_an_error(rules: Path, tmp_path: Path) -> None:
    """What was found before is written; the file is named; nothing is passed over in silence."""
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(_event, range(40_000))), encoding="utf-8")
    hunt = _hunt([path], rules, tmp_path / "cache", 2)

    class Killing(io.BytesIO):
        def write(self, data: Any) -> int:
            if data and not self.tell():
                for child in _children():
                    os.kill(child, signal.SIGKILL)
            return super().write(data)

    with pytest.raises(HinomiError, match=re.escape(str(path)) + ".*作業プロセスが途中で終わりました"):
        hunt.write_jsonl(Killing())
    assert not _children()


def _children() -> list[int]:
    """The workers of this very process: started anew, or copies of it."""
    own = Path("/proc/self/cmdline").read_bytes()
    told = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text(encoding="ascii")
    said = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in told.split()}
    return [child for child, line in said.items() if line == own or b"ops.hunt.worker" in line]


@pytest.mark.usefixtures("small_parts")
def test_errors_are_those_of_one_process(rules: Path, tmp_path: Path) -> None:
    """A folder of rules that is not there, a rule folder without a rule, a zone that there is not: same words, same code."""
    path, empty = tmp_path / "a.jsonl", tmp_path / "empty"
    path.write_text("\n".join(map(_event, range(100))), encoding="utf-8")
    empty.mkdir()
    for folder, zone in ((tmp_path / "none", ""), (empty, ""), (rules, "Mars/Base")):
        told = []
        for workers in (1, 2):
            hunt = Hunt([path], InForce([folder]), tmp_path / "cache", workers=workers, zone=zone)
            with pytest.raises(HinomiError) as caught:
                hunt.write_jsonl(io.BytesIO())
            told.append((str(caught.value), caught.value.exit_code))
        assert told[0] == told[1]
    with pytest.raises(InputError):
        _hunt([tmp_path / "missing"], rules, tmp_path / "cache", 2).write_jsonl(io.BytesIO())


def test_workers_end_with_a_reader_that_leaves(rules: Path, tmp_path: Path) -> None:
    """`hinomi hunt … | head`: the command ends, and so do its workers."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({**json.loads(_event(0)), "Image": "C:\\cmd.exe", "N": "x" * 900})
            for _ in range(30_000)
        )
    )
    argv = [
        sys.executable,
        "-m",
        "ops.cli",
        "hunt",
        str(path),
        "--rules",
        str(rules),
        "--jsonl",
        "--workers",
        "2",
    ]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, env={**os.environ, "HINOMI_CACHE": str(tmp_path / "cache")}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        workers = [
            int(one)
            for one in Path(f"/proc/{process.pid}/task/{process.pid}/children")
            .read_text(encoding="ascii")
            .split()
        ]
        process.stdout.close()
        process.wait(60)
    assert len(workers) == 2
    until = time.monotonic() + 10
    while any(Path(f"/proc/{one}").exists() for one in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{one}").exists() for one in workers)
