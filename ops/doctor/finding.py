"""What the doctor looks at, and what one finding says."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hinomi.store import Events, Records
from hinomi.words import Words
from ops.rundir import RunDir
from ops.settings import Settings

NOTHING = Words("", "")


class State(StrEnum):
    """How a part is."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it is, what to do."""

    part: Words
    state: State
    said: Words
    remedy: Words = NOTHING


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a tower under its two names; it makes the findings about itself."""

    ja: str
    en: str

    def good(self, ja: str, en: str) -> Check:
        """All is well."""
        return Check(Words(self.ja, self.en), State.GOOD, Words(ja, en))

    def warn(self, ja: str, en: str, remedy: Words = NOTHING) -> Check:
        """It works, and somebody should look."""
        return Check(Words(self.ja, self.en), State.WARN, Words(ja, en), remedy)

    def bad(self, ja: str, en: str, remedy: Words = NOTHING) -> Check:
        """It does not do its work."""
        return Check(Words(self.ja, self.en), State.BAD, Words(ja, en), remedy)


@dataclass(frozen=True, slots=True)
class Patient:
    """What the doctor looks at."""

    data: Path
    settings: Settings
    events: Events
    records: Records
    run: RunDir
