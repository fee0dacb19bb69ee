"""What of a text is looked for first, as it stands: a line that lacks it need not be made small letters, which takes more than
all the rest of looking for words (`python -m benchmarks search`)."""

import re
from itertools import product

_CASED = re.compile("[^!-@\\[-`{-~ \u3041-\u309f\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
"""All but ASCII without letters, kana and kanji: these have no second case and are no other letter's small form."""
_LETTERS = "etaonsrhldcumfpgwybvxjqz"
"""Small ASCII letters that only their ASCII capitals become, the most frequent of English first; not k, which the Kelvin sign
becomes too, and not i, which the Turkish dotted one does."""


def fixed(text: str) -> str:
    """The longest part of a text without letters of two cases, as in an address or in Japanese."""
    return max(_CASED.split(text), key=len)


def needed(text: str) -> list[list[str]]:
    """What every line that holds the text, in letters of any case, holds: one of the first list's forms, and of each other's. A
    part without letters where there is one of two signs; else the rarest two parts (three signs, two of them letters at most,
    or two letters), which do not overlap, in each of their cases; none where there are no such."""
    if len(whole := fixed(text)) > 1:
        return [[whole]]
    best = _rarest(text)
    if not best:
        return []
    before, _, behind = text.partition(best)
    other = max(_rarest(before), _rarest(behind), key=_rarity)
    return [_forms(part) for part in (best, other) if part]


def _rarest(text: str) -> str:
    parts = [text[at : at + size] for size in (2, 3) for at in range(len(text) - size + 1)]
    return max(filter(_can_be_told, parts), key=_rarity, default="")


def _forms(part: str) -> list[str]:
    return ["".join(form) for form in product(*map(_cases, part))]


def _can_be_told(part: str) -> bool:
    known = all(sign.lower() in _LETTERS or not _CASED.match(sign) for sign in part)
    return known and sum(map(len, map(_cases, part))) <= len(part) + 2


def _cases(sign: str) -> list[str]:
    return [sign.lower(), sign.upper()] if sign.lower() in _LETTERS else [sign]


def _rarity(part: str) -> tuple[int, int]:
    return len(part), sum(_LETTERS.find(sign.lower()) for sign in part)
