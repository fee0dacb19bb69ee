"""What a rule says, as plain values: the form between pySigma and the compiled program.

A condition is a tree of And, Or, Not over searches (its named parts) and tests; a test is a field (None for a keyword), an operator and
an operand of plain JSON values, so that the whole tree is cached as JSON and never as pickled objects.

| operator | operand |
|---|---|
| `is`, `is_cased` | pattern: list of texts, ANY (1), ONE (0) and {"expand": name} |
| `re` | [pattern with placeholders as above, flags out of "ims"] |
| `cidr` | network, `192.0.2.0/24`, or [text with placeholders as above] |
| `lt`, `lte`, `gt`, `gte` | number |
| `null` | None |
| `exists` | bool |
| `same`, `starts`, `ends`, `holds` | other field; with `_cased` behind them case counts |
| `part` | [part of time, comparison, number] |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

ANY = 1
ONE = 0

REFERENCES = frozenset(
    f"{name}{cased}" for name in ("same", "starts", "ends", "holds") for cased in ("", "_cased")
)


@dataclass(frozen=True, slots=True)
class Test:
    """One field compared with one operand."""

    __test__ = False  # not for pytest to collect

    field: str | None
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not this. Two-valued: what is absent does not match, so its negation does."""

    arg: "Expression"


@dataclass(frozen=True, slots=True)
class Search:
    """What the condition calls by this name; a filter's condition goes by `filter: ` and its title."""

    name: str
    arg: "Expression"


Expression = And | Or | Not | Search | Test

_NAMES: dict[str, Callable[[tuple[Expression, ...]], Expression]] = {"and": And, "or": Or}


def dump(expression: Expression) -> list[Any]:
    """The tree as JSON values."""
    match expression:
        case And(args):
            return ["and", *map(dump, args)]
        case Or(args):
            return ["or", *map(dump, args)]
        case Not(arg):
            return ["not", dump(arg)]
        case Search(name, arg):
            return ["search", name, dump(arg)]
        case Test(field, operator, operand):
            return ["test", field, operator, operand]


def load(data: list[Any]) -> Expression:
    """The tree from JSON values. Raises ValueError for what `dump` never writes."""
    kind, *rest = data
    if kind in _NAMES:
        return _NAMES[kind](tuple(map(load, rest)))
    if kind == "not":
        return Not(load(rest[0]))
    if kind == "search":
        return Search(rest[0], load(rest[1]))
    if kind == "test":
        return Test(*rest)
    raise ValueError(f"no such expression: {kind}")


def text(expression: Expression) -> str:
    """The tree as one JSON text: a fiftieth of the objects, and compared in one step."""
    return orjson.dumps(dump(expression)).decode()


def of_text(said: str) -> Expression:
    """The tree of `text`."""
    return load(orjson.loads(said))


def tests(expression: Expression) -> Iterator[Test]:
    """Every test of the tree."""
    match expression:
        case Test():
            yield expression
        case Not(arg) | Search(_, arg):
            yield from tests(arg)
        case And(args) | Or(args):
            for arg in args:
                yield from tests(arg)
