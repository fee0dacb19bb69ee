"""Which batches of a sender's epoch were taken: each once, in order where they come so, with the gaps between them.

Pure: decides on manifests, and is kept as a record by the inbox.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Self

from collectors.transfer.manifest import Sealed, Unfit

_REMEMBERED = 1000


class Turn(Enum):
    """What to do with a batch now."""

    TAKE = "take"
    WAIT = "wait"  # an earlier one is missing, and may still come


@dataclass(slots=True)
class Gap:
    """Numbers that were passed over, both ends within. sha256: of the manifest `last`, as its successor names it;
    since: when it was declared, seconds since 1970."""

    first: int
    last: int
    sha256: str
    since: float


@dataclass(slots=True)
class Chain:
    """One epoch. next: the number that is due; previous: SHA-256 of the manifest before it; recent: SHA-256 of the
    latest manifests by number, to tell what comes again from what comes in two versions."""

    epoch: str
    next: int = 1
    previous: str = ""
    gaps: list[Gap] = field(default_factory=list)
    recent: dict[str, str] = field(default_factory=dict)

    def turn(self, one: Sealed) -> Turn:
        """Whether a batch is due. Raises Unfit: `repeated`, `conflicting` or `wrong_chain`."""
        number = one.manifest.sequence
        if number > self.next:
            return Turn.WAIT
        if number < self.next and (gap := self.gap(number)) is None:
            known = self.recent.get(str(number), one.sha256)
            raise Unfit("repeated" if known == one.sha256 else "conflicting")
        if number == self.next:
            named = one.manifest.previous == self.previous
        else:
            assert gap is not None
            named = number < gap.last or not gap.sha256 or gap.sha256 == one.sha256
        if not named:
            raise Unfit("wrong_chain")
        return Turn.TAKE

    def gap(self, number: int) -> Gap | None:
        """The gap that a number lies in."""
        return next((gap for gap in self.gaps if gap.first <= number <= gap.last), None)

    def skip_to(self, one: Sealed, now: float) -> Gap:
        """Wait no longer for what is missing before this batch."""
        gap = Gap(self.next, one.manifest.sequence - 1, one.manifest.previous, now)
        self.gaps.append(gap)
        self.next, self.previous = one.manifest.sequence, one.manifest.previous
        return gap

    def took(self, one: Sealed) -> bool:
        """A batch is safe; True where it lay in a gap."""
        number = one.manifest.sequence
        self.recent[str(number)] = one.sha256
        if len(self.recent) > _REMEMBERED:
            del self.recent[min(self.recent, key=int)]
        if number == self.next:
            self.next, self.previous = number + 1, one.sha256
            return False
        gap = self.gap(number)
        assert gap is not None
        parts = [
            Gap(gap.first, number - 1, one.manifest.previous, gap.since),
            Gap(number + 1, gap.last, gap.sha256, gap.since),
        ]
        at = self.gaps.index(gap)
        self.gaps[at : at + 1] = [part for part in parts if part.first <= part.last]
        return True

    def as_dict(self) -> dict[str, Any]:
        """For the record; as it is, uncopied: there may be a thousand `recent`, and it is asked for with each batch."""
        own = {"epoch": self.epoch, "next": self.next, "previous": self.previous, "recent": self.recent}
        return {**own, "gaps": [asdict(gap) for gap in self.gaps]}

    @classmethod
    def of(cls, held: Mapping[str, Any]) -> Self:
        """From the record."""
        return cls(**{**held, "gaps": [Gap(**gap) for gap in held["gaps"]]})
