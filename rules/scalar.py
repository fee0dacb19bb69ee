"""A text as a YAML scalar that shows nothing dangerous and reads back the same."""

import re

from hinomi.text import inert

_PLAIN = re.compile(r"[A-Za-z_][\w./@-]*\Z", re.ASCII)
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def scalar(text: str) -> str:
    """Plain where it can be, in single quotes, or in double quotes with everything hidden written out."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    if inert(text) == text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_written(sign) for sign in text) + '"'


def _written(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if sign.isprintable() and inert(sign) == sign:
        return sign
    number = ord(sign)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
