"""The report clock counts days as its sources say, and says where they do not."""

from datetime import date, datetime

import pytest

from dashboards.duties import Duty, duties
from hinomi.alert import Level
from hinomi.clock import JST
from hinomi.incident import Incident
from responders.duties.duty import touched


def _duties(opened: datetime, *zones: str) -> dict[str, Duty]:
    return {duty.id: duty for duty in duties(_incident(opened, *zones))}


def _incident(opened: datetime, *zones: str) -> Incident:
    return Incident(
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
    """LGWAN brings the ministry, the prefecture and the other bodies that its zone names; the internet zone only the
    city's own CISO. The same duties and days as those that the respond process warns of."""
    when = datetime(2026, 6, 2, tzinfo=JST)
    found = _duties(when, "lgwan")
    assert set(found) == {one.id for one in touched(_incident(when, "lgwan"))}
    assert {"CISO-INTERNAL", "MIC", "PREF"} <= set(found)
    assert set(_duties(when, "internet")) == {"CISO-INTERNAL"}


def test_a_decision_goes_before_the_detection() -> None:
    """Once a person said from when the city knew, days count from there; what was sent or is not due asks nobody."""
    when = datetime(2026, 6, 2, 9, tzinfo=JST)
    clock = {"state": "running", "known": datetime(2026, 6, 10, 9, tzinfo=JST).isoformat(), "wrongful": True}
    held = {"i": {"PPC-MN-FINAL": clock, "PPC-MN-PRELIM": {"state": "not_due"}}}
    found = {one.id: one for one in duties(_incident(when, "mynumber"), held)}
    assert found["PPC-MN-FINAL"].due == datetime(2026, 8, 10, 23, 59, 59, tzinfo=JST)  # day 60 is a Saturday
    assert found["PPC-MN-FINAL"].open
    assert not found["PPC-MN-PRELIM"].open
