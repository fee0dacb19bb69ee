"""Periodic jobs run beside the calling of people, never before it."""

import threading
import time

import schedule

from hinomi.alert import Alert
from hinomi.ledger import Ledger, Line
from ops.schedule import Jobs, Timetable
from tests.e2e.tower import until
from tests.responders.city import alert


def _table(job: object) -> Timetable:
    table = Timetable(schedule.Scheduler(), Ledger())
    table.scheduler.every().seconds.do(table.guarded, "job", job)
    return table


def test_a_long_job_holds_up_nothing_and_what_it_said_is_taken_once() -> None:
    """A job that hangs leaves its caller free; what it counts and tells comes over when it is done, once."""
    go, ledger, told = threading.Event(), Ledger(), list[Alert]()
    alive = [True]

    def job() -> None:
        go.wait(30)
        if alive.pop():
            table.tell(alert("rules_lock"))
            table.ledger.count("dropped", 7, reason="retention")

    table = _table(job)
    with Jobs(table, lambda: bool(alive)):
        began = time.monotonic()
        assert table.take(ledger) == [] and time.monotonic() - began < 1
        go.set()
        until(lambda: told.extend(table.take(ledger)) or told, 20, "it was told")
    assert [one.rule_id for one in told] == ["rules_lock"]
    assert ledger.take() == {Line("dropped", "", "retention"): 7}


def test_who_does_not_lead_begins_nothing() -> None:
    """A standby runs no job."""
    ran = threading.Event()
    with Jobs(_table(ran.set), lambda: False):
        assert not ran.wait(1.8)
