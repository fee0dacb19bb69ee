"""Listeners of their own kind: one file a transport, found by being in this folder.

`AnyListener` is the type of an entry under `listen:` of the configuration: one of the kinds here, or a `Listener`.
"""

from functools import cache
from typing import TYPE_CHECKING

from collectors.settings import Kind, Listener, Listening
from hinomi.kinds import by_kind, models_in

__all__ = ["AnyListener", "kinds"]


@cache
def kinds() -> dict[str, type[Listening]]:
    """Every kind by name."""
    return {**{str(kind): Listener for kind in Kind}, **models_in(__name__, Listening)}


if TYPE_CHECKING:
    AnyListener = Listening
else:
    AnyListener = by_kind(kinds())
