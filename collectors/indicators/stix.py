"""STIX 2.1 bundles and TAXII envelopes: indicators whose pattern compares values, joined by OR.

Patterns: OASIS STIX 2.1, 9. A pattern that needs two things at once (AND, FOLLOWEDBY) names no single value; looking
for its parts would cry wolf, so it is refused and counted, as are other pattern languages.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.indicators.documents import objects
from collectors.indicators.indicator import Indicator, Kind, Refused, Stated

_KINDS = {
    "ipv4-addr:value": Kind.ADDRESS,
    "ipv6-addr:value": Kind.ADDRESS,
    "domain-name:value": Kind.DOMAIN,
    "url:value": Kind.URL,
    "email-addr:value": Kind.EMAIL,
    "email-message:from_ref.value": Kind.EMAIL,
    "email-message:sender_ref.value": Kind.EMAIL,
}
_TEST = re.compile(
    r"(?P<path>[\w-]+:[\w.'\[\]\-*]+)\s*(?P<operator>=|IN|LIKE|MATCHES|!=|ISSUBSET|>=|<=|>|<)\s*"
    r"(?P<values>\((?:\s*'(?:[^'\\]|\\.)*'\s*,?)+\)|'(?:[^'\\]|\\.)*'|[\w.:-]+)"
)
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_MOST = 100_000  # characters of a pattern


def indicators(
    document: Mapping[str, Any], source: str, confidence: int, now: datetime
) -> Iterator[Indicator | Refused | Stated]:
    """Indicators of a bundle or envelope as they stand there, which objects they are of, and why others are not taken."""
    names = {
        str(one.get("id")): str(one.get("name") or "")
        for one in objects(document, "objects")
        if one.get("type") == "identity"
    }
    for one in objects(document, "objects"):
        if one.get("type") == "indicator":
            yield from _of_object(
                one, names.get(str(one.get("created_by_ref")), "") or source, confidence, now
            )


def _of_object(
    one: Mapping[str, Any], source: str, confidence: int, now: datetime
) -> Iterator[Indicator | Refused | Stated]:
    version = moment(one.get("modified")) or moment(one.get("created")) or now
    reference = str(one.get("id") or "")[:200]
    if reference:
        yield Stated(reference, version)
    if one.get("revoked") is True:
        yield Refused("revoked")
        return
    if one.get("pattern_type", "stix") != "stix":
        yield Refused("other_pattern_language")
        return
    given = one.get("confidence")
    sure = given if isinstance(given, int) and 0 <= given <= 100 else confidence
    since, until = moment(one.get("valid_from")) or now, moment(one.get("valid_until"))
    about = str(one.get("name") or one.get("description") or "")[:300]
    for found in values(str(one.get("pattern") or "")):
        if isinstance(found, Refused):
            yield found
        else:
            yield Indicator(*found, source, sure, since, until, about, reference=reference, modified=version)


def values(pattern: str) -> Iterator[tuple[Kind, str] | Refused]:
    """(kind, value) of each comparison of a pattern, each enough by itself."""
    bare = _TEXT.sub("''", pattern[:_MOST])
    if re.search(r"\b(AND|FOLLOWEDBY|NOT|REPEATS)\b", bare):
        yield Refused("pattern_of_several")
        return
    found = False
    for test in _TEST.finditer(pattern[:_MOST]):
        found = True
        kind, operator = _kind(test["path"]), test["operator"]
        if kind is None or operator not in ("=", "IN", "ISSUBSET"):
            yield Refused("pattern_not_supported")
            continue
        for value in _TEXT.findall(test["values"]):
            yield kind, value.replace("\\'", "'").replace("\\\\", "\\")
    if not found:
        yield Refused("pattern_not_supported")


def _kind(path: str) -> Kind | None:
    if path.startswith("file:hashes."):
        return Kind.FILE
    return _KINDS.get(path)


def moment(value: object) -> datetime | None:
    """A STIX timestamp; None where it is none."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo else None
