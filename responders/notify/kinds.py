"""Kinds of channels: one file each in `channels/`, found by being there, with its settings and its `KIND`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from hinomi.config import Section
from responders.notify import channels as package

Send = Callable[..., None]
"""send(settings, contact, message, key): raises DependencyDown when the service did not take it."""


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """The `kind:` of its settings, and how a message is handed over."""

    name: str
    settings: type[Section]
    send: Send


@cache
def kinds() -> dict[str, ChannelKind]:
    """Every kind by its name."""
    found: dict[str, ChannelKind] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, ChannelKind):
            found[kind.name] = kind
    return found
