"""Columns made of others: out of lists of objects kept as JSON text, and the first of several."""

import polars as pl

from rules.engine import derived


def test_keys_of_a_list_of_objects() -> None:
    """Every object's value at the path, lists on the way entered, values as one writes them in a rule."""
    texts = [
        '[{"p":"a.get","granted":true},{"p":"b.set","granted":false},{"q":1},7]',
        "[]",
        None,
        "no JSON",
        '{"p":["x","y"],"granted":null}',
    ]
    frame = pl.DataFrame({"info": texts})
    read = derived.column(frame, "info[].p")
    assert read is not None
    assert read.to_list() == [["a.get", "b.set"], [], None, [], ["x", "y"]]
    granted = derived.column(frame, "info[].granted")
    assert granted is not None
    assert granted.to_list()[0] == ["true", "false"]


def test_lists_within_lists() -> None:
    """`a[].b[].c` enters both."""
    frame = pl.DataFrame({"a": ['[{"b":[{"c":"1"},{"c":"2"}]},{"b":[{"c":3}]}]']})
    read = derived.column(frame, "a[].b[].c")
    assert read is not None
    assert read.to_list() == [["1", "2", "3"]]


def test_the_first_that_has_a_value() -> None:
    """`a|b`: row by row; columns that the frame lacks are passed over, and without any there is none."""
    frame = pl.DataFrame({"a": [None, "x", None], "b": [1, 2, None]})
    read = derived.column(frame, "none|a|b")
    assert read is not None
    assert read.to_list() == ["1", "x", None]
    assert derived.column(frame, "none|neither") is None
    assert derived.column(frame, "none[].x") is None


def test_columns_that_are_no_text() -> None:
    """Lists, numbers and truth values are read as texts: a rule may ask a table's path of any column."""
    frame = pl.DataFrame(
        {
            "process.args": [['{"a":"x"}', None, '{"a":["y",1]}'], ["no JSON"], [], None],
            "process.pid": [1, None, 2, 3],
            "observer.up": [True, None, False, None],
            "b": [None, "z", "z", None],
        }
    )
    for name, values in {
        "process.args[].a": [["x", "y", "1"], [], None, None],
        "process.pid[].a": [[], None, [], []],
        "observer.up[].a": [[], None, [], None],
        "process.args|b": ['{"a":"x"}\x1f{"a":["y",1]}', "no JSON", "z", None],
    }.items():
        read = derived.column(frame, name)
        assert read is not None
        assert read.to_list() == values
