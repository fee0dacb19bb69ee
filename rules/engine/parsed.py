"""What one rule file holds once it was read: plain JSON, which the cache keeps.

Apart from the reading (`rules.engine.parse`), so that a start which finds everything in the cache imports no pySigma.
"""

from dataclasses import dataclass, field
from typing import Any

FORMAT = 16
"""Raised when `File` or what it means changes, so that old caches are read no more."""


@dataclass(slots=True)
class File:
    """What one file holds. Every value is JSON; `others` are documents of kinds that are not Sigma's."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    filters: list[dict[str, Any]] = field(default_factory=list)
    correlations: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The file as one JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}
