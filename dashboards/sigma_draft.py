"""A search as the draft of a Sigma rule: the same condition, ready to be given a title and tested.

Facts: Sigma rule specification 2.1. What Sigma cannot say alike (a word anywhere in the raw line together with
fields) becomes a keyword search, and the draft says so.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from hinomi import query as language
from hinomi.errors import InputError
from hinomi.query import And, Compare, Everything, Exists, Is, Node, Not, Or, Text, Within

_SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_NAMESPACE = uuid.UUID("0f5b7a52-4d0e-4f3c-9b8e-6a4d2c9c1f10")


@dataclass(slots=True)
class _Draft:
    searches: dict[str, Any] = field(default_factory=dict)

    def add(self, search: Any) -> str:
        name = f"part_{len(self.searches) + 1}"
        self.searches[name] = search
        return name

    def condition(self, node: Node, outer: bool = False) -> str:
        if isinstance(node, (And, Or)):
            word = " and " if isinstance(node, And) else " or "
            text = word.join(self.condition(part) for part in node.parts)
            return text if outer else f"({text})"
        if isinstance(node, Not):
            return f"not {self.condition(node.part)}"
        return self.add(_search(node))


def draft(text: str, datasets: Sequence[str], today: date, author: str) -> str:
    """The rule as YAML. Raises QueryError for a query that cannot be read, InputError for an empty one."""
    node = language.parse(text)
    if isinstance(node, Everything):
        raise InputError("検索式を入力してから下書きを作ってください。", "write a query first")
    made = _Draft()
    condition = made.condition(node, outer=True)
    rule = {
        "title": "Draft from a search",
        "title_ja": "検索から作った下書き",
        "id": str(uuid.uuid5(_NAMESPACE, f"{text}|{'|'.join(datasets)}")),
        "status": "experimental",
        "description": f"Made from the search: {text}",
        "author": author,
        "date": today.isoformat(),
        "logsource": _logsource(datasets),
        "detection": {**made.searches, "condition": condition},
        "falsepositives": ["Unknown"],
        "level": "medium",
    }
    return yaml.safe_dump(rule, allow_unicode=True, sort_keys=False, width=110)


def _logsource(datasets: Sequence[str]) -> dict[str, str]:
    """Our own log source: one dataset by its name, or any (a rule cannot name two)."""
    own = {"product": "hinomi"}
    return own | {"service": datasets[0]} if len(datasets) == 1 else own


def _search(node: Node) -> Any:
    if isinstance(node, Is):
        value = (
            node.value
            if node.wild
            else node.value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
        )
        return {node.field: value}
    if isinstance(node, Exists):
        return {f"{node.field}|exists": True}
    if isinstance(node, Within):
        return {f"{node.field}|cidr": str(node.network)}
    if isinstance(node, Compare):
        return {f"{node.field}|{_SIGNS[node.sign]}": _number(node.value)}
    assert isinstance(node, Text)
    return [node.value]


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"「{text}」との大小の比較は、ルールにできません(数だけができます)。",
            f'a rule compares numbers only, not "{text}"',
        ) from None
