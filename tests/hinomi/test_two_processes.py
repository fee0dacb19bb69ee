"""Several processes on one data folder: each is a real one."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from hinomi.store.embedded import ParquetEvents
from tests.contract.stores import clock
from tests.contract.test_events import batch

_APPENDS, _EACH = 30, 20
_BEGIN = """
import sys
from pathlib import Path
from hinomi.store.embedded import ParquetEvents
from tests.contract.stores import clock
from tests.contract.test_events import batch

events = ParquetEvents(Path(sys.argv[1]), clock=clock())
"""
_APPEND = f"""{_BEGIN}
for number in range({_APPENDS}):
    events.append([batch(n={_EACH}, first=int(sys.argv[2]) + {_EACH} * number)])
"""
_RESEND = f"""{_BEGIN}
for number in range({_APPENDS}):
    made = batch(n={_EACH}, first={_EACH} * number)
    ids = frozenset(made.frame["event.id"])
    print(events.append([made], client_ids=ids).stored)
"""
_MERGE = f"""{_BEGIN}
import select
while not select.select([sys.stdin], [], [], 0)[0]:
    events.compact()
"""
_EXPORT = f"""{_BEGIN}
pages = events.pages(size=20, oldest_first=True)
print(*(row["event.id"] for row in next(pages)), flush=True)
sys.stdin.readline()
for page in pages:
    print(*(row["event.id"] for row in page))
"""


def _run(script: str, place: Path, *more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(place), *map(str, more)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=pipe, stdout=pipe, text=True)


def _ids(events: ParquetEvents) -> Counter[str]:
    return Counter(row["event.id"] for page in events.pages(size=1_000) for row in page)


def _told(first: int) -> set[str]:
    made = batch(n=_APPENDS * _EACH, first=first)
    return set(made.frame["event.id"])


def test_a_tower_that_starts_leaves_the_files_of_who_is_appending(tmp_path: Path) -> None:
    """A command (replay, drill) appends while the tower starts, which takes away what a crash left unnamed: not the files
    that are just about to be named. What really belongs to nobody goes once nobody appends."""
    events, swept = ParquetEvents(tmp_path, clock=clock()), 0
    lost = tmp_path / "fortinet.fortigate" / "2026-11-20" / "left.parquet"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(b"of a crash")
    with _run(_APPEND, tmp_path, 0) as process:
        while process.poll() is None:
            swept += events.sweep(orphans=True)
    assert process.returncode == 0
    assert events.flaws() == [] and _ids(events) == dict.fromkeys(_told(0), 1)
    events.sweep(orphans=True)
    assert not lost.exists()
    events.close()


def test_pages_beside_two_who_append_and_two_who_merge(tmp_path: Path) -> None:
    """A page after the other is read by its token, the oldest first, while four others work on the same files: what was there
    when it began comes once, and nothing that nobody sent; at the end each event is there once."""
    events = ParquetEvents(tmp_path, clock=clock())
    for number in range(_APPENDS):
        events.append([batch(n=_EACH, first=100_000 + _EACH * number)])
    before, firsts, rounds = set(_ids(events)), (0, 200_000), 0
    merging = _run(_MERGE, tmp_path)
    appending = [_run(_APPEND, tmp_path, first) for first in firsts]
    wanted = before.union(*map(_told, firsts))
    while any(process.poll() is None for process in appending) or not rounds:
        seen, token, rounds = list[str](), None, rounds + 1
        while True:
            page = events.search(limit=500, after=token, oldest_first=True)
            seen += [row["event.id"] for row in page.rows]
            events.compact()
            token = page.after
            if token is None:
                break
        assert len(seen) == len(set(seen)) and before <= set(seen) <= wanted
    for process in (merging, *appending):
        process.communicate("\n")
        assert process.returncode == 0
    assert _ids(events) == dict.fromkeys(wanted, 1) and events.flaws() == []
    events.close()


def test_two_who_are_sent_the_same_store_it_once(tmp_path: Path) -> None:
    """A sender that got no answer sends the same ids to another worker at the same moment."""
    both = [_run(_RESEND, tmp_path) for _ in range(2)]
    stored = [sum(map(int, process.communicate()[0].split())) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    events = ParquetEvents(tmp_path, clock=clock())
    assert sum(stored) == _APPENDS * _EACH and _ids(events) == dict.fromkeys(_told(0), 1)
    assert events.sweep(orphans=True) == 0 and events.flaws() == []
    events.close()


@pytest.mark.parametrize("killed", [False, True])
def test_retention_beside_an_export(tmp_path: Path, *, killed: bool) -> None:
    """What retention takes stays on the disk until the export has read it, and no longer than its process lives."""
    now = clock()
    events = ParquetEvents(tmp_path, clock=now)
    for number in range(10):
        events.append([batch(n=_EACH, first=_EACH * number)])
    with _run(_EXPORT, tmp_path) as export:
        assert export.stdin and export.stdout
        seen = export.stdout.readline().split()
        assert (
            events.drop("fortinet.fortigate", now.now() + timedelta(days=9))
            == 10 * _EACH
            == 10 * _EACH - events.count()
        )
        now.advance(timedelta(hours=1))
        assert events.sweep() == 0
        if killed:
            export.kill()
        else:
            export.stdin.write("\n")
            export.stdin.close()
            seen += export.stdout.read().split()
            assert Counter(seen) == dict.fromkeys(batch(n=10 * _EACH).frame["event.id"], 1)
    assert events.sweep() == 10 and not list(tmp_path.rglob("*.parquet"))
    events.close()
