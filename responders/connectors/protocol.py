"""The seam to the things that contain."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from hinomi.config import Section


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, or would be, in words. changed: False when the target is so already; extent: where a plan had to search for
    what it would touch, each thing by its own name, else None."""

    ja: str
    en: str
    changed: bool = True
    extent: tuple[str, ...] | None = None


class Connector(Protocol):
    """One kind of target. Every method is idempotent; errors are DependencyDown (try again) or Refused (do not)."""

    def plan(self, action: str, values: Mapping[str, str]) -> Done:
        """What `act` would do, changing nothing."""
        ...

    def look(self, action: str, values: Mapping[str, str]) -> dict[str, Any]:
        """How the target is now: the caller journals it before `act`, and hands it to `undo`."""
        ...

    def act(self, action: str, values: Mapping[str, str]) -> Done:
        """Do it, unless it is already so."""
        ...

    def verify(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the target is now as `act` leaves it."""
        ...

    def undo(self, action: str, values: Mapping[str, str], before: Mapping[str, Any]) -> Done:
        """Put the target back as `look` found it."""
        ...

    def health(self) -> str:
        """Empty when the target can be reached and used, else what is wrong, in words."""
        ...


@runtime_checkable
class Searching(Protocol):
    """A connector of which acts touch what a search finds: more may be found by the time of the act than when it was approved."""

    def searches(self, action: str) -> bool:
        """Whether this act of it does: its `plan` has an extent."""
        ...

    def within(self, extent: Collection[str]) -> Connector:
        """The connector over these things alone, as `plan` named them."""
        ...


@runtime_checkable
class Lagging(Protocol):
    """A connector that may not find at once what it has just made: begun anew too soon, an act would be done twice."""

    def unseen(self, action: str) -> timedelta:
        """So long it may not be found; zero where it is found at once."""
        ...


@runtime_checkable
class Knowing(Protocol):
    """A connector that can tell whom it is for: of several switches one has the machine's port."""

    def knows(self, action: str, values: Mapping[str, str]) -> bool:
        """Whether the target is one of its own. Raises HinomiError where that cannot be said now."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of target: the `kind:` of its settings, which actions it can do, and the connector over them."""

    name: str
    settings: type[Section]
    make: Callable[[Any], Connector]
    actions: frozenset[str]
