"""Events made out of a rule, so that it holds, nearly holds, or nearly does not: a comparison needs rules that fire.

Nothing here decides whether a rule holds; whoever compares two opinions gives both the same event.
"""

import ipaddress
import random
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from rules.engine.expression import ANY, And, Expression, Not, Or, Search, Test
from rules.engine.routes import Route

_parser: Any = import_module("re._parser")
_FILLING = ("", "", "z", " q ", "7", "\\", "海")
KEYWORD = "message"
"""Where an event has a text that a rule looks for in any field."""
AS_WRITTEN = Route("", (), {}, "{field}")
"""A route on which fields keep the rule's own names."""


class Provoker:
    """Events of one route for rules' expressions. placeholders: values for `expand`."""

    def __init__(
        self, route: Route, seed: int, placeholders: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.route = route
        self.random = random.Random(seed)
        self.placeholders = placeholders or {}
        self.parts: dict[str, dict[str, str]] = {}

    def event(self, said: Expression) -> dict[str, str]:
        """One event, by column; sometimes with one value dropped, cut or changed."""
        self.parts = {}
        self._wish(said, self.random.random() < 0.9)
        event = {column: _text(parts) for column, parts in self.parts.items() if "absent" not in parts}
        if event and self.random.random() < 0.35:
            column = self.random.choice(sorted(event))
            event[column] = self._changed(event[column])
            if self.random.random() < 0.3:
                del event[column]
        for column, values in self.route.where:
            event[column] = values[0]
        return event

    def _changed(self, value: str) -> str:
        at = self.random.randrange(len(value) + 1)
        return self.random.choice(
            [value[:at], value[at:], f"{value[:at]}y{value[at:]}", value.swapcase(), "", f"{value} "]
        )

    def _wish(self, said: Expression, truth: bool) -> None:
        match said:
            case Search(_, arg):
                self._wish(arg, truth)
            case Not(arg):
                self._wish(arg, not truth)
            case And(args) | Or(args):
                every = isinstance(said, And) == truth
                for arg in args if every else [self.random.choice(args)] if args else []:
                    self._wish(arg, truth)
            case Test():
                if truth or self.random.random() < 0.2:
                    self._test(said)

    def _test(self, test: Test) -> None:
        column = KEYWORD if test.field is None else self.route.column(test.field)
        maker = _MAKERS.get(test.operator)
        if test.operator == "null" or test.operand is False:
            self._put(column, "absent", "")
        elif maker is not None:
            for where, text in maker(self, test.operand):
                self._put(column, where, text)
        else:
            value = self._put(self.route.column(test.operand), "whole", self.random.choice(["aB", "x", "市"]))
            around = {"starts": ("", "t"), "ends": ("h", ""), "holds": ("h", "t")}.get(
                test.operator.partition("_")[0], ("", "")
            )
            self._put(column, "whole", f"{around[0]}{value}{around[1]}")

    def _put(self, column: str, where: str, text: str) -> str:
        parts = self.parts.setdefault(column, {})
        parts[where] = parts.get(where, "") + text if where == "middle" else text
        return text

    def pattern(self, parts: Sequence[Any]) -> list[tuple[str, str]]:
        """Where a wildcard pattern's text goes in a value, and the text."""
        filled = "".join(self._part(part) for part in parts)
        open_ends = (parts[:1] == [ANY], parts[-1:] == [ANY])
        return [
            (
                {(True, True): "middle", (False, True): "start", (True, False): "end"}.get(
                    open_ends, "whole"
                ),
                filled,
            )
        ]

    def _part(self, part: Any) -> str:
        if isinstance(part, dict):
            values = self.placeholders.get(part["expand"]) or ["?"]
            return self.random.choice(list(values)).replace("*", "zz").replace("?", "z")
        if isinstance(part, str):
            return part if self.random.random() < 0.6 else part.swapcase()
        return self.random.choice(_FILLING) if part == ANY else "z"

    def regex(self, operand: Any) -> list[tuple[str, str]]:
        """A text that an expression (nearly) matches."""
        parts, _ = operand
        text = "".join(self._part(part) if isinstance(part, dict) else str(part) for part in parts)
        return [("middle", self._tree(_parser.parse(text)))]

    def _tree(self, tree: Any) -> str:
        return "".join(self._node(str(code), item) for code, item in tree)

    def _node(self, code: str, item: Any) -> str:
        if code == "LITERAL":
            return chr(item)
        if code == "IN":
            return self._one_of(item)
        if code == "BRANCH":
            return self._tree(self.random.choice(item[1]))
        if code == "SUBPATTERN":
            return self._tree(item[3])
        if code.endswith("REPEAT"):
            least, most, inner = item
            return "".join(
                self._tree(inner) for _ in range(min(int(most), int(least) + self.random.randrange(3)))
            )
        return "z" if code in ("ANY", "NOT_LITERAL") else ""

    def _one_of(self, items: Any) -> str:
        code, item = self.random.choice(items)
        known = {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}
        if str(code) == "LITERAL":
            return chr(item)
        return chr(item[0]) if str(code) == "RANGE" else known.get(str(item), "~")

    def network(self, operand: Any) -> list[tuple[str, str]]:
        """An address of a network, now and then one beside it."""
        text = operand if isinstance(operand, str) else self._part(operand[0])
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            return []
        offset = self.random.randrange(min(network.num_addresses, 1 << 16))
        return [("whole", str(network.network_address + offset))]

    def number(self, operand: Any) -> list[tuple[str, str]]:
        """A number at, above or below the bound."""
        return [("whole", str(operand + self.random.choice([-1, 0, 1, 0.5])))]

    def time(self, operand: Any) -> list[tuple[str, str]]:
        """A time whose part is near the number."""
        unit, _, number = operand
        near = max(0, int(number) + self.random.choice([-1, 0, 1]))
        said = {"year": 2026, "month": 11, "day": 23, "hour": 3, "minute": 4} | (
            {unit: near} if unit != "week" else {}
        )
        return [("whole", "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:05Z".format(**said))]


def _text(parts: Mapping[str, str]) -> str:
    if "whole" in parts:
        return parts["whole"]
    return parts.get("start", "") + parts.get("middle", "") + parts.get("end", "")


_MAKERS: dict[str, Callable[[Provoker, Any], list[tuple[str, str]]]] = {
    "is": Provoker.pattern,
    "is_cased": Provoker.pattern,
    "re": Provoker.regex,
    "cidr": Provoker.network,
    "part": Provoker.time,
    "exists": lambda _, operand: [("middle", "v")] if operand else [],
    **dict.fromkeys(("lt", "lte", "gt", "gte"), Provoker.number),
}
