"""Pulling logs from SaaS: one file a service, found by being in this folder.

`AnyPull` is the type of an entry under `pull:` of the configuration.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

from collectors.pulls.api import Api
from collectors.pulls.pull import Cursor, Page, Pull
from hinomi.kinds import by_kind

__all__ = ["AnyPull", "Api", "Cursor", "Page", "Pull", "kinds"]


def kinds() -> dict[str, type[Pull]]:
    """Every kind by name."""
    found: dict[str, type[Pull]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name == "run":  # needs more than the configuration does
            continue
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Pull) and value is not Pull:
                found[_name(value)] = value
    return dict(sorted(found.items()))


def _name(kind: type[Pull]) -> str:
    (name,) = kind.model_fields["kind"].annotation.__args__  # type: ignore[union-attr]
    return str(name)


if TYPE_CHECKING:
    AnyPull = Pull
else:
    AnyPull = by_kind(kinds())
