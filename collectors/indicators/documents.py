"""JSON that strangers wrote: what is not of the expected shape is passed over."""

from collections.abc import Mapping
from typing import Any


def objects(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of the list under a name; none where something else stands there."""
    held = holder.get(name)
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
