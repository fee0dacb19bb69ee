"""Listeners of their own kind: one file a transport, found by being in this folder.

`AnyListener` is the type of an entry under `listen:` of the configuration: one of the kinds here, or a `Listener`.
"""

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from collectors.settings import Kind, Listener, Listening
from hinomi.kinds import by_kind

__all__ = ["AnyListener", "kinds"]


@cache
def kinds() -> dict[str, type[Listening]]:
    """Every kind by name."""
    found: dict[str, type[Listening]] = {str(kind): Listener for kind in Kind}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if (
                isinstance(value, type)
                and issubclass(value, Listening)
                and value.__module__.endswith(module.name)
            ):
                (name,) = value.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
                found[str(name)] = value
    return found


if TYPE_CHECKING:
    AnyListener = Listening
else:
    AnyListener = by_kind(kinds())
