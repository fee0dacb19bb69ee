"""Run by test_full_disk in mounts of its own (`unshare`): a store on a real file system of four MiB, filled up to so many
KiB. Appends and merges, makes room, goes on. Prints a JSON line for each amount of room: what each step said, and what was
found while the disk was full and afterwards."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import polars as pl

from hinomi import ecs
from hinomi.batch import Batch
from hinomi.errors import StoreError
from hinomi.store import Checkpoint
from hinomi.store.embedded import ParquetEvents
from tests.contract.stores import clock
from tests.contract.test_events import START, batch

_EACH, _BEFORE = 200, 10


def _lines(number: int) -> Batch:
    """Events of one day that hardly compress, so that a merged file needs as much room as its parts."""
    made, random = batch(n=_EACH, first=_EACH * number), Random(number)
    lines = pl.Series("event.original", [random.randbytes(60).hex() for _ in range(_EACH)])
    frame = made.frame.with_columns(lines, pl.lit(START).cast(ecs.TIME).alias("@timestamp"))
    return Batch(made.dataset, frame, made.origin)


def _held(events: ParquetEvents) -> dict[str, int]:
    return dict(Counter(row["event.id"] for page in events.pages(size=1_000) for row in page))


def _with_room(place: Path, kib: int) -> dict[str, object]:
    events, said, stored = ParquetEvents(place / "events", clock=clock()), {}, list(range(_BEFORE))
    for number in stored:
        events.append([_lines(number)], checkpoint=Checkpoint("w", str(number)))
    fill = place / "fill"
    fill.write_bytes(b"x" * max(0, shutil.disk_usage(place).free - kib * 1024))
    for step, number in (("append", _BEFORE), ("merge", None), ("append again", _BEFORE + 1)):
        try:
            if number is None:
                events.compact()
            else:
                events.append([_lines(number)], checkpoint=Checkpoint("w", str(number)))
                stored.append(number)
            said[step] = ""
        except StoreError as error:
            said[step] = str(error)
    full = _held(events)
    fill.unlink()
    place_of_reader = events.checkpoint("w")
    left = events.sweep(orphans=True)  # those that a merge replaced stay for minutes
    events.compact()
    events.append([_lines(_BEFORE + 2)], checkpoint=Checkpoint("w", str(_BEFORE + 2)))
    after = _held(events)
    events.close()
    anew = ParquetEvents(place / "events", clock=clock())
    again, flaws = _held(anew), anew.flaws()
    anew.close()
    wanted = dict.fromkeys(
        (identity for number in stored for identity in _lines(number).frame["event.id"]), 1
    )
    more = wanted | dict.fromkeys(_lines(_BEFORE + 2).frame["event.id"], 1)
    return {
        "said": said,
        "right while full": full == wanted and place_of_reader == str(stored[-1]),
        "right afterwards": after == more == again and not flaws,
        "files of nobody": left,
    }


if __name__ == "__main__":
    at = Path(sys.argv[1])
    for room in map(int, sys.argv[2:]):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", at], check=True)
        print(json.dumps(_with_room(at, room), ensure_ascii=False), flush=True)
        subprocess.run(["umount", "-l", at], check=True)
