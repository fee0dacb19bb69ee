"""Files of one lane of the spool: numbered segments, the lane's uid, damaged bytes kept aside."""

import secrets
from pathlib import Path

from hinomi.durable import write_durably

SUFFIX = ".segment"
UID = "uid"


def lane_folders(spool: Path) -> list[Path]:
    """The lanes that a spool holds, also those of an earlier setting with more workers."""
    found = (path for path in spool.glob("lane-*") if path.name[5:].isdigit())
    return sorted(found, key=lambda path: int(path.name[5:]))


def segment_path(lane: Path, number: int) -> Path:
    """The file of a segment."""
    return lane / f"{number:012x}{SUFFIX}"


def segments(lane: Path) -> list[int]:
    """Numbers of the segments that are there, ascending."""
    try:
        names = [path.name for path in lane.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(int(name[:12], 16) for name in names if name.endswith(SUFFIX))


def size_of(lane: Path) -> int:
    """Bytes of all segments; one that a reader removes meanwhile counts nothing."""
    total = 0
    for number in segments(lane):
        try:
            total += segment_path(lane, number).stat().st_size
        except FileNotFoundError:
            continue
    return total


def make_uid(lane: Path) -> str:
    """The lane's uid, made on first use: a lane that was deleted and made again never repeats an id."""
    known = read_uid(lane)
    if known is None:
        known = secrets.token_hex(5)
        write_durably(lane / UID, known.encode())
    return known


def read_uid(lane: Path) -> str | None:
    """The lane's uid, or None before its writer first opened it."""
    try:
        return (lane / UID).read_text(encoding="ascii") or None
    except FileNotFoundError:
        return None


def keep_aside(lane: Path, segment: int, offset: int, damaged: bytes) -> Path:
    """Keep damaged bytes for a person to look at; the name says where they were."""
    path = lane / f"{segment:012x}-{offset:010x}.damaged"
    write_durably(path, damaged)
    return path
