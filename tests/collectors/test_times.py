"""Times as products write them: Japanese forms, eras, zones, and what is no time."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import times
from hinomi.clock import JST


def _read(text: str | None, *formats: str, zone: str = "Asia/Tokyo") -> datetime | None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    value = frame.select(times.parsed(pl.col("text"), formats, zone)).item()
    return None if value is None else value.astimezone(JST)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026/11/20 3時14分", (2026, 11, 20, 3, 14, 0)),
        ("令和8年11月20日", (2026, 11, 20, 0, 0, 0)),
        ("令和元年5月1日 午後3時14分05秒", (2019, 5, 1, 15, 14, 5)),
        ("平成31年4月30日 23:59", (2019, 4, 30, 23, 59, 0)),
        ("昭和64年1月7日", (1989, 1, 7, 0, 0, 0)),
        ("R8.11.20 03:14", (2026, 11, 20, 3, 14, 0)),
        ("2026年11月20日(金) 午前12時30分", (2026, 11, 20, 0, 30, 0)),
        ("2026年11月20日 午後12時30分", (2026, 11, 20, 12, 30, 0)),
        ("２０２６年１１月２０日（金）　３時１４分", (2026, 11, 20, 3, 14, 0)),
        ("2026/11/20 09:15:02", (2026, 11, 20, 9, 15, 2)),
        ("2026-11-20 9:5", (2026, 11, 20, 9, 5, 0)),
        ("2026/11/20 15時", (2026, 11, 20, 15, 0, 0)),
        ("Ｒ８．１１．２０ ３：１４", (2026, 11, 20, 3, 14, 0)),
        ("㋿8年11月20日 3時14分", (2026, 11, 20, 3, 14, 0)),
        ("㍻31年4月30日", (2019, 4, 30, 0, 0, 0)),
        ("2026/11/20 24:00:00", (2026, 11, 21, 0, 0, 0)),
        ("2026年12月31日 24時", (2027, 1, 1, 0, 0, 0)),
        ("20261120031405", (2026, 11, 20, 3, 14, 5)),
        ("2026/11/20 03:14:05 JST", (2026, 11, 20, 3, 14, 5)),
    ],
)
def test_japanese_forms(text: str, meant: tuple[int, int, int, int, int, int]) -> None:
    """Dates by the era or not, hours in words or with colons, are the same local time."""
    assert _read(text, times.JAPANESE) == datetime(*meant, tzinfo=JST)


def test_thousandths_behind_a_comma_and_a_named_zone() -> None:
    """`JST` counts wherever the city is; what is behind a comma is not lost."""
    read = _read("2026/11/20 03:14:05,123", times.JAPANESE)
    assert read == datetime(2026, 11, 20, 3, 14, 5, 123_000, tzinfo=JST)
    assert _read("2026/11/20 03:14:05 JST", times.JAPANESE, zone="UTC") == read.replace(microsecond=0)
    assert _read("2026/11/20 03:14:05", times.JAPANESE, zone="UTC") != read.replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "昨日",
        "2026/11/20 24:01",
        "2026/11/20 24:00:01",
        "2026/11/20 午前24時",
        "20261320031405",
        "2026/13/45",
        "2026/11/20 25:00",
        "令和99999年1月1日",
        "2026/02/30 1時",
        None,
        "9999-12-31T23:59:59Z",
        "0001-01-01",
        "9" * 40,
    ],
)
def test_what_is_no_time_is_none(text: str | None) -> None:
    """An impossible date is not bent into a possible one."""
    assert _read(text, *times.NAMED) is None


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-11-20T03:14:05+09:00", times.ISO),
        ("2026-11-19T18:14:05Z", times.ISO),
        ("2026-11-20 03:14:05", times.ISO),
        ("1795112045", "epoch"),
        ("1795112045000", "epoch_ms"),
        ("1795112045000000000", "epoch_ns"),
        ("20/Nov/2026:03:14:05 +0900", "%d/%b/%Y:%H:%M:%S %z"),
        ("20.11.2026 03:14:05", "%d.%m.%Y %H:%M:%S"),
    ],
)
def test_named_forms_and_patterns(text: str, form: str) -> None:
    """The same moment in eight spellings."""
    assert _read(text, form) == datetime(2026, 11, 20, 3, 14, 5, tzinfo=JST)


def test_the_first_form_that_fits_counts() -> None:
    """A column whose times changed their form with a release is read by either."""
    assert _read("1795112045", times.ISO, times.JAPANESE, "epoch") == _read(
        "2026-11-20T03:14:05+09:00", times.ISO
    )


def test_the_zone_of_a_time_that_names_none() -> None:
    """A local time is of the zone that the declaration names."""
    assert _read("2026-11-20 03:14:05", times.ISO, zone="UTC") == datetime(2026, 11, 20, 3, 14, 5, tzinfo=UTC)


@settings(deadline=None)  # a machine that is busy must not decide
@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    """Nothing that a sender writes raises."""
    value = _read(text, *times.NAMED, "%Y/%m/%d %H:%M:%S")
    assert value is None or 1900 <= value.year <= 2300


@pytest.mark.parametrize("pattern", ["yyyy/MM/dd", "%Q", "japan"])
def test_a_form_that_cannot_be_used_says_why(pattern: str) -> None:
    """A declaration with such a form is refused before any line is lost."""
    assert times.flaw(pattern)


@pytest.mark.parametrize("pattern", [*times.NAMED, "%Y/%m/%d %H:%M:%S%.f", "%d/%b/%Y:%H:%M:%S %z", "%F %T"])
def test_a_form_that_can_be_used_has_no_flaw(pattern: str) -> None:
    """The named forms and strptime patterns in Rust's spelling are fine."""
    assert times.flaw(pattern) is None
