"""The quick reading of plain key=value lines finds what the expression finds, line by line."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.shapes.key_value import KeyValue
from collectors.shapes.plain_pairs import is_plain

PIECES = [
    "a",
    "b.c",
    "=",
    '"',
    " ",
    ",",
    "\\",
    "\t",
    "\n",
    "",
    "課",
    '="x y"',
    "k=v",
    'k="v=w,x" ',
    "1=2 ",
    "\u3000",
]
HARD = [
    *('a=1 b="x y" c=', 'a="" b=2', "a=b=c d=1", 'a="x=y, z" b=1', 'a="課 長" b=2', "a=1,b=2", "a=1  b=2"),
    *(
        r'a="x\"y" b=1',
        'a=x"y z"w b=1',
        "a=1\tb=2",
        " a=1",
        "a=1 ",
        'a="',
        'a="x"y b=1',
        "=1 a=2",
        "a=1 b",
        "",
        "a=\\ b=1",
    ),
]


def _frame(lines: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"message": lines}, schema={"message": pl.String}).with_row_index("at")


def _same(lines: list[str], *, comma: bool) -> None:
    shape, frame = KeyValue('"', comma), _frame(lines)
    assert shape._pairs(frame).rows() == shape._found(frame).rows()


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1, max_size=6),
    st.booleans(),
)
def test_any_line_has_the_same_pairs(lines: list[str], comma: bool) -> None:
    """Whatever quotes, commas, blanks and backslashes do, both readings agree on every pair and its order."""
    _same(lines, comma=comma)


def test_hard_lines_have_the_same_pairs() -> None:
    """The lines where a quick reading would go wrong, alone, together, and among more than are read at once."""
    for comma in (True, False):
        for line in HARD:
            _same([line], comma=comma)
        _same(HARD * 300, comma=comma)


def test_plain_and_other_lines() -> None:
    """Ordinary firewall lines take the quick way; a line with a guarded quote or two blanks does not."""
    lines = ['a=1 b="x, y" c=', 'a="課 長"', r'a="x\"y"', "a=1  b=2", "a=1,b=2"]
    plain = _frame(lines).select(is_plain('"', comma=True)).to_series().to_list()
    assert plain == [True, True, False, False, False]
