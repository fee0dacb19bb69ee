"""Windows event XML read into the EVTX form of document.

Only what the event schema has: System, EventData, UserData, RenderingInfo. A document type
declaration is refused, so entities cannot be defined, let alone expand.
"""

from typing import Any
from xml.etree import ElementTree

_LONGEST = 4_000_000


def document(line: str) -> dict[str, Any] | None:
    """`{"Event": …}` of one event's XML; None where it is not one."""
    start = line.find("<Event")
    if start < 0 or len(line) > _LONGEST or "<!" in line:
        return None
    try:
        root = ElementTree.fromstring(line[start:])  # noqa: S314 - no DTD gets here
    except ElementTree.ParseError:
        return None
    if _local(root.tag) != "Event":
        return None
    event: dict[str, Any] = {}
    for part in root:
        name = _local(part.tag)
        event[name] = _data(part) if name == "EventData" else _children(part)
    return {"Event": event} if isinstance(event.get("System"), dict) else None


def children(text: str) -> dict[str, Any]:
    """What stands inside one XML element, such as the text of UserData; empty where it cannot be read."""
    if len(text) > _LONGEST or "<!" in text:
        return {}
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no DTD gets here
    except ElementTree.ParseError:
        return {}
    return _children(root) if _local(root.tag) == "UserData" else {_local(root.tag): _value(root, 8)}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _children(node: ElementTree.Element, depth: int = 8) -> dict[str, Any]:
    return {_local(child.tag): _value(child, depth) for child in node}


def _value(node: ElementTree.Element, depth: int) -> Any:
    if len(node) and depth:
        return _children(node, depth - 1)
    if node.attrib and _local(node.tag) != "Data":
        attributes = {"#attributes": dict(node.attrib)}
        return {**attributes, "#text": node.text} if node.text else attributes
    return node.text


def _data(node: ElementTree.Element) -> dict[str, Any]:
    """Named values by name, unnamed ones in order under `Data`."""
    values: dict[str, Any] = {}
    unnamed: list[str | None] = []
    for child in node:
        if (name := child.get("Name")) is not None:
            values[name] = child.text
        elif _local(child.tag) == "Data":
            unnamed.append(child.text)
        else:
            values[_local(child.tag)] = _value(child, 4)
    return {**values, "Data": unnamed} if unnamed else values
