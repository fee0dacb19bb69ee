"""Columns: many values natively and few in Python mean the same, whatever the buffers are cut into."""

import unicodedata
from pathlib import Path

import polars as pl
import pytest

from rules.engine import columns, fold
from rules.engine.pattern import expression, literals, matches, normal
from tests.oracle import sigma_oracle
from tests.rules.engine import rulebook


@pytest.mark.parametrize("buffer", [64, 64 * 1024 * 1024])
def test_many_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int) -> None:
    """A thousand distinct values, nulls between, in one buffer or in hundreds."""
    monkeypatch.setattr(columns, "_BUFFER", buffer)
    detection = {
        "sel": {"f|contains": ["Wert 7", "海9"], "g|lt": 900},
        "short": {"f|contains": " 1"},
        "re": {"f|re": "3+4$"},
        "edge": {"f|startswith": "Wert 55", "f|endswith": "5"},
        "glob": {"f": "w*t ?2?"},
        "condition": "1 of them",
    }
    events = [
        {"f": None if i % 7 == 0 else f"wert {i}" if i % 2 else f"海{i}", "g": str(i)} for i in range(1000)
    ]
    written = rulebook.rule(detection)
    expected = [i for i, event in enumerate(events) if sigma_oracle.holds(written, event)]
    assert 50 < len(expected) < 900
    assert rulebook.matching(tmp_path, detection, events) == expected


@pytest.mark.parametrize("height", [12, 600])
@pytest.mark.parametrize("relation", ["", "|contains", "|startswith", "|endswith", "|cased"])
def test_references_of_few_and_of_many_rows(tmp_path: Path, relation: str, height: int) -> None:
    """A field against another: few rows are compared in Python, many by a native join; lists and nulls among them."""
    detection = {"s": {f"f|fieldref{relation}": "g"}, "condition": "s"}
    texts = ["ab", "AB", "xaby", "abz", "zab", "", None, "B"]
    events = [
        {"f": texts[i % 8], "g": texts[i * 5 // 3 % 8], "tags": ["x"] if i % 3 else None}
        for i in range(height)
    ]
    written = rulebook.rule(detection)
    expected = [i for i, event in enumerate(events) if sigma_oracle.holds(written, event)]
    assert expected and rulebook.matching(tmp_path, detection, events) == expected
    listed = {"s": {f"tags|fieldref{relation}": "g"}, "condition": "s"}
    for event in events:
        event["tags"] = [text for text in (event["f"], "q") if text is not None]
    written = rulebook.rule(listed)
    expected = [i for i, event in enumerate(events) if sigma_oracle.holds(written, event)]
    assert expected and rulebook.matching(tmp_path, listed, events) == expected


def test_folding_is_unicodes() -> None:
    """The table of exceptions is what Unicode's simple case folding adds to lower case, and no more."""
    assert {
        letter: sigma_oracle.fold(letter)
        for letter in map(chr, range(0x80, 0x2FFFF))
        if not 0xD800 <= ord(letter) < 0xE000
        and letter.lower() == letter
        and sigma_oracle.fold(letter) != letter
    } == fold.EXCEPTIONS
    points = (*range(0x20, 0x2000), 0x212A, 0x1E9E, 0x10400)
    letters = [chr(point) for point in points if unicodedata.category(chr(point)) != "Cn"]
    assert fold.fold(pl.Series(letters)).to_list() == fold.fold_all(letters)
    assert fold.fold_all(letters) == [sigma_oracle.fold(letter) for letter in letters]


def test_patterns() -> None:
    """Normal form, expression and the linear matcher of one pattern."""
    wanted = normal(["a", "b", 1, 1, 0, "c", 1, ""])
    assert wanted == ("ab", 0, 1, "c", 1)
    assert expression(normal([1, "a", 1])) == b"\\x61"
    assert literals(normal(["ab", 1, "c"])) == [b"\xffab", b"c\xff"]
    assert matches(wanted, "abxc")
    assert not matches(wanted, "abc")
    assert not matches(("a", 1, "a"), "a")
