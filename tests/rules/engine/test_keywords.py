"""Keywords, looked for by a word in all texts at once: no letter hides a word, and what is found is what the evaluator says."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi import ecs
from rules.engine import keywords
from rules.engine.fold import fold_all
from rules.engine.keywords import plain
from rules.engine.spoken import FOLDING
from tests.oracle import sigma_oracle
from tests.rules.engine import rulebook

LETTERS = "aAkKsSiIſ\u212aİßẞΣσςДд海\u0307\0*?\\ "
KEYWORD = st.text(LETTERS, min_size=3, max_size=6)
TEXT = st.text(LETTERS, max_size=12) | st.none()
EVENT = st.fixed_dictionaries(
    {},
    optional={
        "f": TEXT,
        "g": TEXT,
        "tags": st.lists(st.text(LETTERS, max_size=8), max_size=2),
        "own": st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3),
    },
)
TYPES = {"tags": rulebook.TEXTS, "own": rulebook.TEXTS, "f": rulebook.TEXT, "g": rulebook.TEXT}


def test_no_letter_hides_a_plain_one() -> None:
    """Of all letters none folds to one that words are made of, but capitals of ASCII and those that count as words."""
    hiding = {letter.decode("unicode_escape").encode("latin-1").decode() for letter in FOLDING}
    changed = {
        letter: folded
        for letter in map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1)))
        if not letter.isascii() and (folded := fold_all([letter])[0]) != letter
    }
    assert hiding - {ecs.BETWEEN} == {letter for letter, folded in changed.items() if any(map(plain, folded))}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(KEYWORD, min_size=1, max_size=3),
    events=st.lists(EVENT, min_size=1, max_size=6),
    times=st.sampled_from([1, 12]),
)
def test_keywords_are_the_evaluators(words: list[str], events: list[dict[str, Any]], times: int) -> None:
    """Few rows and many, letters of several cases, texts without a word, lists, nulls."""
    given_ = events * times
    written = rulebook.rule({"a": words, "condition": "a"})
    with tempfile.TemporaryDirectory() as folder:
        loaded = rulebook.rules(Path(folder), written)
    hits = loaded.match(rulebook.batch(given_, types=TYPES)).hits
    found = hits[0][1].tolist() if hits else []
    assert found == [i for i, event in enumerate(given_) if sigma_oracle.holds(written, event)]


@pytest.mark.parametrize("buffer", [1, 9, 64, 64 * 1024 * 1024])
def test_a_word_in_a_slice_is_of_its_row(buffer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch that is a part of a longer frame the rows are those of the part, in however many scans."""
    monkeypatch.setattr(keywords, "_BUFFER", buffer)
    texts = [f"line {n}" + " harmful" * (n in (70, 133)) for n in range(200)]
    written = rulebook.rule({"a": ["HARMFUL"], "condition": "a"})
    with tempfile.TemporaryDirectory() as folder:
        loaded = rulebook.rules(Path(folder), written)
    batch = rulebook.batch([{"f": text} for text in texts], types={"f": rulebook.TEXT})
    part = type(batch)(batch.dataset, batch.frame[50:150])
    assert [rows.tolist() for _, rows in loaded.match(part).hits] == [[20, 83]]
