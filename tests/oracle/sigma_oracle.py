"""Sigma, evaluated slowly and obviously: one rule (as YAML reads it) against one event (a flat mapping).

It reads like the specification and shares nothing with the engine: no pySigma, no Hyperscan, no columns.
An event maps dotted fields to str, int, float, bool, None or a list of texts; absent and None are alike.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.oracle.sigma_values import COMPARE, UNITS, compares, expanded, forms, number, part, rendered

Event = Mapping[str, Any]
OURS = re.compile(
    r"event\.(id|dataset|module|kind|category|type|outcome)|observer\.(vendor|product|type)"
    r"|cloud\.(provider|service\.name)|(service|orchestrator)\.type|network\.(direction|transport)|winlog\.logon\.type"
    r"|(related|user\.staff|host\.asset|hinomi\.indicator|threat\.(indicator|feed))\..*"
    r"|.*\.(zone|geo\.country_iso_code|geo\.location)"
)
"""Fields in which Hinomi says something of an event: a keyword searches what the event says itself."""


class Renamed(dict[str, Any]):
    """An event whose fields a rule knows under other names."""

    def __init__(self, event: Event, column: Callable[[str], str]) -> None:
        super().__init__(event)
        self.column = column

    def get(self, key: str, default: Any = None) -> Any:
        """The first of the columns `a|b` that has a value."""
        held = (super(Renamed, self).get(column) for column in self.column(key).split("|"))
        return next((value for value in held if value is not None), default)


def holds(rule: Mapping[str, Any], event: Event, placeholders: Mapping[str, list[str]] | None = None) -> bool:
    """Whether any condition of the rule is true of the event."""
    detection = dict(rule["detection"])
    conditions = detection.pop("condition")
    truth = {
        name: lambda body=body: search(body, event, placeholders or {}) for name, body in detection.items()
    }
    conditions = conditions if isinstance(conditions, list) else [conditions]
    return any(condition(text, truth) for text in conditions)


def condition(text: str, truth: Mapping[str, Callable[[], bool]]) -> bool:
    """`not`, `and`, `or` and brackets bind as Python's do; a search, or a number of searches, is its truth."""

    def said(word: re.Match[str]) -> str:
        quantifier, pattern, name = word.groups()
        if name in ("not", "and", "or"):
            return name
        if name:
            return str(truth[name]())
        wanted = ".*" if pattern == "them" else pattern.replace("*", ".*")
        named = [name for name in truth if re.fullmatch(wanted, name) and not name.startswith("_")]
        return str((all if quantifier == "all" else any)(truth[name]() for name in named))

    truths = re.sub(r"(1|any|all) +of +([^\s()]+)|([^\s()]+)", said, text)
    return bool(eval(truths))  # True, False, not, and, or and brackets are all there is


def search(body: Any, event: Event, placeholders: Mapping[str, list[str]]) -> bool:
    """A map: all items; a list of maps: any; values without a field: keywords, any."""
    if isinstance(body, dict):
        return all(item(key, value, event, placeholders) for key, value in body.items())
    if isinstance(body, list) and any(isinstance(part, dict | list) for part in body):
        return any(search(part, event, placeholders) for part in body)
    return item("", body, event, placeholders)


def item(key: str, value: Any, event: Event, placeholders: Mapping[str, list[str]]) -> bool:
    """`field|modifier|…: value or list of values`."""
    field, *modifiers = key.split("|")
    values = value if isinstance(value, list) else [value]
    if not values:
        values = [None]
    results = (any(tests(field, one, modifiers, event, placeholders)) for one in values)
    found = all(results) if "all" in modifiers else any(results)
    return not found if "neq" in modifiers else found


def tests(
    field: str, value: Any, modifiers: list[str], event: Event, placeholders: Mapping[str, list[str]]
) -> Iterator[bool]:
    """The truth of every form that the modifiers make of one value."""
    seen = held(field, event)
    if "exists" in modifiers:
        yield bool(seen) == value
    elif value is None:
        yield not seen
    elif "fieldref" in modifiers:
        alike = (lambda text: text) if "cased" in modifiers else fold
        others = held(value, event)
        yield any(refers(alike(own), alike(other), modifiers) for own in seen for other in others)
    elif "re" in modifiers:
        flags = sum({"i": re.I, "m": re.M, "s": re.S}.get(name, 0) for name in modifiers)
        for text in expanded(value, modifiers, placeholders):
            yield any(re.search(text, own, flags) for own in seen)
    elif "cidr" in modifiers:
        yield any(within(own, ipaddress.ip_network(value)) for own in seen)
    elif unit := next((name for name in UNITS if name in modifiers), None):
        comparison = next((name for name in COMPARE if name in modifiers), "eq")
        yield any(compares(part(own, unit), comparison, value) for own in seen)
    elif comparison := next((name for name in COMPARE if name in modifiers), ""):
        yield any(compares(number(own), comparison, value) for own in seen)
    else:
        for text in forms(value, modifiers, placeholders):
            yield any(like(own, text, modifiers, keyword=not field) for own in seen)


def held(field: str, event: Event) -> list[str]:
    """The texts of a field; where none is named, of every textual field that is the event's own."""
    if not field:
        names = [name for name in event if isinstance(event[name], str | list) and not OURS.fullmatch(name)]
        return [text for name in names for text in texts(event[name])]
    return texts(event.get(field))


def texts(value: Any) -> list[str]:
    return [rendered(one) for one in (value if isinstance(value, list) else [value]) if one is not None]


def fold(text: str) -> str:
    """Unicode simple case folding, letter by letter (İ is i and a dot)."""
    return "".join(_fold(letter) for letter in text)


def _fold(letter: str) -> str:
    if letter == "İ":
        return "i̇"
    full = letter.casefold()
    return full.lower() if len(full) == 1 else letter.lower()


def like(own: str, text: str, modifiers: list[str], *, keyword: bool) -> bool:
    """A value against a text with wildcards, as a whole or where the modifiers say."""
    cased = "cased" in modifiers
    wanted = wildcard(text, (lambda t: t) if cased else fold)
    if keyword or "contains" in modifiers:
        wanted = f".*{wanted}.*"
    if "startswith" in modifiers:
        wanted = f"{wanted}.*"
    if "endswith" in modifiers:
        wanted = f".*{wanted}"
    return re.fullmatch(wanted, own if cased else fold(own), re.S) is not None


def wildcard(text: str, folded: Callable[[str], str]) -> str:
    """`*` any run, `?` one character; a backslash escapes these and itself, else it is itself."""
    tokens = re.findall(r"\\[*?\\]|[*?]|.", text, re.S)
    special = {"*": ".*", "?": "."}
    return "".join(special.get(t, re.escape(folded(t[-1] if len(t) == 2 else t))) for t in tokens)


def refers(own: str, other: str, modifiers: list[str]) -> bool:
    if "contains" in modifiers:
        return other in own
    if "startswith" in modifiers:
        return own.startswith(other)
    return own.endswith(other) if "endswith" in modifiers else own == other


def within(text: str, network: Any) -> bool:
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:
        return False
