"""Personal numbers never reach the store, and everything replaced is counted."""

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.privacy import Pattern, Privacy, PrivacySettings, is_my_number
from hinomi.errors import ConfigError
from hinomi.ledger import Ledger, Line
from hinomi.secret import Secret


def number(body: str) -> str:
    """The 11 digits with the check digit that makes them a My Number."""
    return next(body + str(digit) for digit in range(10) if is_my_number(body + str(digit)))


VALID = number("12345678901")


def frame(original: str, **fields: object) -> pl.DataFrame:
    return pl.DataFrame({"event.original": [original, "dull"], **{k: [v, None] for k, v in fields.items()}})


def test_check_digit_by_the_published_rule() -> None:
    """Σ P·Q worked by hand for 12345678901: remainder 3, so the check digit is 8."""
    assert VALID == "123456789018"
    assert not is_my_number("123456789012")
    assert not is_my_number("１２３４５６７８９０１８")


@given(st.text("0123456789", min_size=11, max_size=11), st.integers(0, 9))
def test_exactly_one_check_digit_holds(body: str, _: int) -> None:
    """For any 11 digits one and only one check digit is right."""
    assert sum(is_my_number(body + str(digit)) for digit in range(10)) == 1


@pytest.mark.parametrize(
    "written",
    [
        VALID,
        f"{VALID[:4]} {VALID[4:8]} {VALID[8:]}",
        f"{VALID[:4]}-{VALID[4:8]}-{VALID[8:]}",
        VALID.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ],
)
def test_masked_in_the_raw_line_and_every_field(written: str) -> None:
    """However it is written, the number goes from the raw line, from fields and from lists."""
    ledger = Ledger()
    given_frame = frame(f'q="{written}" ok', **{"url.query": f"id={written}&x=1", "tags": ["a", written]})
    masked = Privacy(PrivacySettings(), ledger).apply("squid.access", given_frame)
    assert masked["event.original"][0] == 'q="[個人番号]" ok'
    assert masked["url.query"][0] == "id=[個人番号]&x=1"
    assert masked["tags"][0].to_list() == ["a", "[個人番号]"]
    assert masked["event.original"][1] == "dull"
    assert ledger.take() == {Line("masked", "squid.access", "my_number"): 3}


def test_an_escaped_number_in_json_is_found_in_the_field() -> None:
    """The raw line hides the digits behind JSON escapes; the decoded field is masked all the same."""
    escaped = "".join(f"\\uff1{digit}" for digit in VALID)
    wide = VALID.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    masked = Privacy(PrivacySettings(), Ledger()).apply("city.x", frame(f'{{"a":"{escaped}"}}', a=wide))
    assert masked["a"][0] == "[個人番号]"


@pytest.mark.parametrize(
    "text", ["123456789012", f"9{VALID}", f"{VALID}0", "1700000000000000000", "0123456789"]
)
def test_other_numbers_stay(text: str) -> None:
    """A wrong check digit or a longer number is left alone."""
    ledger = Ledger()
    same = Privacy(PrivacySettings(), ledger).apply("x", frame(f"n={text} ", a=text))
    assert same["a"][0] == text and not ledger.take()


def test_keyed_hash_joins_without_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number gives the same token under one key and another under another key."""
    tokens = set()
    for key in ("k1", "k1", "k2"):
        monkeypatch.setenv("HINOMI_TEST_KEY", key)
        settings = PrivacySettings(my_number="hash", key=Secret("env:HINOMI_TEST_KEY"))
        masked = Privacy(settings, Ledger()).apply("x", frame(f"n={VALID} "))
        tokens.add(masked["event.original"][0])
    assert len(tokens) == 2
    assert all(re.fullmatch(r"n=\[my_number:[0-9a-f]{16}\] ", token) for token in tokens)


def test_hash_without_key_is_refused() -> None:
    """Hashing without a key would let anyone try all numbers."""
    with pytest.raises(ConfigError, match="key"):
        Privacy(PrivacySettings(my_number="hash"), Ledger()).apply("x", frame(VALID))


def test_own_patterns_by_dataset() -> None:
    """A configured pattern applies to its datasets only; exempt datasets keep numbers."""
    pattern = Pattern(name="resident", regex=re.compile(r"R-\d{6}"), datasets=["city.resident_view"])
    privacy = Privacy(PrivacySettings(patterns=[pattern], my_number_except=["squid.access"]), Ledger())
    assert privacy.apply("city.resident_view", frame("see R-123456"))["event.original"][0] == "see [resident]"
    assert (
        privacy.apply("squid.access", frame(f"R-123456 {VALID}"))["event.original"][0] == f"R-123456 {VALID}"
    )


@pytest.mark.parametrize("name", ["event.original", "message", "user.full_name", "city.note"])
def test_a_separator_that_a_sender_wrote_hides_nothing(name: str) -> None:
    """The sign between a vendor's several values, within what a pattern asks for, leaves nothing in clear."""
    pattern = Pattern(name="resident", regex=re.compile(r"氏名=[^,]+,生年月日=\d{8}"))
    text = "氏名=山田\x1f太郎,生年月日=19700101"
    masked = Privacy(PrivacySettings(patterns=[pattern]), Ledger()).apply("x", pl.DataFrame({name: [text]}))
    assert masked[name].to_list() == ["[resident]"]


def test_each_of_a_vendors_several_values_is_masked_and_counted_once() -> None:
    """A pattern that asks for the beginning of a value finds each of several; none is replaced twice."""
    ledger = Ledger()
    patterns = [Pattern(name="id", regex=re.compile(r"^R-\d+")), Pattern(name="w", regex=re.compile("w+"))]
    privacy = Privacy(PrivacySettings(patterns=patterns), ledger)
    masked = privacy.apply("x", pl.DataFrame({"city.ids": ["R-1\x1fR-2\x1fw"]}))
    assert masked["city.ids"].to_list() == ["[id]\x1f[id]\x1f[w]"]
    assert ledger.take() == {Line("masked", "x", "id"): 2, Line("masked", "x", "w"): 1}
