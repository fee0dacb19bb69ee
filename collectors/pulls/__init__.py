"""Pulling logs from SaaS: one file a service or queue, found by being in this folder.

`AnyPull` is the type of an entry under `pull:` of the configuration.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, get_args

from collectors.pulls.api import Api
from collectors.pulls.pull import ApiPull, Cursor, Page, Pull
from hinomi.kinds import by_kind

__all__ = ["AnyPull", "Api", "ApiPull", "Cursor", "Page", "Pull", "kinds"]


def kinds() -> dict[str, type[Pull]]:
    """Every kind by name."""
    found: dict[str, type[Pull]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name in {"run", "client"}:  # need more than the configuration does
            continue
        for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Pull):
                found |= dict.fromkeys(get_args(value.model_fields["kind"].annotation), value)
    return dict(sorted(found.items()))


if TYPE_CHECKING:
    AnyPull = Pull
else:
    AnyPull = by_kind(kinds())
