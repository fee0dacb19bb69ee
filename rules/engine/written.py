"""A test's operand as Sigma writes it, for people."""

import re
from typing import Any

from rules.engine.expression import ANY, Test


def written(test: Test) -> str:
    """`*\\cmd.exe`, `/a.c/i`, `>= 5`, `10.0.0.0/8`, `hour >= 9`, `null`, the other field's name."""
    operand = test.operand
    match test.operator:
        case "is" | "is_cased":
            return "".join(map(_part, operand))
        case "re":
            return f"/{''.join(_plain(part) for part in operand[0])}/{operand[1]}"
        case "part":
            return f"{operand[0]} {_SIGNS[operand[1]]} {operand[2]}"
        case "null":
            return "null"
        case "exists":
            return "true" if operand else "false"
    return f"{_SIGNS[test.operator]} {operand}" if test.operator in _SIGNS else str(operand)


_SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def _part(part: Any) -> str:
    if isinstance(part, str):
        return re.sub(r"\\(?=[*?\\]|$)|[*?]", lambda found: f"\\{found[0]}", part)
    return _plain(part)


def _plain(part: Any) -> str:
    if isinstance(part, dict):
        return f"%{part['expand']}%"
    return part if isinstance(part, str) else "*" if part == ANY else "?"
