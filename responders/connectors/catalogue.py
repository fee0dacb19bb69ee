"""Configured targets by name, and which connector each kind has. A connector is one file in this folder: found by
being there, with its settings and its `KIND`."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from hinomi.config import Section
from hinomi.errors import ContentError
from hinomi.kinds import by_kind
from responders import connectors as package
from responders.connectors.actions import ACTIONS
from responders.connectors.protocol import Connector, Kind, Lagging, Searching
from responders.connectors.several import Several

__all__ = ["ACTIONS", "Target", "connector", "of_action", "target_of"]


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of target, by the `kind:` that names it in the configuration."""
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, Kind):
            found[kind.name] = kind
    return found


if TYPE_CHECKING:
    Target = Section
else:
    Target = by_kind({name: kind.settings for name, kind in kinds().items()})


def connector(target: Section) -> Connector:
    """The connector of a configured target."""
    return kinds()[str(getattr(target, "kind", ""))].make(target)


def target_of(action: str, on: str = "") -> str:
    """Which target an action is for: the one that the step names, else `directory` of `directory.disable_account`."""
    return on or action.partition(".")[0]


def of_action(action: str, targets: Mapping[str, Any], on: str = "") -> Connector | None:
    """The connector of an action's target: of all that are called so or `<so>-…`, where there are several (`Several`; what searches, or may
    not find what it made, has one). None when none is configured or can do that action."""
    if action not in ACTIONS:
        raise ContentError(
            f"操作「{action}」はありません。使える操作: {', '.join(ACTIONS)}",
            f'no action "{action}"; there are: {", ".join(ACTIONS)}',
        )
    name = target_of(action, on)
    own = {
        one: connector(target)
        for one, target in sorted(targets.items(), key=lambda item: (item[0] != name, item[0]))
        if (one == name or one.startswith(f"{name}-")) and action in kinds()[target.kind].actions
    }
    if any(_alone(one, action) for one in own.values()):
        return next(iter(own.values()))
    return Several(own, name) if own else None


def _alone(own: Connector, action: str) -> bool:
    """Whether what it finds, or may not find yet, is its own: several would have to be asked apart."""
    if isinstance(own, Searching) and own.searches(action):
        return True
    return isinstance(own, Lagging) and bool(own.unseen(action))


@dataclass(frozen=True, slots=True)
class Targets:
    """The connectors of the configuration, as the engine asks for them."""

    settings: Mapping[str, Any]

    def __call__(self, action: str, on: str = "") -> Connector | None:
        """See `of_action`."""
        return of_action(action, self.settings, on)


Connectors = Callable[[str, str], Connector | None]
