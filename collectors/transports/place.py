"""How far a followed file was read: a small file that is replaced durably.

Kept beside the spool. It may lag behind what was spooled: lines that are read again carry the same
client ids, and the store takes them once.
"""

import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import orjson

from hinomi.durable import write_durably

FINGERPRINT_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """A place in one file among those that had the followed name.

    uid: of this record's lifetime; generation: counts the files that were followed; inode: of the file;
    head: its first bytes as far as they were read, in hex, up to `FINGERPRINT_BYTES`; offset: of the next byte.
    """

    uid: str
    generation: int = 0
    inode: int = 0
    head: str = ""
    offset: int = 0

    def next_file(self, inode: int) -> Self:
        """The beginning of another file."""
        return replace(self, generation=self.generation + 1, inode=inode, head="", offset=0)

    def client_id(self, offset: int) -> str:
        """The identity of the line that begins at this offset."""
        return f"{self.uid}.{self.generation}:{offset}"


def load(path: Path) -> Place:
    """The place that was saved, or a new one. A damaged record is a new one: better twice than never."""
    try:
        return Place(**orjson.loads(path.read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return Place(secrets.token_hex(6))


def save(path: Path, place: Place) -> None:
    """Replace the record; durable when this returns."""
    write_durably(path, orjson.dumps(asdict(place)))
