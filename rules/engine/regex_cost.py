"""What a regular expression may cost where Hyperscan cannot decide it alone and `re`, which backtracks, must.

Hyperscan takes time linear in the text. What it lacks (look-around, back-references, atomic groups, very
large counted repeats) is left to `re`, and there an attacker who chooses the text chooses the time. So a
rule is refused when its expression needs `re` and repeats what repeats, or repeats often.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from hinomi.errors import ContentError
from rules.engine import cache, hyperscan_db

_parser: Any = import_module("re._parser")
_BEYOND = frozenset(
    {"ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS", "ATOMIC_GROUP", "POSSESSIVE_REPEAT"}
)
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_LARGE = 10_000
"""Copies of one item that counted repeats may make; beyond, Hyperscan takes seconds to say no."""
_FEW = 32
"""A repeat of at most so many is no danger by itself."""
_MOST = 1
"""Long repeats side by side: each is one more power of the text's length. With one, 10,000 signs take under a second; with
two a thousand take three."""


def check(text: str, flags: str) -> None:
    """Raises ContentError for an expression that only `re` can decide, and might take for ever to."""
    tree = _parser.parse(text)
    large = _copies(tree) > _LARGE
    if not (large or _beyond(tree)) or not (_nested(tree) or _long(tree) > _MOST):
        return
    if not large:
        database = hyperscan_db.regexes([(0, text, flags)], cache.Cache(None))
        if not database.left_out and not database.approximate:
            return
    raise ContentError(
        "正規表現の照合に際限なく時間がかかるおそれがあるため、使いません"
        "(先読み・後方参照や大きな回数指定と、繰り返しの入れ子)。",
        "the regular expression could take for ever: look-around, back-references or large counts "
        "together with repeats of repeats",
    )


def _beyond(tree: Any) -> bool:
    return any(str(code) in _BEYOND or any(map(_beyond, _inner(item))) for code, item in tree)


def _copies(tree: Any) -> int:
    """How many items the expression is when its counted repeats are written out."""
    total = 0
    for code, item in tree:
        inner = max(1, sum(map(_copies, _inner(item))))
        total += inner * (max(1, _counted(item)) if str(code) in _REPEATS else 1)
    return total


def _long(tree: Any) -> int:
    """How many repeats of considerable and varying length may stand side by side."""
    total = 0
    for code, item in tree:
        inner = sum(map(_long, _inner(item)))
        if str(code) in _REPEATS:
            inner = inner * max(1, _counted(item)) + (item[1] - item[0] > _FEW)
        total += inner
    return total


def _nested(tree: Any, *, within: bool = False) -> bool:
    """Whether what is repeated at length is a choice, or itself repeated so or so often."""
    for code, item in tree:
        repeat = str(code) in _REPEATS
        if within and ((repeat and item[0] != item[1]) or str(code) == "BRANCH"):
            return True
        if any(_nested(inner, within=within or (repeat and item[1] > _FEW)) for inner in _inner(item)):
            return True
    return False


def _counted(item: Any) -> int:
    """The most that a repeat counts to; of one without bound the least."""
    least, most, _ = item
    return int(least if most is _parser.MAXREPEAT else most)


def _inner(item: Any) -> Iterator[Any]:
    """The expressions within an item of the parser's tree."""
    if isinstance(item, _parser.SubPattern):
        yield item
    elif isinstance(item, tuple | list):
        for one in item:
            yield from _inner(one)
