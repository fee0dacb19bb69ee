"""Attacker-controlled text made safe to show. Log lines are hostile wherever they go."""

import re

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LINE = re.compile(r"[\r\n\t]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(text: str, limit: int | None = None) -> str:
    """One printable line: control characters, terminal escapes, bidirectional marks and bytes that are no text (in a file's
    name) become visible.

    `limit` counts characters; a longer text ends in an ellipsis with the number left out.
    """
    shown = text if text.isprintable() else _visible(text)  # printable: nothing of the kind is in it
    if limit is not None and len(shown) > limit:
        return f"{shown[:limit]}…(+{len(shown) - limit})"
    return shown


def _visible(text: str) -> str:
    named = _CONTROL.sub(
        lambda m: f"\\x{ord(m.group()):02x}" if ord(m.group()) < 256 else f"\\u{ord(m.group()):04x}", text
    )
    return _LINE.sub(" ", named)


def spreadsheet_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula (OWASP CSV injection)."""
    safe = _CONTROL.sub("", text)
    return f"'{safe}" if safe.startswith(_FORMULA) else safe
