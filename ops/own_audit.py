"""Hinomi watches itself: audit entries are written out as JSON lines, which a `file` listener reads like any other log.

The last whole line says how far it is written, so that a crash in between neither loses nor doubles an entry. A record says
it, too: the process that leads next, on another machine, goes on where this one was.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from hinomi.durable import sync
from hinomi.store import Records
from responders.audit import KIND

FILE = "audit.jsonl"
FOLDER = "own"
_PLACE = ("own_watch", "own_audit")
_MOST, _ROTATE, _TAIL = 5_000, 64 << 20, 1 << 20


def write(records: Records, folder: Path) -> int:
    """Write what was entered since the last time into `<folder>/audit.jsonl`; how many entries."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, before = folder / FILE, folder / f"{FILE}.1"
    whole, number = _end(path)
    held = records.get(*_PLACE)
    number = max(number or _end(before)[1], int(held.body["number"]) if held else 0)
    entries = list(_entries(records, number + 1))
    if not entries:
        return 0
    if whole > _ROTATE:
        path.replace(before)
        whole = 0
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b") as out:
        out.truncate(whole)  # half a line that a crash left is written again
        out.seek(whole)
        out.writelines(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in entries)
        sync(out)
    records.put(*_PLACE, {"number": number + len(entries)})
    return len(entries)


def _entries(records: Records, number: int) -> Iterator[dict[str, Any]]:
    for n in range(number, number + _MOST):
        found = records.get(KIND, f"{n:012d}")
        if found is None:
            return
        yield found.body


def _end(path: Path) -> tuple[int, int]:
    """Bytes of whole lines, and the number of the last entry; (0, 0) without a file."""
    if not path.exists():
        return 0, 0
    size = path.stat().st_size
    with path.open("rb") as handle:
        handle.seek(max(0, size - _TAIL))
        lines = handle.read().rpartition(b"\n")[0]
        tail = size - max(0, size - _TAIL)
    if not lines:
        return 0, 0
    return size - tail + len(lines) + 1, int(orjson.loads(lines.rpartition(b"\n")[2])["number"])
