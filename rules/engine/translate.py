"""pySigma's condition trees as our expressions. One function a kind of value, in one table."""

from collections.abc import Callable, Iterable
from typing import Any

from sigma import conditions, types
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule

from hinomi.errors import ContentError
from rules.engine import condition
from rules.engine.expression import ANY, ONE, And, Expression, Not, Or, Search, Test
from rules.engine.modifiers import CasedReference, PlacedNetwork

Pattern = list[Any]

_SPECIAL = {types.SpecialChars.WILDCARD_MULTI: ANY, types.SpecialChars.WILDCARD_SINGLE: ONE}
_REGEX_SPECIAL = {types.SpecialChars.WILDCARD_MULTI: "*", types.SpecialChars.WILDCARD_SINGLE: "?"}
_REGEX_FLAGS = {
    types.SigmaRegularExpressionFlag.IGNORECASE: "i",
    types.SigmaRegularExpressionFlag.MULTILINE: "m",
    types.SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARISONS = {
    types.CompareOperators.LT: "lt",
    types.CompareOperators.LTE: "lte",
    types.CompareOperators.GT: "gt",
    types.CompareOperators.GTE: "gte",
}


def expression_of(rule: SigmaRule) -> Expression:
    """What a rule says; of several conditions, any. Raises SigmaError or ContentError."""
    trees = map(condition.tree, rule.detection.parsed_condition)
    args = tuple(_condition(tree) for tree in trees if tree is not None)
    if not args:
        raise ContentError("条件が空です。", "the condition is empty")
    return args[0] if len(args) == 1 else Or(args)


def _condition(tree: Any) -> Expression:
    said = _said(tree)
    name = _name(tree)
    return said if name is None else Search(name, said)


def _name(tree: Any) -> str | None:
    """What the condition calls this part, where it is the whole of a search."""
    above = tree.parent
    while isinstance(above, SigmaDetection | SigmaDetectionItem):
        above = above.parent
    return above.identifier if isinstance(above, conditions.ConditionIdentifier) else None


def _said(tree: Any) -> Expression:
    match tree:
        case condition.Nothing():
            return Or(())
        case conditions.ConditionAND(args=args):
            return And(tuple(_condition(arg) for arg in args if arg is not None))
        case conditions.ConditionOR(args=args):
            return Or(tuple(_condition(arg) for arg in args if arg is not None))
        case conditions.ConditionNOT(args=args):
            return Not(_condition(args[0]))
        case conditions.ConditionFieldEqualsValueExpression(field=field, value=value):
            return _value(field, value)
        case conditions.ConditionValueExpression(value=value):
            return _value(None, value)
    raise ContentError(
        f"条件の形を扱えません({type(tree).__name__})。", f"cannot use the condition {type(tree).__name__}"
    )


def _value(field: str | None, value: types.SigmaType) -> Expression:
    for kind, translate in _KINDS:
        if isinstance(value, kind):
            return translate(field, value)
    raise ContentError(
        f"値の種類を扱えません({type(value).__name__})。", f"cannot use the value {type(value).__name__}"
    )


def pattern_of(parts: Iterable[Any], special: dict[Any, Any] = _SPECIAL) -> Pattern:
    """The parts of a SigmaString as JSON values, neighbouring texts joined."""
    pattern: Pattern = []
    for part in parts:
        item = {"expand": part.name} if isinstance(part, types.Placeholder) else special.get(part, part)
        if isinstance(item, str) and pattern and isinstance(pattern[-1], str):
            pattern[-1] += item
        elif item != "":
            pattern.append(item)
    return pattern


def _string(field: str | None, value: types.SigmaString) -> Expression:
    return Test(field, "is", pattern_of(value.s))


def _cased(field: str | None, value: types.SigmaCasedString) -> Expression:
    return Test(field, "is_cased", pattern_of(value.s))


def _number(field: str | None, value: types.SigmaNumber) -> Expression:
    return Test(field, "is", [str(value.number)])


def _number_of(value: types.SigmaNumber) -> int | float:
    """The number as JSON holds it: whole numbers beyond 64 bits as floats."""
    number: int | float = value.number
    return float(number) if isinstance(number, int) and not -(2**63) <= number < 2**63 else number


def _boolean(field: str | None, value: types.SigmaBool) -> Expression:
    return Test(field, "is", ["true" if value.boolean else "false"])


def _part(field: str | None, value: types.SigmaTimestampPart) -> Expression:
    return Test(field, "part", [value.timestamp_part.name.lower(), "eq", _number_of(value)])


def _regex(field: str | None, value: types.SigmaRegularExpression) -> Expression:
    flags = "".join(sorted(_REGEX_FLAGS[flag] for flag in value.flags))
    return Test(field, "re", [pattern_of(value.regexp.s, _REGEX_SPECIAL), flags])


def _compare(field: str | None, value: types.SigmaCompareExpression) -> Expression:
    if value.op == types.CompareOperators.NEQ:
        return Not(_value(field, value.number))
    comparison, number = _COMPARISONS[value.op], value.number
    if isinstance(number, types.SigmaTimestampPart):
        return Test(field, "part", [number.timestamp_part.name.lower(), comparison, _number_of(number)])
    return Test(field, comparison, _number_of(number))


def _reference(field: str | None, value: types.SigmaFieldReference) -> Expression:
    names = {(True, True): "holds", (True, False): "starts", (False, True): "ends", (False, False): "same"}
    cased = "_cased" if isinstance(value, CasedReference) else ""
    return Test(field, names[value.starts_with, value.ends_with] + cased, value.field)


def _expansion(field: str | None, value: types.SigmaExpansion) -> Expression:
    return Or(tuple(_value(field, item) for item in value.values))


_KINDS: list[tuple[type, Callable[[str | None, Any], Expression]]] = [
    (types.SigmaExpansion, _expansion),
    (types.SigmaCasedString, _cased),
    (types.SigmaString, _string),
    (types.SigmaTimestampPart, _part),
    (types.SigmaNumber, _number),
    (types.SigmaBool, _boolean),
    (types.SigmaNull, lambda field, _: Test(field, "null", None)),
    (types.SigmaExists, lambda field, value: Test(field, "exists", value.exists)),
    (types.SigmaRegularExpression, _regex),
    (PlacedNetwork, lambda field, value: Test(field, "cidr", pattern_of(value.text.s, _REGEX_SPECIAL))),
    (types.SigmaCIDRExpression, lambda field, value: Test(field, "cidr", str(value.network))),
    (types.SigmaCompareExpression, _compare),
    (types.SigmaFieldReference, _reference),
]
"""Special kinds stand before the kinds that they derive from."""
