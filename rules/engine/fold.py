"""Case folding: when two texts are the same to Sigma, which ignores case.

Unicode's simple case folding, done natively on whole columns: lower case first, then the few letters
whose lower case is not their folding (final sigma, long s, micro sign, …). One letter, İ, folds to two
(i and a combining dot), as its full folding says. Patterns go through the same function as values.
"""

import sys
import unicodedata
from functools import cache

import polars as pl


def fold(texts: pl.Series) -> pl.Series:
    """The texts with case folded; nulls stay null."""
    lower = texts.str.to_lowercase()
    if lower.is_empty() or not _beyond_ascii(lower):
        return lower
    letters, folded = _exceptions()
    return lower.str.replace_many(letters, folded)


def fold_all(texts: list[str]) -> list[str]:
    """Some texts with case folded, by the same rule as columns."""
    if all(text.isascii() for text in texts):
        return [text.lower() for text in texts]
    return fold(pl.Series(texts, dtype=pl.String)).to_list()


def _beyond_ascii(texts: pl.Series) -> bool:
    return texts.str.len_bytes().sum() != texts.str.len_chars().sum()


@cache
def _exceptions() -> tuple[list[str], list[str]]:
    """Letters that are their own lower case and yet fold to another, and what they fold to."""
    pairs = {}
    for point in range(0x80, sys.maxunicode + 1):
        letter = chr(point)
        if not unicodedata.category(letter).startswith(("L", "M")):
            continue
        full = letter.casefold()
        if len(full) != 1 or letter.lower() != letter:
            continue
        target = full.lower()
        if target != letter and len(target) == 1:
            pairs[letter] = target
    return list(pairs), list(pairs.values())
