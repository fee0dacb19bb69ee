"""What can only mean one thing, respelt so that pySigma takes it.

Sigma lets the generic modifiers stand with values of every type, YAML turns some texts into numbers, truths
and dates, and rules in use write operators in capitals or `startswith|fieldref`. pySigma refuses these; here
they are put in the form that it reads. What has no single meaning stays as it is, for pySigma to refuse.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from rules.engine import regex_form

_TEXTUAL = frozenset(
    [
        "contains",
        "startswith",
        "endswith",
        "cased",
        "windash",
        "re",
        "base64",
        "base64offset",
        "wide",
        "utf16",
        "utf16le",
        "utf16be",
    ]
)
COMPARED = frozenset(["lt", "lte", "gt", "gte"])
PARTS = frozenset(["minute", "hour", "day", "week", "month", "year"])
_NUMERIC = COMPARED | PARTS
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_OPERATORS = re.compile(r"[^\s()]+")
_WORDS = frozenset({"AND", "OR", "NOT", "OF", "THEM", "ALL", "ANY"})
_FIRST = {"fieldref": 0, "re": 0}
_NETWORKS = {"expand": 0, "cidr": 1}


def respelt(detection: Any) -> Any:
    """A detection section (or a filter's) with every search and condition respelt; anything else unchanged."""
    if not isinstance(detection, dict):
        return detection
    names = {str(name) for name in detection}
    return {
        name: _conditions(body, names) if name == "condition" else _search(body)
        for name, body in detection.items()
    }


def respelt_in(document: dict[str, Any], section: str) -> dict[str, Any]:
    """The document with this section of it respelt."""
    return {**document, section: respelt(document[section])} if section in document else document


def _conditions(said: Any, names: set[str]) -> Any:
    if isinstance(said, list):
        return [_conditions(one, names) for one in said]
    if not isinstance(said, str):
        return said
    return _OPERATORS.sub(lambda word: _lower(word[0], names), said)


def _lower(word: str, names: set[str]) -> str:
    return word.lower() if word in _WORDS and word not in names else word


def _search(body: Any) -> Any:
    if isinstance(body, Mapping):
        return dict(item(key, value) for key, value in body.items())
    if isinstance(body, list):
        return [_search(part) for part in body]
    return _plain(body)


def item(key: Any, value: Any) -> tuple[Any, Any]:
    """One field (`field|modifier|…`) and its value or values, respelt."""
    if not isinstance(key, str):
        return key, value
    field, *modifiers = key.split("|")
    if "re" in modifiers and "i" not in modifiers:
        modifiers = [name for name in modifiers if name != "cased"]  # as expressions are
    rank = _NETWORKS if "cidr" in modifiers else _FIRST
    ordered = sorted(modifiers, key=lambda name: rank.get(name, 2))
    if isinstance(value, list):
        return "|".join([field, *ordered]), [_value(one, set(modifiers)) for one in value]
    return "|".join([field, *ordered]), _value(value, set(modifiers))


def _value(value: Any, modifiers: set[str]) -> Any:
    if isinstance(value, bool | int | float) and modifiers & _TEXTUAL:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str) and "re" in modifiers:
        return regex_form.alike(value)
    if isinstance(value, str) and modifiers & _NUMERIC and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    if isinstance(value, str) and "exists" in modifiers:
        return {"true": True, "false": False}.get(value.lower(), value)
    return _plain(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
