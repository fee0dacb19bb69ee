"""Listeners of their own kind: one file a transport, found by being in this folder.

`AnyListener` is the type of an entry under `listen:` of the configuration: one of the kinds here, or a `Listener`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

from collectors.settings import Kind, Listener, Listening

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


def _tag(value: Any) -> str | None:
    """What the union tells kinds apart by; in brackets, so that errors know that it is no key of the user's file."""
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    found = kinds().get(str(kind)) if kind is not None else Listener  # which says that the kind is missing
    return f"[{found.__name__}]" if found is not None else None


if TYPE_CHECKING:
    AnyListener = Listening
else:
    _choices = [Annotated[one, Tag(f"[{one.__name__}]")] for one in dict.fromkeys(kinds().values())]
    AnyListener = Annotated[
        reduce(or_, _choices),
        Discriminator(
            _tag,
            custom_error_type="unknown_kind",
            custom_error_message="unknown kind",
            custom_error_context={"expected": ", ".join(kinds())},
        ),
    ]
