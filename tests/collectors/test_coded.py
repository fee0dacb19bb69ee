"""Columns gathered as distinct texts and codes say of each row what was put in."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from collectors.coded import Coding
from hinomi import ecs
from rules.engine.columns import Columns

OWN = st.characters(codec="utf-8", exclude_characters=ecs.BETWEEN)
CELLS = st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "A", "ab", "海"]), st.text(OWN, max_size=2)))


@given(portions=st.lists(CELLS, max_size=4))
def test_every_row_keeps_its_text(portions: list[list[str | None]]) -> None:
    """Nulls first, between, last, or nothing else; each text is there once, whatever the portions."""
    coding = Coding()
    for cells in portions:
        coding.add(cells)
    texts, codes = coding.coded()
    given_in = [cell for cells in portions for cell in cells]
    assert [(*texts, None)[code] for code in codes.tolist()] == given_in
    assert sorted(texts) == sorted({cell for cell in given_in if cell is not None})


@given(portions=st.lists(CELLS, max_size=4))
def test_the_engine_reads_them(portions: list[list[str | None]]) -> None:
    """A column is there where any row has a text; one made of two takes the first that has one."""
    first, second = Coding(), Coding()
    height = 0
    for cells in portions:
        first.add(cells)
        second.add(reversed(cells))
        height += len(cells)
    columns = Columns.of_codes({"a": first.coded(), "b": second.coded()}, height, ["a", "b|a", "c"])
    given_in = [cell for cells in portions for cell in cells]
    turned = [cell for cells in portions for cell in reversed(cells)]
    either = [two if two is not None else one for one, two in zip(given_in, turned, strict=True)]
    for name, wanted in (("a", given_in), ("b|a", either)):
        assert columns.present(name).tolist() == [cell is not None for cell in wanted]
        for part in columns.parts(name):
            assert [(*part.texts, None)[code] for code in part.codes.tolist()] == wanted
    assert not columns.parts("c")


def test_several_values_of_a_vendors_field() -> None:
    """They stand apart as they do in a frame."""
    name, coding = "winlog.event_data.A", Coding()
    cells = ["a", None, f"b{ecs.BETWEEN}a"]
    coding.add(cells)
    parts = Columns.of_codes({name: coding.coded()}, len(cells), [name]).parts(name)
    framed = Columns(pl.DataFrame({name: cells})).parts(name)
    assert [one.texts for one in parts] == [one.texts for one in framed] == [["a", "b"]]
