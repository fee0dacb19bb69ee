"""Whoever closes an incident has taken it, the day of its closing stays, and what was joined into another counts there alone."""

import re
from datetime import timedelta

import pytest

from dashboards.compliance.checks import Look, taken
from dashboards.reporting import figures
from dashboards.reporting.document import Document, Ingredients, Paragraph, Table
from dashboards.reporting.period import week
from dashboards.reports import daily_digest
from hinomi.incident import Incident, Status, Verdict
from responders.incidents.merging import merge
from tests.dashboards.browse import browser
from tests.dashboards.city import NOW, City

BY = {"actor": "m.kato", "roles": ["analyst"]}


def _of(city: City) -> Ingredients:
    return Ingredients(city.events, city.records, city.clock, "火の見市")


def _incident(city: City, number: int) -> Incident:
    return city.records.find("incident", {"number": number})[0].read_as(Incident)


def _digest(city: City, days: int = 0) -> Document:
    return daily_digest.make(_of(city), NOW + timedelta(days=days), "ja")


def _warnings(document: Document) -> str:
    blocks = [block for part in document.parts for block in part.blocks]
    return "\n".join(one.text for one in blocks if isinstance(one, Paragraph) and one.kind == "warn")


def _counted(document: Document, column: int) -> int:
    table = next(block for block in document.parts[0].blocks if isinstance(block, Table))
    return sum(int(row[column]) for row in table.rows)


def _close(city: City, number: int = 1) -> None:
    city.desk.close(_incident(city, number).id, Verdict.BENIGN, "委託業者の予定作業", **BY)  # type: ignore[arg-type]


def _join(city: City, first: int, other: int) -> None:
    assert merge(city.records, city.desk.audit, city.clock, _incident(city, first), [_incident(city, other)])


def _as_before_it_was_noted(city: City) -> None:
    """The first incident as a release before 30 November 2026 closed it: nobody took it."""
    old = city.records.find("incident", {"number": 1})[0]
    body = {**old.body, "acknowledged_by": "", "acknowledged_at": None, "fields": {}}
    city.records.put("incident", old.id, body)


def test_a_verdict_without_taking_first_is_no_open_finding(own_city: City) -> None:
    """The shortest way, straight to the verdict: neither the control nor the digest says that nobody came, and the time
    to the first person is that of the verdict."""
    _close(own_city)
    closed = _incident(own_city, 1)
    assert (closed.acknowledged_by, closed.acknowledged_at) == ("m.kato", NOW)
    assert "#1 " not in _warnings(_digest(own_city))
    own_city.clock.advance(timedelta(days=2))
    outcome = taken(Look(_of(own_city)), None)
    assert outcome.good, outcome.words.ja
    held = figures.cases(_of(own_city), week(NOW))
    assert held.to_take.longest == NOW - closed.opened


def test_whoever_had_it_before_keeps_it(own_city: City) -> None:
    """Closing by somebody else changes neither who took it nor when."""
    own_city.desk.acknowledge(_incident(own_city, 1).id, actor="k.mori", roles=["analyst"])
    own_city.clock.advance(timedelta(hours=1))
    _close(own_city)
    held = _incident(own_city, 1)
    assert (held.acknowledged_by, held.acknowledged_at) == ("k.mori", NOW)


@pytest.mark.parametrize("noted", [True, False], ids=["now", "before"])
def test_opened_again_it_was_taken_when_it_was_closed(own_city: City, noted: bool) -> None:
    """Weeks later another person has it; the time to take stays that of the verdict, also where that noted nobody."""
    _close(own_city)
    if not noted:
        _as_before_it_was_noted(own_city)
    own_city.clock.advance(timedelta(days=20))
    own_city.desk.reopen(_incident(own_city, 1).id, "再発", actor="k.mori", roles=["analyst"])
    held = _incident(own_city, 1)
    assert (held.acknowledged_by, held.acknowledged_at) == ("k.mori", NOW)
    assert taken(Look(_of(own_city)), None).good


def test_one_that_was_closed_before_this_was_noted_counts_as_taken(own_city: City) -> None:
    """A stored incident without anybody who took it: its closing counts, by its last change of status."""
    _close(own_city)
    _as_before_it_was_noted(own_city)
    own_city.clock.advance(timedelta(days=2))
    assert taken(Look(_of(own_city)), None).good
    assert "#1 " not in _warnings(_digest(own_city))


def test_a_joined_incident_counts_where_it_went(own_city: City) -> None:
    """Neither opened nor closed nor waiting a second time: digest, page for the CISO, control."""
    before, week_before = _digest(own_city), _week(own_city)
    _join(own_city, 1, 3)
    assert _incident(own_city, 3).status is Status.CLOSED
    after = _digest(own_city)
    assert _counted(after, 2) == _counted(before, 2) - 1
    assert _counted(after, 3) == 0
    assert "#3 " not in _warnings(after)
    own_city.clock.advance(timedelta(days=2))
    assert "#3" not in taken(Look(_of(own_city)), None).words.ja
    held = [one.number for one in Look(_of(own_city)).incidents]
    assert 3 not in held and 1 in held
    assert _week(own_city) == (week_before[0] - 1, week_before[1])


@pytest.mark.parametrize("after", ["comment", "close"])
def test_the_day_of_closing_stays(own_city: City, after: str) -> None:
    """A remark, or another verdict, a week later counts the closing on no other day."""
    _close(own_city)
    noted = _digest(own_city)
    own_city.clock.advance(timedelta(days=8))
    if after == "comment":
        own_city.desk.comment(_incident(own_city, 1).id, "記録を整理しました。", **BY)  # type: ignore[arg-type]
    else:
        own_city.desk.close(_incident(own_city, 1).id, Verdict.FALSE_POSITIVE, "訂正", **BY)  # type: ignore[arg-type]
    assert _counted(noted, 3) == 1
    assert (_counted(_digest(own_city), 3), _counted(_digest(own_city, 8), 3)) == (1, 0)
    assert _week(own_city)[1] == 0


def test_opened_again_and_closed_again_is_the_later_day(own_city: City) -> None:
    """What was open again was closed when it was closed for good."""
    _close(own_city)
    own_city.desk.reopen(_incident(own_city, 1).id, "再発", **BY)  # type: ignore[arg-type]
    own_city.clock.advance(timedelta(days=1))
    _close(own_city)
    assert (_counted(_digest(own_city), 3), _counted(_digest(own_city, 1), 3)) == (0, 1)


def _week(city: City) -> tuple[int, int]:
    """What the page for the CISO says of the last seven days: how many were found, how many ended."""
    page = browser(city, "y.ota").get("/summary").text
    found = re.search(r"この7日間に (\d+) 件を見つけ、(\d+) 件を終えました", page)
    assert found, page
    return int(found[1]), int(found[2])
