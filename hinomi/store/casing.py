"""Letters beyond ASCII in their two cases: Elasticsearch's `case_insensitive` knows ASCII's alone.

Source: Lucene's AutomatonQueries.toCaseInsensitiveChar ("For now we only work with ASCII characters").
"""

from functools import cache

_DOTTED = "\u0130"
"""The Turkish capital, whose small letter is two signs in Unicode's full form, and i in the simple one that DuckDB takes."""

_LAST = 0x20000
"""Beyond it lie ideographs and the like, which have no cases."""


def forms(sign: str) -> str:
    """All signs that become the same small letter as this one, itself among them."""
    return _by_small().get(_small(sign), sign) if _is_beyond(sign) else sign


def has_others(text: str) -> bool:
    """Whether some letter of the text has another case beyond ASCII."""
    return any(len(forms(sign)) > 1 for sign in text if _is_beyond(sign))


def _is_beyond(sign: str) -> bool:
    return sign > "\x7f"


def _small(sign: str) -> str:
    return "i" if sign == _DOTTED else sign.lower()


@cache
def _by_small() -> dict[str, str]:
    """Small letter → the signs that become it, of all letters that have another case."""
    found: dict[str, str] = {}
    for sign in map(chr, range(0x80, _LAST)):
        small = _small(sign)
        if small != sign and len(small) == 1:
            found[small] = found.get(small, _with_ascii(small)) + sign
    return found


def _with_ascii(small: str) -> str:
    return small if _is_beyond(small) else small + small.upper()
