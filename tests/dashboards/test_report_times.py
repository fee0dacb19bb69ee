"""The times of the weekly and monthly reports: a mean beside the median, containment from what playbooks did, alerts in order."""

import statistics
from datetime import datetime, timedelta

import pytest

from dashboards.reporting import figures
from dashboards.reporting.document import Ingredients, Paragraph, Table
from dashboards.reporting.figures import spread
from dashboards.reporting.period import week
from dashboards.reports import weekly_operations
from dashboards.texts import Texts
from responders.connectors.actions import ACTIONS
from responders.playbooks.book import Book
from responders.playbooks.run import KIND as RUN
from responders.playbooks.run import Run, StepState
from tests.dashboards.city import ALERTS, NOW, City

LATER = timedelta(minutes=42)


def _of(city: City) -> Ingredients:
    return Ingredients(city.events, city.records, city.clock, "火の見市")


def _row(city: City, words: str) -> tuple[str, ...]:
    """The row of the table of times that begins so."""
    part = figures.times_part(figures.cases(_of(city), week(NOW)), Texts("ja"))
    table = next(block for block in part.blocks if isinstance(block, Table))
    return next(row for row in table.rows if row[0].startswith(words))


def _carry_out(city: City, *, rehearsed: bool, act: bool = True) -> datetime:
    """The engine's book notes an act of incident 1 as done, after a while; returns when."""
    (record,) = city.records.find(RUN)
    run = record.read_as(Run).model_copy(update={"dry_run": rehearsed})
    record = city.records.put(RUN, record.id, run.model_dump(mode="json"))
    city.clock.advance(LATER)
    book = Book(city.records, city.clock, city.desk.audit)
    contains = [one for one in run.steps if one.act and ACTIONS[one.act].contains]
    step = contains[0] if act else next(one for one in run.steps if not one.act)
    run, record = book.keep_step(run, record, step.as_ended(StepState.STARTED, "", ""))
    book.keep_step(run, record, step.as_ended(StepState.DONE, "止めました。→done", "done"))
    return city.clock.now()


def test_means_beside_medians() -> None:
    """The mean is that of the standard library, and differs from the median where the times are uneven."""
    spans = [timedelta(minutes=n * n) for n in range(1, 12)]
    found = spread(spans)
    assert found.mean == timedelta(seconds=statistics.fmean(one.total_seconds() for one in spans))
    assert found.mean != found.middle
    assert spread([]).mean is None


def test_containment_is_what_a_playbook_did(own_city: City) -> None:
    """From the incident to the first act that was done; one that is put back later was contained all the same."""
    assert _row(own_city, "検知から封じ込めまで")[1:] == ("0", "—", "—", "—", "—")
    at = _carry_out(own_city, rehearsed=False)
    row = _row(own_city, "検知から封じ込めまで(MTTC)")
    opened = own_city.records.find("incident", {"number": 1})[0].body["opened"]
    assert row[1] == "1"
    held = figures.cases(_of(own_city), week(NOW)).to_contain
    assert held.longest == held.mean == at.replace(microsecond=0) - datetime.fromisoformat(opened)
    (record,) = own_city.records.find(RUN)
    run = record.read_as(Run)
    step = next(one for one in run.steps if one.state is StepState.DONE)
    book = Book(own_city.records, own_city.clock, own_city.desk.audit)
    book.keep_step(run, record, step.as_ended(StepState.UNDONE, "戻しました。", "put back"))
    assert _row(own_city, "検知から封じ込めまで")[1] == "1"


@pytest.mark.parametrize(("rehearsed", "act"), [(True, True), (False, False)])
def test_rehearsals_and_messages_contain_nothing(own_city: City, rehearsed: bool, act: bool) -> None:
    """Nothing is measured, and how many incidents that concerns is said."""
    _carry_out(own_city, rehearsed=rehearsed, act=act)
    assert _row(own_city, "検知から封じ込めまで")[1] == "0"
    part = weekly_operations.make(_of(own_city), NOW, "ja").parts[1]
    texts = [block.text for block in part.blocks if isinstance(block, Paragraph)]
    n = len(figures.cases(_of(own_city), week(NOW)).opened)
    assert any(f"{n} 件には、封じ込めの記録がありません" in text for text in texts)


def test_of_too_many_alerts_the_newest_count_and_it_is_said(
    own_city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time of detection, not by id; alerts of other weeks are passed over; a cut is told beside the table."""
    for number in range(30):
        detected = NOW - timedelta(minutes=number)
        for days, name in ((0, "now"), (8, "before"), (-8, "after")):
            at = detected - timedelta(days=days)
            one = ALERTS[0].model_copy(update={"id": f"{number:03}-{name}", "detected": at})
            own_city.records.put("alert", one.id, one.model_dump(mode="json"))
    monkeypatch.setattr(figures, "_PAGE", 7)
    whole = figures.cases(_of(own_city), week(NOW))
    assert len(whole.alerts) == 30 + len(ALERTS)
    assert not whole.cut
    found, cut = figures._alerts(_of(own_city), week(NOW), most=10)
    assert cut
    assert [one.id for one in found] == [f"{number:03}-now" for number in range(10)]
    monkeypatch.setattr(figures, "_alerts", lambda *_: (found, True))
    part = figures.rules_part(figures.cases(_of(own_city), week(NOW)), Texts("ja"))
    assert any(
        "期間の終わりから数えて 10 件" in block.text for block in part.blocks if isinstance(block, Paragraph)
    )
