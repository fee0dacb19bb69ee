"""Periodic jobs of a tower, driven by the library `schedule`; each failure is logged and does not stop the rest.

They run in a thread of their own, over a store of their own: merging an hour's files or writing a month's report takes
its time, and nobody who is to be called may wait for it.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from queue import Empty, SimpleQueue
from typing import Self, TypeVar

import schedule

from dashboards.reporting import catalogue
from dashboards.reporting.publish import Published
from hinomi.alert import Alert
from hinomi.clock import JST
from hinomi.errors import HinomiError
from hinomi.ledger import Ledger, Line
from hinomi.store import Events, Records
from ops import (
    approval,
    feeds,
    indicators,
    own_audit,
    own_watch,
    refusals,
    reports,
    retention,
    rule_watch,
    stores,
)
from ops.journal import log
from ops.roles.start import Role
from ops.shared import undecided
from ops.store_watch import StoreWatch
from responders.audit import Audit
from responders.incidents import holds

_Said = TypeVar("_Said")
_LOOK = 0.5
_PATIENCE = 10.0  # seconds that a stop waits for a job under way; each can be broken off at any moment


@dataclass(slots=True)
class Timetable:
    """The jobs with their times; `run_due` runs what is due now, `take` gives what they said to another thread."""

    scheduler: schedule.Scheduler
    ledger: Ledger
    _told: SimpleQueue[Alert] = field(default_factory=SimpleQueue)
    _counted: SimpleQueue[Counter[Line]] = field(default_factory=SimpleQueue)

    @classmethod
    def of(cls, process: Role, events: Events, records: Records) -> "Timetable":
        """The timetable of a tower."""
        table = cls(schedule.Scheduler(), Ledger())
        table.scheduler.every(5).minutes.do(table.guarded, "compact", lambda: events.compact())
        table.scheduler.every().day.at("03:30", str(JST)).do(
            table.guarded,
            "retention",
            lambda: dropped(process, records, table.ledger),
        )
        table.scheduler.every(5).minutes.do(
            table.guarded,
            "feeds",
            lambda: feeds.refresh(
                process.settings.feeds,
                process.settings.enrich,
                records,
                process.clock,
                data=process.data if process.machine else None,
            ),
        )
        table.scheduler.every(10).minutes.do(
            table.guarded, "indicators", lambda: renewed_indicators(process, events, records, table.ledger)
        )
        table.scheduler.every().hour.do(
            table.guarded, "rules_lock", lambda: verify_rules(process, records, table.tell)
        )
        table.scheduler.every(1).minutes.do(
            table.guarded, "rules_watch", lambda: rule_watch.watch(process, records, table.tell)
        )
        table.scheduler.every(10).minutes.do(
            table.quietly, "shared", lambda: undecided.look(records, process.clock.now(), table.tell)
        )
        table.scheduler.every(10).minutes.do(
            table.guarded, "store", lambda: StoreWatch(events, records, process.clock).look(table.tell)
        )
        if blind := process.settings.respond.notify.blind_minutes:
            table.scheduler.every(1).minutes.do(
                table.quietly,
                "refusals",
                lambda: refusals.look(records, process.clock.now(), timedelta(minutes=blind), table.tell),
            )
        table.scheduler.every(10).minutes.do(
            table.guarded, "dead_letters", lambda: own_watch.DeadLetters(records, process.clock).look()
        )
        table.scheduler.every(10).seconds.do(
            table.quietly, "replay", lambda: replayed(process, events, records)
        )
        table.scheduler.every(1).minutes.do(
            table.guarded, "own_audit", lambda: own_audit.write(records, process.data / own_audit.FOLDER)
        )
        table.scheduler.every().hour.do(table.guarded, "audit", lambda: verify_audit(records, process))
        table.scheduler.every().day.at(process.settings.reports.daily_at, str(JST)).do(
            table.guarded, "daily_digest", lambda: daily_digest(process, events, records)
        )
        table.scheduler.every().day.at(process.settings.reports.daily_at, str(JST)).do(
            table.guarded, "period_reports", lambda: period_reports(process, events, records)
        )
        table.scheduler.every(20).seconds.do(
            table.quietly,
            "report_delivery",
            lambda: reports.deliveries(process.settings, process.clock, records).bring(),
        )
        return table

    def run_due(self) -> None:
        """Run what is due."""
        self.scheduler.run_pending()
        if counted := self.ledger.take():
            self._counted.put(counted)

    def tell(self, alert: Alert) -> None:
        """An operational alert, for whoever takes it."""
        self._told.put(alert)

    def take(self, ledger: Ledger) -> list[Alert]:
        """Operational alerts that jobs raised since the last asking; what they counted goes into the ledger."""
        for counted in _drained(self._counted):
            for line, n in counted.items():
                ledger.count(line.what, n, dataset=line.dataset, reason=line.reason)
        return _drained(self._told)

    def guarded(self, name: str, job: Callable[[], object]) -> None:
        """Run a job; what goes wrong is said in words."""
        self._tried(name, job, silent=False)

    def quietly(self, name: str, job: Callable[[], object]) -> None:
        """The same for a job that looks every few seconds whether there is anything to do: said only where there was."""
        self._tried(name, job, silent=True)

    def _tried(self, name: str, job: Callable[[], object], *, silent: bool) -> None:
        try:
            result = job()
            if result or not silent:
                log.info("job_done", job=name, result=result)
        except Exception as error:  # a job's own mistake must not stop the tower
            log.error("job_failed", job=name, reason=_reason(error))


@dataclass(slots=True)
class Jobs:
    """Runs a timetable beside the rest of its process. may: whether to begin anything now."""

    timetable: Timetable
    may: Callable[[], bool]
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK):
            if self.may():
                self.timetable.run_due()


def _drained(queue: "SimpleQueue[_Said]") -> list[_Said]:
    found: list[_Said] = []
    while True:
        try:
            found.append(queue.get_nowait())
        except Empty:
            return found


def renewed_indicators(process: Role, events: Events, records: Records, ledger: Ledger) -> dict[str, int]:
    """Fetch the lists that are due and take out what is over; new indicators by list."""
    if not process.settings.indicators.feeds and not indicators.held(process.data).file.exists():
        return {}
    tower = indicators.Indicators.of(process.data, process.settings, events, records, process.clock)
    tower.ledger = ledger
    return tower.pull(process.settings.indicators)


def replayed(process: Role, events: Events, records: Records) -> int:
    """Read dead letters again for whoever asked on the page."""
    from ops import replay  # brings the parsers, which a tower whose lines are all read never needs here

    audit = Audit(records, process.clock)
    return replay.answer(process.settings, events, records, process.clock, audit, process.data)


def dropped(process: Role, records: Records, ledger: Ledger) -> int:
    """Drop what is older than its period, as who may delete."""
    keeper = stores.open_keeper(process.settings.store, process.data, process.clock)
    try:
        return retention.apply(
            keeper, process.settings.retention, process.clock, ledger, holds.spans(records)
        )
    finally:
        keeper.close()


def verify_audit(records: Records, process: Role) -> int:
    """Check the audit log; each problem is said. Returns how many there are."""
    problems = Audit(records, process.clock).verify()
    for problem in problems:
        log.error("audit_damaged", entry=problem.entry, reason=problem.en)
    return len(problems)


def verify_rules(process: Role, records: Records, tell: Callable[[Alert], object] = lambda _: None) -> int:
    """Check that what detects is what was approved (`hinomi rules lock`); what is not is said, and all together is an
    operational alert, once a day for the same difference."""
    found = approval.unlike(process.settings, process.data, records) or []
    for one in found:
        log.error(
            "rule_not_as_approved",
            kind=one.rule.kind,
            rule=one.rule.id,
            file=one.rule.file,
            reason=one.said.en,
        )
    if found:
        tell(rule_watch.unapproved(found, process.clock.now()))
    return len(found)


def daily_digest(process: Role, events: Events, records: Records) -> str:
    """Write yesterday's digest into the report folder, and those of organisations that are to have their own."""
    day = (process.clock.now().astimezone(JST) - timedelta(days=1)).date()
    return ", ".join(str(one.path) for one in _made(["daily-digest"], day, process, events, records))


def period_reports(process: Role, events: Events, records: Records) -> str:
    """On Mondays the week before; on the first of a month the month before; on 1 April the fiscal year before."""
    today = process.clock.now().astimezone(JST).date()
    names = ["weekly-operations"] if today.weekday() == 0 else []
    if today.day == 1:
        names += ["monthly-committee", "telework"]
    if (today.month, today.day) == (4, 1):
        names += ["annual-compliance", "drill"]
    _made(names, today - timedelta(days=1), process, events, records)
    return ", ".join(names)


def _made(
    names: Sequence[str], day: date, process: Role, events: Events, records: Records
) -> list[Published]:
    """The reports of the whole tower, and then, where there can be one, of each organisation of `reports.organizations`. One
    that cannot be made keeps no other back; HinomiError names those once all were tried."""
    towns = process.settings.reports.organizations
    wanted = [(name, "") for name in names]
    wanted += [(name, whose) for name in names if catalogue.find(name).apart for whose in towns]
    made: list[Published] = []
    failed: list[str] = []
    for name, whose in wanted:
        try:
            made += _one(name, whose, day, process, events, records)
        except Exception as error:  # its own mistake must not cost the others
            log.error("job_failed", job=name, organization=whose, reason=_reason(error))
            failed.append(f"{name} {whose}".rstrip())
    if failed:
        listed = ", ".join(failed)
        raise HinomiError(f"作れなかった報告書: {listed}", f"reports that could not be made: {listed}")
    return made


def _one(
    name: str, whose: str, day: date, process: Role, events: Events, records: Records
) -> list[Published]:
    """One report, in the report folder and noted down for whoever is to have it."""
    own, clock, folder = process.settings, process.clock, process.data / "reports"
    files = reports.write(name, day, own, clock, events, records, folder, data=process.data, whose=whose)
    reports.deliveries(own, clock, records).plan(name, files, whose)
    return files


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, HinomiError) else f"{type(error).__name__}: {error}"
