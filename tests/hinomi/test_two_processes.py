"""Several processes on one data folder: each is a real one."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from hinomi.store.embedded import ParquetEvents
from tests.contract.stores import clock
from tests.contract.test_events import batch

_APPENDS, _EACH = 60, 20
_APPEND = f"""
import sys
from pathlib import Path
from hinomi.store.embedded import ParquetEvents
from tests.contract.stores import clock
from tests.contract.test_events import batch

events = ParquetEvents(Path(sys.argv[1]), clock=clock())
for number in range({_APPENDS}):
    events.append([batch(n={_EACH}, first=int(sys.argv[2]) + {_EACH} * number)])
events.close()
"""


def _appending(place: Path, first: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _APPEND, str(place), str(first)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


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
    with _appending(tmp_path, 0) as process:
        while process.poll() is None:
            swept += events.sweep(orphans=True)
    assert process.returncode == 0
    assert events.flaws() == [] and _ids(events) == dict.fromkeys(_told(0), 1)
    events.sweep(orphans=True)
    assert not lost.exists()
    events.close()


def test_merging_and_pages_beside_two_who_append(tmp_path: Path) -> None:
    """Two processes append, a third merges, and a page after the other is read by its token, the oldest first: what was there
    when it began comes once, in order, and nothing that nobody sent; at the end each event is there once."""
    events = ParquetEvents(tmp_path, clock=clock())
    for number in range(_APPENDS):
        events.append([batch(n=_EACH, first=100_000 + _EACH * number)])
    before = _ids(events)
    firsts = (0, 200_000)
    processes = [_appending(tmp_path, first) for first in firsts]
    rounds = 0
    while any(process.poll() is None for process in processes) or not rounds:
        seen, token, rounds = list[str](), None, rounds + 1
        while True:
            page = events.search(limit=500, after=token, oldest_first=True)
            seen += [row["event.id"] for row in page.rows]
            events.compact()
            if (token := page.after) is None:
                break
        assert len(seen) == len(set(seen)) and set(before) <= set(seen)
    assert [process.wait() for process in processes] == [0, 0]
    wanted = set(before).union(*map(_told, firsts))
    assert _ids(events) == dict.fromkeys(wanted, 1) and events.flaws() == []
    events.close()
