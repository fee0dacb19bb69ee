"""A time of another year names it: in reports always, on pages where it is not this year."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards import times
from dashboards.console.templating import environment
from dashboards.reporting.document import Ingredients, Table
from dashboards.reporting.html import html
from dashboards.reports import annual_compliance, incident_report
from dashboards.tokens import Tokens
from hinomi.clock import JST, FixedClock
from hinomi.incident import Happening
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City


@pytest.mark.parametrize(
    ("start", "end", "ja", "en"),
    [
        ((2026, 12, 28), (2027, 1, 4), "2026年12月28日〜2027年1月3日", "2026-12-28 – 2027-01-03"),
        ((2026, 11, 16), (2026, 11, 23), "2026年11月16日〜11月22日", "2026-11-16 – 2026-11-22"),
    ],
)
def test_a_week_names_its_year(
    start: tuple[int, int, int], end: tuple[int, int, int], ja: str, en: str
) -> None:
    """Titles and footers of the weekly report say of which year it is, of both where it lies in two."""
    first, last = datetime(*start, tzinfo=JST), datetime(*end, tzinfo=JST)
    assert (times.period(first, last, "ja"), times.period(first, last, "en")) == (ja, en)


def test_a_reports_period_has_years(city: City) -> None:
    """The annual report's head and appendix: 1 April to 1 April of the next year."""
    made = annual_compliance.make(Ingredients(city.events, city.records, city.clock, "火の見市"), NOW, "ja")
    text = html(made).decode()
    assert "2026-04-01 00:00:00 JST – 2027-04-01 00:00:00 JST" in text
    assert ">04/01" not in text and " 04/01" not in text


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 12, 31, 14, 59, tzinfo=UTC), "12/31 23:59"),
        (datetime(2026, 12, 31, 15, 0, tzinfo=UTC), "2027/01/01 00:00"),
        (datetime(2024, 2, 29, 1, 0, tzinfo=UTC), "2024/02/29 10:00"),
    ],
)
def test_a_stamp_of_another_year_names_it(moment: datetime, shown: str) -> None:
    """By the year in Japan, whatever the machine's zone and clock."""
    made = environment("ja", FixedClock(NOW)).from_string("{{ at | stamp(false) }}").render(at=moment)
    assert f">{shown}</time>" in made


def test_a_token_that_ends_next_year_says_so(own_city: City) -> None:
    """The account page shows until when a token counts."""
    Tokens(own_city.records, own_city.clock).make("m.kato", "連携", ("read",), 90)
    assert ">2027/02/18" in browser(own_city, "m.kato").get("/account").text


def test_a_long_timeline_keeps_its_end(own_city: City) -> None:
    """Of 1,000 lines the report tells the first and the last 200, decisions at the end among them, and how many it leaves out."""
    record = own_city.records.find("incident", {"number": 1})[0]
    lines = [
        Happening(time=NOW + timedelta(seconds=n), kind="alert", actor="", ja=f"検知{n}", en=f"alert {n}")
        for n in range(999)
    ]
    last = Happening(
        time=NOW + timedelta(hours=1), kind="status", actor="k.mori", ja="終了(実際の脅威)", en="closed"
    )
    timeline = [one.model_dump(mode="json") for one in (*lines, last)]
    own_city.records.put("incident", record.id, {**record.body, "timeline": timeline})
    of = Ingredients(own_city.events, own_city.records, own_city.clock, subject="1")
    made = incident_report.make(of, NOW, "ja")
    tables = [block for part in made.parts for block in part.blocks if isinstance(block, Table)]
    rows = next(table.rows for table in tables if any("検知0" in row for row in table.rows))
    assert len(rows) == 401
    assert "終了(実際の脅威)" in rows[-1]
    assert "途中の 600 行" in rows[200][3]
    assert "検知199" in rows[199] and "検知800" in rows[201]


def test_a_deadline_of_next_year_says_so(own_city: City) -> None:
    """In the queue, on the incident page and for those in charge: a report due in January is not read as one of last January."""
    own_city.clock.advance(timedelta(days=25))
    visitor = browser(own_city, "y.ota")
    start = "/incidents/1/duties/PPC-MN-FINAL/start"
    assert visitor.post(start, known="2026-12-10T08:00", why="市民課から電話").status_code == 303
    for page in ("/", "/summary", "/incidents/1"):
        assert "2027/01/" in visitor.get(page).text or "2027-01-" in visitor.get(page).text, page
    assert "2027/01/" in visitor.get("/").text and "2027/01/" in visitor.get("/summary").text
