"""What a rule's text is known by when people approve it: a hash of all that it says, and the day that it names."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson


def of(said: Any) -> str:
    """The SHA-256 of plain values, in whatever order their keys stand."""
    try:
        text = orjson.dumps(said, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:  # numbers beyond 64 bits and lone surrogates, which rules may ask for
        text = _spelt(said).encode()
    return hashlib.sha256(text).hexdigest()


def _spelt(said: Any) -> str:
    if isinstance(said, Mapping):
        return f"{{{','.join(sorted(f'{_spelt(key)}:{_spelt(value)}' for key, value in said.items()))}}}"
    if isinstance(said, list | tuple):
        return f"[{','.join(map(_spelt, said))}]"
    return repr(said)


def version(document: Mapping[str, Any]) -> str:
    """The day on which a rule was last changed, by its own word; empty where it says none."""
    return str(document.get("modified") or document.get("date") or "")
