"""A regular expression written so that Hyperscan (PCRE's syntax) and `re` read the same in it.

They differ over `{,3}` (PCRE: these four signs; `re`: up to three times) and over classes such as `[[:digit:]]` (`re`: a set that holds
`[`, `:` …). Both are taken as their writers mean them.
"""

import re
from collections.abc import Iterator
from functools import cache

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
    "word": "A-Za-z0-9_",
    "space": r"\s",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "graph": r"\x21-\x7e",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
}
"""POSIX's classes in ASCII, as PCRE has them where not told otherwise."""
_BEYOND = "\u0080-\U0010ffff"
_BEYOND_LETTERS = "\u0080-\u012f\u0132-\u017e\u0180-\u2129\u212b-\U0010ffff"
"""But for the signs that are i, k or s where case does not count: a set with them would hold these letters."""
_ODD = re.compile(r"\{,[0-9]+\}|\[[^\]]*\[")
_TOKEN = re.compile(r"\\.|\[\^?\]?|\{,(?=[0-9]+\})|.", re.DOTALL)
_MEMBER = re.compile(r"\\.|\[:(\^?)([a-z]+):\]|.", re.DOTALL)


def alike(text: str) -> str:
    """The expression; the same text where both read it alike."""
    return "".join(_tokens(text)) if _ODD.search(text) else text


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None  # any sign is a token
        at = found.end()
        if found[0] == "{,":
            yield "{0,"
        elif found[0].startswith("["):
            end, members = _members(text, at)
            yield found[0] + members
            at = end
        else:
            yield found[0]


def _members(text: str, at: int) -> tuple[int, str]:
    """What stands in a set, from behind its `[` to its `]`, and where that ends."""
    made: list[str] = []
    while at < len(text):
        found = _MEMBER.match(text, at)
        assert found is not None
        at = found.end()
        if found[0] == "]":
            return at, "".join([*made, "]"])
        known = _class(found[1] or "", found[2] or "")
        made.append(known or (r"\[" if found[0] == "[" else found[0]))
    return at, "".join(made)


def _class(mark: str, name: str) -> str | None:
    """The members of a class (`^`: of all others, as `[[:^digit:]]` writes them); None where there is no such class."""
    known = _CLASSES.get(name)
    return known if known is None or not mark else _others(known)


@cache
def _others(members: str) -> str:
    """All signs but these, each written so that both read it."""
    one = re.compile(f"[{members}]", re.ASCII)
    beyond = _BEYOND_LETTERS if one.match("k") and one.match("K") else _BEYOND
    others = (sign for sign in map(chr, range(0x80)) if not one.match(sign))
    return "".join(f"\\x{ord(sign):02x}" for sign in others) + beyond
