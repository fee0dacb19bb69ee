"""A correlation document read by pySigma, which knows one bound of a condition: of a range (`gt: 100, lte: 200`) it gets the first.

What the condition asks in full stands in the document (`bounds`).
"""

from collections.abc import Mapping
from typing import Any

from sigma.correlations import SigmaCorrelationConditionOperator, SigmaCorrelationRule
from sigma.exceptions import SigmaCorrelationConditionError

_OPERATORS = frozenset(SigmaCorrelationConditionOperator.operators())


def read(document: Mapping[str, Any]) -> SigmaCorrelationRule:
    """The correlation. Raises SigmaError."""
    written = bounds(document)
    for operator, bound in written.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise SigmaCorrelationConditionError(f"'{operator}: {bound}' is not a number")
    if len(written) < 2:
        return SigmaCorrelationRule.from_dict(dict(document))
    body = document["correlation"]
    left = dict(list(written.items())[1:])
    condition = {key: value for key, value in body["condition"].items() if key not in left}
    return SigmaCorrelationRule.from_dict({**document, "correlation": {**body, "condition": condition}})


def bounds(document: Mapping[str, Any]) -> dict[str, Any]:
    """By operator the bounds that a condition asks of its figure; none of a condition of and, or, not, or where there is none."""
    body = document.get("correlation")
    condition = body.get("condition") if isinstance(body, Mapping) else None
    if not isinstance(condition, Mapping):
        return {}
    return {key: value for key, value in condition.items() if key in _OPERATORS}
