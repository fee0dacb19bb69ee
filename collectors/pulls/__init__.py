"""Pulling logs from SaaS: one file a service or queue, found by being in this folder.

`AnyPull` is the type of an entry under `pull:` of the configuration.
"""

from typing import TYPE_CHECKING

from collectors.pulls.api import Api
from collectors.pulls.pull import ApiPull, Cursor, Page, Pull
from hinomi.kinds import by_kind, models_in

__all__ = ["AnyPull", "Api", "ApiPull", "Cursor", "Page", "Pull", "kinds"]


def kinds() -> dict[str, type[Pull]]:
    """Every kind by name."""
    found = models_in(
        __name__, Pull, besides={"run", "client"}
    )  # which need more than the configuration does
    return dict(sorted(found.items()))


if TYPE_CHECKING:
    AnyPull = Pull
else:
    AnyPull = by_kind(kinds())
