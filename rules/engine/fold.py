"""Case folding: when two texts are the same to Sigma, which ignores case.

Unicode's simple case folding: lower case first, then the few letters whose lower case is not their
folding (final sigma, long s, micro sign, …). One letter, İ, folds to two (i and a combining dot), as its
full folding says. Patterns and values go through the same rule, columns natively.
"""

from collections.abc import Sequence

import polars as pl

EXCEPTIONS = dict(
    zip(
        "µſ\u0345ςϐϑϕϖϰϱϵᲀᲁᲂᲃᲄᲅᲆᲇᲈẛ\u1fbe",
        "μs\u03b9σβθφπκρεвдосттъѣꙋṡ\u03b9",
        strict=True,
    )
)
"""Letters that are their own lower case and yet fold to another. Unicode 14, CaseFolding.txt (C and S)."""

_TABLE = str.maketrans(EXCEPTIONS)


def fold(texts: pl.Series) -> pl.Series:
    """The texts with case folded; nulls stay null."""
    lower = texts.str.to_lowercase()
    if lower.is_empty() or not _beyond_ascii(lower):
        return lower
    return lower.str.replace_many(list(EXCEPTIONS), list(EXCEPTIONS.values()))


def fold_all(texts: list[str]) -> list[str]:
    """Some texts with case folded, by the same rule as columns."""
    return [text.lower() if text.isascii() else text.lower().translate(_TABLE) for text in texts]


def origins(text: str) -> Sequence[int]:
    """For each letter of the folded text the index of the letter it came from, and the length at the end."""
    if text.isascii():
        return range(len(text) + 1)
    counts = [len(letter.lower()) for letter in text]
    return [*(index for index, count in enumerate(counts) for _ in range(count)), len(text)]


def _beyond_ascii(texts: pl.Series) -> bool:
    return texts.str.len_bytes().sum() != texts.str.len_chars().sum()
