"""Conditions of a playbook: comparisons over facts of the incident and answers of people, and nothing else.

`grade >= 2 and ('lgwan' in zones or answers.encrypted == 'yes')`. Python's syntax is read, never executed: only and,
or, not, comparisons, names from FACTS, `answers.<name>`, text, whole numbers, true and false.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hinomi.errors import ContentError

FACTS = (
    "grade",
    "level",
    "zones",
    "tags",
    "rules",
    "users",
    "hosts",
    "addresses",
    "alerts",
    "closed_day",
    "hour",
)
"""grade 0–3; level: Sigma's; zones, tags, rules (names), users, hosts, addresses: lists; alerts: how many; closed_day:
whether offices are closed; hour: 0–23 in Japan."""
_LONGEST, _DEEPEST = 300, 12


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read and found good."""

    text: str
    tree: ast.expr

    @property
    def asks(self) -> set[str]:
        """Names of the answers that it needs: empty when the incident alone decides."""
        return {
            node.attr
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }

    def holds(self, facts: Mapping[str, Any], answers: Mapping[str, str]) -> bool:
        """Whether it holds; an answer that nobody gave is an empty text."""
        return bool(_value(self.tree, facts, answers))


def read(text: str) -> Condition:
    """Raises ContentError for anything but a condition."""
    if len(text) > _LONGEST:
        raise _bad(f"{_LONGEST} 字より長い", f"longer than {_LONGEST} characters")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _bad("式として読めません", "not an expression") from None
    _check(tree, 0)
    return Condition(text, tree)


def _bad(ja: str, en: str) -> ContentError:
    return ContentError(
        f"条件を使えません({ja})。使える名前: {', '.join(FACTS)}, answers.<名前>",
        f"not a usable condition: {en}; names are {', '.join(FACTS)}, answers.<name>",
    )


def _check(node: ast.AST, depth: int) -> None:
    if depth > _DEEPEST:
        raise _bad("入れ子が深い", "nested too deeply")
    if isinstance(node, ast.Name) and node.id not in FACTS:
        raise _bad(f"「{node.id}」は知らない名前です", f'unknown name "{node.id}"')
    if isinstance(node, ast.Attribute):
        if not (isinstance(node.value, ast.Name) and node.value.id == "answers"):
            raise _bad("answers. だけに続きを書けます", "only answers. has parts")
        return
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int):
        raise _bad("文字列か整数だけ使えます", "only text and whole numbers")
    if not isinstance(node, _ALLOWED):
        raise _bad(f"{type(node).__name__} は使えません", f"{type(node).__name__} is not allowed")
    for child in ast.iter_child_nodes(node):
        _check(child, depth + 1)


_ALLOWED = (
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Name,
    ast.Load,
    ast.Constant,
)


def _value(node: ast.expr, facts: Mapping[str, Any], answers: Mapping[str, str]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return facts[node.id]
        case ast.Attribute():
            return answers.get(node.attr, "")
        case ast.UnaryOp():
            return not _value(node.operand, facts, answers)
        case ast.BoolOp(op=ast.And()):
            return all(_value(one, facts, answers) for one in node.values)
        case ast.BoolOp():
            return any(_value(one, facts, answers) for one in node.values)
        case ast.Compare():
            return _compared(node, facts, answers)
    raise AssertionError(type(node))


def _compared(node: ast.Compare, facts: Mapping[str, Any], answers: Mapping[str, str]) -> bool:
    left = _value(node.left, facts, answers)
    for operator, other in zip(node.ops, node.comparators, strict=True):
        right = _value(other, facts, answers)
        if not _holds(operator, left, right):
            return False
        left = right
    return True


def _holds(operator: ast.cmpop, left: Any, right: Any) -> bool:
    """Values of different kinds are unequal and in no order: a typing mistake never raises in the night."""
    try:
        match operator:
            case ast.Eq():
                return bool(left == right)
            case ast.NotEq():
                return bool(left != right)
            case ast.In():
                return left in right
            case ast.NotIn():
                return left not in right
            case ast.Lt():
                return bool(left < right)
            case ast.LtE():
                return bool(left <= right)
            case ast.Gt():
                return bool(left > right)
            case _:
                return bool(left >= right)
    except TypeError:
        return False
