"""A place in a lane of the spool, as text that sorts: `<lane uid>-<segment>-<offset>`, numbers in hex."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """segment counts from 1; offset is bytes from the segment's start. The uid names one lane's lifetime."""

    uid: str
    segment: int
    offset: int

    def __str__(self) -> str:
        return f"{self.uid}-{self.segment:012x}-{self.offset:010x}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The position that `str()` wrote. Raises ValueError for anything else."""
        uid, segment, offset = text.split("-")
        return cls(uid, int(segment, 16), int(offset, 16))

    @property
    def id_prefix(self) -> str:
        """What event ids of the block at this place begin with; the row in hex follows."""
        return f"{self.uid}-{self.segment:x}-{self.offset:x}-"
