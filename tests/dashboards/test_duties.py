"""The report clock counts days as its sources say, and says where they do not."""

from datetime import date, datetime

import pytest

from dashboards.duties import Duty, duties, is_closed_day
from hinomi.alert import Level
from hinomi.clock import JST
from hinomi.incident import Incident


def _duties(opened: datetime, *zones: str) -> dict[str, Duty]:
    incident = Incident(
        id="i",
        number=1,
        title_ja="",
        title_en="",
        level=Level.HIGH,
        first=opened,
        last=opened,
        opened=opened,
        updated=opened,
        zones=list(zones),
    )
    return {duty.id: duty for duty in duties(incident)}


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        (date(2026, 11, 20), date(2026, 12, 21)),  # day 30 is Saturday 19 December: Monday
        (date(2026, 12, 1), date(2027, 1, 4)),  # day 30 is 30 December: after the New Year's closing
        (date(2026, 4, 5), date(2026, 5, 7)),  # day 30 is 4 May, a holiday, as are the 5th and 6th
        (date(2026, 6, 1), date(2026, 6, 30)),
    ],
)
def test_final_report_moves_to_an_open_day(opened: date, due: date) -> None:
    """The day known is day 1; a closed day 30 moves on to the next open day."""
    duty = _duties(datetime(opened.year, opened.month, opened.day, 9, tzinfo=JST), "mynumber")["PPC-MN-FINAL"]
    assert duty.due is not None
    assert duty.due.date() == due


def test_day_is_the_japanese_one() -> None:
    """00:30 in Japan is the new day, though UTC still has the old one."""
    found = _duties(datetime(2026, 6, 2, 0, 30, tzinfo=JST), "mynumber")
    assert found["PPC-MN-FINAL"].due == datetime(2026, 7, 1, 23, 59, 59, tzinfo=JST)


def test_inferred_is_marked() -> None:
    """How many days the preliminary report has is inferred; that it is due is not."""
    duty = _duties(datetime(2026, 6, 2, tzinfo=JST), "mynumber")["PPC-MN-PRELIM"]
    assert duty.due_inferred
    assert not duty.inferred
    assert duty.warn is not None
    assert duty.due is not None
    assert duty.warn < duty.due


def test_zones_decide() -> None:
    """LGWAN brings J-LIS and the prefecture, the internet zone nothing."""
    when = datetime(2026, 6, 2, tzinfo=JST)
    assert set(_duties(when, "lgwan")) == {"CISO-INTERNAL", "JLIS-LGWAN", "PREF"}
    assert _duties(when, "internet") == {}


def test_closed_days() -> None:
    """Weekends, holidays, substitute holidays and the New Year's closing are closed."""
    closed = (date(2026, 11, 21), date(2026, 11, 23), date(2026, 5, 6), date(2026, 12, 29), date(2027, 1, 3))
    assert all(map(is_closed_day, closed))
    assert not any(map(is_closed_day, (date(2026, 11, 24), date(2026, 12, 28), date(2027, 1, 4))))
