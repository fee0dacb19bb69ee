"""The report clock counts days as its sources say, and says where they do not."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.duties import Obligation, clocks_of, obligations
from dashboards.reporting.document import Ingredients, Table
from dashboards.reports import incident_report
from hinomi.alert import Level
from hinomi.clock import JST, FixedClock
from hinomi.incident import Incident
from hinomi.store.embedded import SqliteRecords
from responders.audit import Audit
from responders.duties.clocks import Clocks
from responders.duties.counting import days
from responders.duties.duty import touched
from tests.dashboards.browse import browser
from tests.dashboards.city import City


def _duties(opened: datetime, *zones: str) -> dict[str, Obligation]:
    return {one.duty.id: one for one in obligations(_incident(opened, *zones), ())}


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
    assert duty.duty.due_inferred
    assert not duty.duty.inferred
    assert duty.duty.rule is not None
    assert duty.due is not None
    assert days(duty.duty.rule, duty.incident.opened).warn < duty.due
    assert duty.provisional


def test_zones_decide() -> None:
    """LGWAN brings the ministry, the prefecture and the other bodies that its zone names; the internet zone only the
    city's own CISO. The same duties and days as those that the respond process warns of."""
    when = datetime(2026, 6, 2, tzinfo=JST)
    found = _duties(when, "lgwan")
    assert set(found) == {one.id for one in touched(_incident(when, "lgwan"))}
    assert {"CISO-INTERNAL", "MIC", "PREF"} <= set(found)
    assert set(_duties(when, "internet")) == {"CISO-INTERNAL"}


def test_a_decision_goes_before_the_detection(tmp_path: Path) -> None:
    """Once a person said from when the city knew, days count from there; what was sent or is not due asks nobody."""
    when = datetime(2026, 6, 2, 9, tzinfo=JST)
    incident, clock = _incident(when, "mynumber"), FixedClock(when + timedelta(days=20))
    records = SqliteRecords(tmp_path / "records.sqlite", clock=clock)
    records.put("incident", incident.id, incident.model_dump(mode="json"))
    clocks = Clocks(records, clock, Audit(records, clock))
    known, who = datetime(2026, 6, 10, 9, tzinfo=JST), {"actor": "c.ito", "roles": ["ciso"]}
    clocks.start("i", "PPC-MN-FINAL", known, "電話", wrongful=True, **who)
    clocks.decline("i", "PPC-MN-PRELIM", "対象外", **who)
    found = {one.duty.id: one for one in obligations(incident, clocks_of(records)["i"])}
    assert found["PPC-MN-FINAL"].due == datetime(2026, 8, 10, 23, 59, 59, tzinfo=JST)  # day 60 is a Saturday
    assert found["PPC-MN-FINAL"].open
    assert not found["PPC-MN-FINAL"].provisional
    assert not found["PPC-MN-PRELIM"].open


@pytest.mark.parametrize("shown", [3, 1])
def test_a_clock_that_a_person_started_is_everywhere(own_city: City, shown: int) -> None:
    """A duty that neither zones nor grade bring up counts from when a person started its clock: on the incident page, in the
    queue, on the page for those in charge and in the incident report; also (1) of an incident that took the other in."""
    held = Incident.model_validate(own_city.records.find("incident", {"number": 3})[0].body)
    assert "PPC-APPI-PRELIM" not in {one.id for one in touched(held)}
    visitor = browser(own_city, "m.kato")
    queued = "個人情報保護委員会への報告期限 11/24 23:59"
    assert queued not in _row(visitor.get("/").text, 3)
    start = "/incidents/3/duties/PPC-APPI-PRELIM/start"
    assert visitor.post(start, known="2026-11-20T08:00", why="市民課から電話").status_code == 303
    what = next(one.duty.what.ja for one in obligations(held, clocks_of(own_city.records)[held.id]))
    if shown != 3:
        assert visitor.post("/incidents/3/merge", other=str(shown), reason="同じ件").status_code == 303
    assert "2026-11-24 23:59:59 JST" in visitor.get(f"/incidents/{shown}").text
    assert queued in _row(visitor.get("/").text, shown)
    decisions = visitor.get("/summary").text.partition('<ul class="bullets">')[2].partition("</ul>")[0]
    assert any(
        f"#{shown}" in line and what in line and "11/24 23:59" in line for line in decisions.split("<li>")
    )
    of = Ingredients(own_city.events, own_city.records, own_city.clock, subject=str(shown))
    made = incident_report.make(of, own_city.clock.now(), "ja")
    rows = [
        row for part in made.parts for block in part.blocks if isinstance(block, Table) for row in block.rows
    ]
    assert [row[3] for row in rows if row[0] == what] == ["2026-11-24 23:59:59 JST"]


def _row(page: str, number: int) -> str:
    """What the queue says of an incident."""
    return page.partition(f'href="/incidents/{number}"')[2].partition("</tr>")[0]
