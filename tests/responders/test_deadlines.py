"""docs/deadlines.md, the table that an officer reads, is what Hinomi counts and what the statutes give when counted apart.

The second count knows nothing of ours: the days off are worked out from the Act on National Holidays (articles 2 and 3), the New
Year closing (article 4-2 of the Local Autonomy Act, 29 December to 3 January) and the weekday, one day after the other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hinomi.calendar import is_day_off
from hinomi.clock import JST
from responders.duties.counting import days
from responders.duties.duty import duties
from tests.shared import corpus

PAGE = Path(__file__).parents[2] / "docs" / "deadlines.md"
DAY = timedelta(days=1)
WEEKDAYS = "月火水木金土日"
CELL = re.compile(r"(\d{4}-\d\d-\d\d)\((.)\)(?: (\d\d:\d\d))?")
NO_CLOCK = {"JLIS-AUDIT"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page."""

    duty: str
    known: datetime
    wrongful: bool
    warn: date
    due: date
    because: str


def _moment(cell: str) -> datetime:
    found = CELL.fullmatch(cell)
    assert found, cell
    at = datetime.combine(date.fromisoformat(found[1]), time.fromisoformat(found[3] or "00:00"), JST)
    assert found[2] == WEEKDAYS[at.weekday()], f"weekday of {cell}"
    return at


def _rows() -> Iterator[Row]:
    name = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"### .*\(([A-Z-]+)\)", line):
            name = heading[1]
        elif line.startswith("| 20"):
            known, purpose, warn, due, because = (cell.strip() for cell in line.strip("|").split("|"))
            wrongful = {"おそれあり": True, "なし": False, "—": False}[purpose]
            yield Row(name, _moment(known), wrongful, _moment(warn).date(), _moment(due).date(), because)


ROWS = list(_rows())


def _monday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + DAY * ((7 - first.weekday()) % 7 + 7 * (number - 1))


def _named(year: int) -> set[date]:
    """Article 2. The equinoxes by the usual formula of the observatory's almanac (1980 to 2099)."""
    gone = year - 1980
    spring, autumn = (int(at + 0.242194 * gone - gone // 4) for at in (20.8431, 23.2488))
    fixed = [(1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23)]
    mondays = [(1, 2), (7, 3), (9, 3), (10, 2)]
    return {
        *(date(year, *one) for one in [*fixed, (3, spring), (9, autumn)]),
        *(_monday(year, *one) for one in mondays),
    }


def _holiday(day: date) -> bool:
    named = _named(day.year)
    if day in named or (day - DAY in named and day + DAY in named):  # article 3 (3)
        return True
    while day - DAY in named:  # article 3 (2): the first day behind a Sunday's holiday that is none itself
        day -= DAY
        if day.weekday() == 6:
            return True
    return False


def _closed(day: date) -> bool:
    return (
        day.strftime("%a") in ("Sat", "Sun")
        or _holiday(day)
        or (day.month == 12 and day.day > 28)
        or (day.month == 1 and day.day < 4)
    )


def _counted(known: datetime, number: int, *, moves: bool) -> date:
    """Day 1 is the day of knowledge in Japan; counted off one by one."""
    day, at = known.astimezone(JST).date(), 1
    while at < number:
        day, at = day + DAY, at + 1
    while moves and _closed(day):
        day += DAY
    return day


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.duty}-{row.known:%Y%m%dT%H%M}-{row.wrongful}")
def test_the_page_is_what_is_counted(row: Row) -> None:
    """Due day and day of the warning: as the page says, as we count, and as the statutes give."""
    rule = duties()[row.duty].rule
    assert rule is not None
    counted = days(rule, row.known, wrongful=row.wrongful)
    assert counted.due == datetime.combine(row.due, time(23, 59, 59), JST)
    assert counted.warn == datetime.combine(row.warn, time(8, 30), JST)
    final = row.duty.endswith("FINAL")
    number = (60 if row.wrongful else 30) if final else 5
    assert row.due == _counted(row.known, number, moves=final)
    last = row.known.date() + DAY * (number - 1)
    assert row.because.startswith(f"{number}日目は{last.month}月{last.day}日"), (
        "the reason names the last day"
    )
    if final and row.due != last:
        assert f"{last.month}/{last.day}" in row.because, "the reason says why it moves"


def test_the_page_has_every_duty() -> None:
    """Each duty that gives days has its table, each other its line; what has no clock says why."""
    text = PAGE.read_text(encoding="utf-8")
    lines = {found[1]: found[2] for found in re.finditer(r"^\| ([A-Z-]+) \| ([^|]+) \|", text, re.MULTILINE)}
    without = {one.id: one.when.ja for one in duties().values() if one.rule is None}
    assert {name: until.strip() for name, until in lines.items() if name not in NO_CLOCK} == without
    assert {row.duty for row in ROWS} == {one.id for one in duties().values() if one.rule is not None}
    assert lines.keys() >= NO_CLOCK


@pytest.mark.corpus
def test_no_duty_of_the_source_is_missing() -> None:
    """Every duty of the guideline's material is a duty of ours or named as one without a clock, and as sure as there."""
    listed = yaml.safe_load(corpus("guideline", "reporting.yaml").read_text(encoding="utf-8"))[
        "notifications"
    ]
    assert {one["id"] for one in listed} == duties().keys() | NO_CLOCK
    unsure = {one["id"] for one in listed if one["confidence"] != "verified"} - NO_CLOCK
    assert unsure == {one.id for one in duties().values() if one.inferred}


@given(st.dates(date(2024, 1, 1), date(2050, 12, 31)))
def test_days_off_are_those_of_the_statutes(day: date) -> None:
    """The calendar in use and the Acts agree, for a generation."""
    assert is_day_off(day) == _closed(day)


@given(st.integers(1_735_700_000, 2_400_000_000), st.booleans())
def test_any_moment_counts_as_the_statutes_give(seconds: int, wrongful: bool) -> None:
    """Any second of 2025 to 2046, also where it was written in another zone: the date of Japan counts."""
    known = datetime.fromtimestamp(seconds, UTC)
    final, prompt = duties()["PPC-MN-FINAL"].rule, duties()["PPC-MN-PRELIM"].rule
    assert final is not None and prompt is not None
    number = 60 if wrongful else 30
    assert days(final, known, wrongful=wrongful).due.date() == _counted(known, number, moves=True)
    assert days(prompt, known, wrongful=wrongful).due.date() == _counted(known, 5, moves=False)
