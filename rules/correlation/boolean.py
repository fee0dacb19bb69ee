"""`and`, `or`, `not` over the rules of a temporal correlation, as one function of their counts."""

from collections.abc import Callable, Mapping

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionItem,
    CorrelationConditionNOT,
    SigmaRuleReference,
)

Holds = Callable[[Mapping[str, int]], bool]


def compiled(node: CorrelationConditionItem | SigmaRuleReference, ids: Mapping[str, str]) -> Holds:
    """The expression as a function: counts by rule id in, whether it holds out. ids: name or id → id."""
    if isinstance(node, SigmaRuleReference):
        return _seen(ids.get(node.reference, node.reference))
    parts = [compiled(part, ids) for part in node.args]
    if isinstance(node, CorrelationConditionNOT):
        return lambda counts: not parts[0](counts)
    if isinstance(node, CorrelationConditionAND):
        return lambda counts: all(part(counts) for part in parts)
    return lambda counts: any(part(counts) for part in parts)


def _seen(rule: str) -> Holds:
    return lambda counts: counts.get(rule, 0) > 0
