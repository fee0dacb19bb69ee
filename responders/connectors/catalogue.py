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
from responders.connectors.protocol import Connector, Kind

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
    """The connector of an action's target; None when it is not configured or cannot do that action."""
    if action not in ACTIONS:
        raise ContentError(
            f"操作「{action}」はありません。使える操作: {', '.join(ACTIONS)}",
            f'no action "{action}"; there are: {", ".join(ACTIONS)}',
        )
    target = targets.get(target_of(action, on))
    if target is None or action not in kinds()[target.kind].actions:
        return None
    return connector(target)


@dataclass(frozen=True, slots=True)
class Targets:
    """The connectors of the configuration, as the engine asks for them."""

    settings: Mapping[str, Any]

    def __call__(self, action: str, on: str = "") -> Connector | None:
        """See `of_action`."""
        return of_action(action, self.settings, on)


Connectors = Callable[[str, str], Connector | None]
