"""A vendor's text compared with a number, in indices of before form 2 of the templates (`schema.FORM`).

A text stands once more as a number under `x.~number`; before, it did so under `x.number`. Indices keep the names that they
were made with, so both are asked. In an index of now `x.number` can be a vendor's own text, whose order is that of its
signs: the bounds are written so that as texts none lies between them.
"""

import sys

from hinomi import ecs
from hinomi.query import Comparison

SIGNS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
"""What Elasticsearch's `range` calls a comparison."""
_MOST = repr(sys.float_info.max)


def before(name: str, sign: Comparison, number: float) -> tuple[str, dict[str, str]] | None:
    """The earlier field with its range in the words of Elasticsearch's `range`; None: there was none, or under a name that is
    ECS's."""
    field = f"{name}.number"
    return (field, _bounds(sign, float(number))) if ecs.several(name) and field not in ecs.fields() else None


def _bounds(sign: Comparison, number: float) -> dict[str, str]:
    """As numbers what the sign says, as texts nothing: `+` comes before `-`, and both before the digits."""
    text = repr(number)
    if sign in {">", ">="}:
        return {SIGNS[sign]: text, "lte": f"+{_MOST}"}
    return {"gte": f"-{_MOST}", SIGNS[sign]: f"-0{text[1:]}" if number < 0 else f"+{text}"}
