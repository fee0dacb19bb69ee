"""What Sigma's encodings, dashes and placeholders make of one value, and what of a text is a number or a part of a date:
the slow evaluator's own, from the definitions."""

import base64
import itertools
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

DASHES = "-/–—―"


TEXTUAL = {
    "contains",
    "startswith",
    "endswith",
    "cased",
    "windash",
    "base64",
    "base64offset",
    "wide",
    "utf16",
}


def written(value: Any) -> str:
    """A value as a rule writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def rendered(value: Any) -> str:
    """The one text of a value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value)


def forms(value: Any, modifiers: list[str], placeholders: Mapping[str, list[str]]) -> list[str]:
    """The texts (still with wildcards) that encoding, dashes and placeholders make of one value."""
    made = [written(value) if TEXTUAL & {*modifiers} else rendered(value)]
    for name in modifiers:
        if name == "expand":
            made = [form for text in made for form in expanded(text, modifiers, placeholders)]
        elif name == "windash":
            made = [form for text in made for form in dashed(text)]
        elif name in ENCODE:
            made = [form for text in made for form in ENCODE[name](text)]
    return made


def expanded(text: str, modifiers: list[str], placeholders: Mapping[str, list[str]]) -> list[str]:
    """`%name%` is each of the placeholder's values, `\\%` a plain percent sign."""
    if "expand" not in modifiers:
        return [text]
    parts = re.split(r"(?<!\\)%([^%]+)%", text)
    choices = [
        placeholders[part] if index % 2 else [part.replace("\\%", "%")] for index, part in enumerate(parts)
    ]
    return ["".join(choice) for choice in itertools.product(*choices)]


def dashed(text: str) -> list[str]:
    parts = re.split(r"\B[-/–—―]\b", text)
    return [
        "".join(itertools.chain(*itertools.zip_longest(parts, choice, fillvalue="")))
        for choice in itertools.product(DASHES, repeat=len(parts) - 1)
    ]


def _utf16(codec: str, mark: bytes = b"") -> Callable[[str], list[str]]:
    return lambda text: [(mark + text.encode(codec)).decode("latin-1")]


def _base64(text: str) -> list[str]:
    return [base64.b64encode(_data(text)).decode()]


def _base64_offsets(text: str) -> list[str]:
    """What of the encoding is certain, wherever the text begins within three bytes."""
    data, made = _data(text), []
    for shift in range(3):
        sure = [
            base64.b64encode(bytes([fill]) * shift + data + bytes([fill]) * tail).decode()
            for fill in (0x00, 0xFF)
            for tail in (range(-(shift + len(data)) % 3, 3))
        ]
        encoded = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
        agreed = [all(len(one) > i and one[i] == sure[0][i] for one in sure) for i in range(len(encoded))]
        first = (shift * 8 + 5) // 6
        last = (shift + len(data)) * 8 // 6
        assert all(agreed[first:last])
        made.append(encoded[first:last])
    return made


def _data(text: str) -> bytes:
    return text.encode("latin-1") if any(ord(c) < 256 and c in "\0" for c in text) else text.encode()


ENCODE: dict[str, Callable[[str], list[str]]] = {
    "wide": _utf16("utf-16-le"),
    "utf16le": _utf16("utf-16-le"),
    "utf16be": _utf16("utf-16-be"),
    "utf16": _utf16("utf-16-le", b"\xff\xfe"),
    "base64": _base64,
    "base64offset": _base64_offsets,
}


def number(text: str) -> float | int | None:
    """Decimal notation, also with an exponent; nothing else is a number."""
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    return float(text) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text) else None


def compares(own: float | int | None, comparison: str, value: float) -> bool:
    if own is None:
        return False
    return COMPARE[comparison](own, value)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
}
UNITS = ("year", "month", "day", "hour", "minute", "week")


def part(text: str, unit: str) -> int | None:
    """A part of an ISO 8601 date, with or without its time; of anything else none."""
    found = re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2}))?", text)
    if found is None:
        return None
    if unit == "week":
        try:
            return date.fromisoformat(text[:10]).isocalendar().week
        except ValueError:
            return None
    digits = found[1 + UNITS.index(unit)]
    return None if digits is None else int(digits)
