"""Parameters of Google's activity events: names with one of several kinds of value, some of them nested.

Facts: Google, Admin SDK "Reports API: Activities" (`events[].parameters[]` with `value`, `multiValue`, `intValue`,
`boolValue`, `messageValue`, `multiMessageValue`).
"""

from collections.abc import Mapping
from typing import Any

from collectors.records import items


def parameters(event: Any, of: str = "parameters") -> dict[str, Any]:
    """Parameters by name, each with the value that its type holds; a name that comes twice counts once."""
    found: dict[str, Any] = {}
    for one in items(event, of):
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            values = (value for name, value in one.items() if name.lower().endswith("value"))
            found.setdefault(one["name"], next(values, None))
    return found


def inside(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The parameters of a nested message."""
    return parameters(given.get(name), "parameter")


def each_inside(given: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The parameters of each of several nested messages."""
    values = given.get(name)
    return [parameters(one, "parameter") for one in values] if isinstance(values, list) else []


def said(given: Mapping[str, Any], *names: str) -> str | None:
    """The first of these parameters that holds a text."""
    texts = (given.get(name) for name in names)
    return next((value for value in texts if isinstance(value, str) and value not in ("", "-")), None)


def first_said(given: Mapping[str, Any], *names: str) -> str | None:
    """The same of parameters that may hold several texts (`multiValue`): the first of them."""
    held = {name: value[0] if isinstance(value, list) and value else value for name, value in given.items()}
    return said(held, *names)
