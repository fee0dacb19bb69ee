"""Something about a source that is not as usual."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hinomi.words import Words


class Kind(StrEnum):
    """What can go wrong with a source."""

    SILENT = "silent"
    FLOOD = "flood"
    TIME = "time"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Finding:
    """since: seconds since 1970; said: why, in words; figures: what it was judged by."""

    kind: Kind
    since: float
    said: Words
    figures: dict[str, Any] = field(default_factory=dict)
